/**
 * Dify's streamed answers, read incrementally: length-prefixed frames, or the lines that Dify sent before it had frames
 * (docs/wire/runtime-protocol.md#answers-of-dify). The first byte tells which.
 */

/** The stream is not what it should be. `message` has upstream's words. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  /** What to do about it. */
  readonly remedy: string | undefined;

  constructor(message: string, remedy?: string) {
    super(message);
    this.remedy = remedy;
  }
}

const MAGIC = 0x0f;
/** Magic, reserved byte, header length (2), data length (4), reserved (6); little endian. */
const PREFIX_LENGTH = 14;
const HEADER_LENGTH = 10;
const NEWLINE = 0x0a;

/** How a stream of lines may begin: an object, a field name of an event stream, a comment, space. */
const lineStarts = new Set(Array.from('{deir: \t\r\n', (character) => character.charCodeAt(0)));

export class FrameDecoder {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  /** Bytes of the first chunk that are used up. */
  #offset = 0;
  #size = 0;
  /** Line mode: chunks at the front that hold no line end. */
  #searched = 0;
  #mode: 'unknown' | 'frames' | 'lines' = 'unknown';
  /** Length of the frame whose prefix was read. */
  #expected: number | undefined;

  /** @param maxBytes longest frame or line (RESPONSE_MAX_BUFFER_SIZE) */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  /**
   * The text of the next complete frame, or undefined until more is pushed.
   * @throws FrameError when the bytes are neither frames nor lines, or too long
   */
  next(): string | undefined {
    if (this.#mode === 'unknown') {
      const first = this.#chunks[0]?.[0];
      if (first === undefined) return undefined;
      if (first !== MAGIC && !lineStarts.has(first)) throw wrongMagic(first);
      this.#mode = first === MAGIC ? 'frames' : 'lines';
    }
    return this.#mode === 'frames' ? this.#nextFrame() : this.#nextLine();
  }

  /**
   * The stream has ended: the last line if it had no line end.
   * @throws FrameError when a frame is incomplete
   */
  finish(): string | undefined {
    if (this.#mode === 'lines') return lineData(this.#take(this.#size).toString('utf8'));
    if (this.#expected !== undefined) throw incomplete('failed to read data');
    if (this.#size > 0) throw incomplete(this.#size < 4 ? 'failed to read system header' : 'failed to read header');
    return undefined;
  }

  #nextFrame(): string | undefined {
    if (this.#expected === undefined) {
      if (this.#size < PREFIX_LENGTH) return undefined;
      const prefix = this.#take(PREFIX_LENGTH);
      if (prefix[0] !== MAGIC) throw wrongMagic(prefix[0]);
      const header = prefix.readUInt16LE(2);
      if (header !== HEADER_LENGTH) throw new FrameError(`header length mismatch: ${header}`);
      const length = prefix.readUInt32LE(4);
      if (length > this.#maxBytes) throw this.#tooLong(length);
      this.#expected = length;
    }
    if (this.#size < this.#expected) return undefined;
    const data = this.#take(this.#expected);
    this.#expected = undefined;
    return data.toString('utf8');
  }

  #nextLine(): string | undefined {
    for (;;) {
      const end = this.#findLineEnd();
      if (end === undefined) {
        if (this.#size > this.#maxBytes) throw this.#tooLong(this.#size);
        return undefined;
      }
      if (end > this.#maxBytes) throw this.#tooLong(end);
      const data = lineData(this.#take(end).toString('utf8'));
      this.#take(1);
      if (data !== undefined) return data;
    }
  }

  /** Bytes before the next line end; each byte is looked at once. */
  #findLineEnd(): number | undefined {
    let before = -this.#offset;
    for (const [i, chunk] of this.#chunks.entries()) {
      if (i >= this.#searched) {
        const at = chunk.indexOf(NEWLINE, i === 0 ? this.#offset : 0);
        if (at >= 0) return before + at;
        this.#searched = i + 1;
      }
      before += chunk.length;
    }
    return undefined;
  }

  /** The next `length` bytes, which must be there; copied only when they span several chunks. */
  #take(length: number): Buffer {
    this.#searched = 0;
    this.#size -= length;
    const first = this.#chunks[0];
    if (first === undefined) return Buffer.alloc(0);
    const end = this.#offset + length;
    if (end < first.length) {
      const taken = first.subarray(this.#offset, end);
      this.#offset = end;
      return taken;
    }
    const parts = [first.subarray(this.#offset)];
    let missing = end - first.length;
    let used = 1;
    this.#offset = 0;
    while (missing > 0) {
      const chunk = this.#chunks[used];
      if (chunk === undefined) break;
      parts.push(chunk.subarray(0, missing));
      if (missing < chunk.length) {
        this.#offset = missing;
        break;
      }
      missing -= chunk.length;
      used++;
    }
    this.#chunks.splice(0, used);
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts, length);
  }

  #tooLong(length: number): FrameError {
    return new FrameError(
      `data length is too long: ${length}`,
      `The limit is ${this.#maxBytes} bytes; raise RESPONSE_MAX_BUFFER_SIZE`,
    );
  }
}

/** The JSON of a line, or undefined when it carries none (empty, event name, comment). */
function lineData(line: string): string | undefined {
  const data = line.startsWith('data:') ? line.slice(5) : line;
  if (/^\s*$|^:|^(?:event|id|retry):/.test(data)) return undefined;
  return data.trim();
}

const wrongMagic = (byte: number | undefined): FrameError =>
  new FrameError(
    `magic number mismatch: ${byte}`,
    'Something that is not Dify answers at DIFY_INNER_API_URL, or a proxy changes its answers',
  );

const incomplete = (what: string): FrameError =>
  new FrameError(`unexpected EOF\n${what}`, "Dify ended its answer in the middle; its API server's log says why");
