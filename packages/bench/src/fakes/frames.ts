/**
 * The length-prefixed frames in which Dify streams answers to the daemon.
 *
 * Fourteen bytes of head (magic 0x0f, reserved, header length 10 as uint16, data length as uint32, six reserved bytes, all
 * little endian), then the JSON text `{"data": …, "error": ""}`.
 */
const HEAD_BYTES = 14;
const MAGIC = 0x0f;
const HEADER_LENGTH = 10;

export interface FrameContent {
  readonly data: unknown;
  readonly error: string;
}

export function encodeFrame(content: FrameContent): Buffer {
  const data = Buffer.from(JSON.stringify(content));
  const frame = Buffer.alloc(HEAD_BYTES + data.length);
  frame[0] = MAGIC;
  frame.writeUInt16LE(HEADER_LENGTH, 2);
  frame.writeUInt32LE(data.length, 4);
  data.copy(frame, HEAD_BYTES);
  return frame;
}

/** Reads frames out of a byte stream that is cut anywhere. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with these bytes; throws when the bytes are no frame. */
  push(bytes: Uint8Array): FrameContent[] {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    const frames: FrameContent[] = [];
    while (this.#rest.length >= HEAD_BYTES) {
      if (this.#rest[0] !== MAGIC) throw new Error(`not a frame: it starts with byte ${this.#rest[0]}`);
      if (this.#rest.readUInt16LE(2) !== HEADER_LENGTH) throw new Error('not a frame: its header length is not 10');
      const end = HEAD_BYTES + this.#rest.readUInt32LE(4);
      if (this.#rest.length < end) break;
      frames.push(JSON.parse(this.#rest.toString('utf8', HEAD_BYTES, end)));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }

  /** Bytes of a frame that has not ended yet. */
  get pending(): number {
    return this.#rest.length;
  }
}
