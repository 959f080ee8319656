/** Smaller ones cost more to free than to leave. */
const WORTH_BYTES = 16 * 1024;
/** A parser that has more behind it than this gives no parts of the first. */
const MOST_WAITING = 64;

/**
 * Frees the chunks of a body once their content has been copied. Each of them is memory outside of the engine's heap, which the collector
 * sees as a reason to collect everything, ten milliseconds for each ten megabytes of an upload, in which nobody else is served.
 */
export class SpentChunks {
  /** Those that came and are not known to be spent, in their order. */
  readonly #waiting: ArrayBuffer[] = [];

  /** @param chunk as it came; whoever else listens has done with it when the next one comes */
  arrived({ buffer, byteLength }: Uint8Array): void {
    // A view of a part of its memory shares it with others.
    if (byteLength < WORTH_BYTES || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
    this.#waiting.push(buffer);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
  }

  /** @param part a view of a chunk; since parts come in order, all chunks before it are spent */
  reached({ buffer }: Uint8Array): void {
    if (this.#waiting[0] === buffer) return;
    const at = buffer instanceof ArrayBuffer ? this.#waiting.indexOf(buffer) : -1;
    if (at > 0) for (const spent of this.#waiting.splice(0, at)) spent.transfer(0);
  }
}
