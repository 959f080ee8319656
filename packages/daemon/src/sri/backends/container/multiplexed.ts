/** Header of a frame: the stream, three zeroes, the length. */
const HEADER_BYTES = 8;
/** Longer ones are passed on in parts as they come; a length is a foreign value. */
const STREAMS = new Map<number, 'stdout' | 'stderr'>([
  [1, 'stdout'],
  [2, 'stderr'],
]);

/** Takes apart what engines send of a container's stdout and stderr, in whatever pieces it comes. Keeps no more than a header. */
export class Multiplexed {
  readonly #onData: (source: 'stdout' | 'stderr', bytes: Buffer) => void;
  #header = Buffer.alloc(0);
  #source: 'stdout' | 'stderr' | undefined;
  #left = 0;

  constructor(onData: (source: 'stdout' | 'stderr', bytes: Buffer) => void) {
    this.#onData = onData;
  }

  push(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#left === 0) {
        const missing = HEADER_BYTES - this.#header.length;
        this.#header = Buffer.concat([this.#header, bytes.subarray(at, at + missing)]);
        at += missing;
        if (this.#header.length < HEADER_BYTES) return;
        this.#source = STREAMS.get(this.#header[0] ?? 0);
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
      } else {
        const part = bytes.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        if (this.#source !== undefined) this.#onData(this.#source, part);
      }
    }
  }
}
