import { HEAD, TAIL } from '../envelope.ts';
import { RawJson } from '../route.ts';

export type JsonPiece = string | Uint8Array;

/**
 * Composes JSON from values that are serialized already, in one buffer made once. For answers that are large because of what is
 * embedded in them.
 */
export class JsonWriter {
  readonly #pieces: JsonPiece[] = [];
  #bytes = 0;

  add(...pieces: readonly JsonPiece[]): this {
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.byteLength;
    }
    return this;
  }

  /** An object: the plain members, then the serialized ones; undefined ones are left out. */
  object(plain: object, serialized: Readonly<Record<string, JsonPiece | undefined>>): this {
    const head = JSON.stringify(plain).slice(0, -1);
    let separator = head === '{' ? '' : ',';
    this.add(head);
    for (const [key, piece] of Object.entries(serialized)) {
      if (piece === undefined) continue;
      this.add(`${separator}${JSON.stringify(key)}:`, piece);
      separator = ',';
    }
    return this.add('}');
  }

  array<T>(items: Iterable<T>, write: (item: T) => void): this {
    let separator = '[';
    for (const item of items) {
      this.add(separator);
      write(item);
      separator = ',';
    }
    return this.add(separator === '[' ? '[]' : ']');
  }

  /** The value with the envelope of a success already around it. */
  toRawJson(): RawJson {
    const body = Buffer.allocUnsafe(HEAD.length + this.#bytes + TAIL.length);
    let at = body.write(HEAD);
    for (const piece of this.#pieces) {
      if (typeof piece === 'string') at += body.write(piece, at);
      else {
        body.set(piece, at);
        at += piece.byteLength;
      }
    }
    body.write(TAIL, at);
    return new RawJson(body.subarray(HEAD.length, at), body);
  }
}
