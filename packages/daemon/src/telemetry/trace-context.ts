import { randomBytes } from 'node:crypto';

const POOL_BYTES = 4096;
let pool = Buffer.alloc(0);
let taken = 0;

/** Ids are no secrets, and each session has some: many are drawn at once. */
function randomHex(bytes: number): string {
  if (taken + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES);
    taken = 0;
  }
  taken += bytes;
  return pool.toString('hex', taken - bytes, taken);
}

/**
 * The W3C trace context of one request: adopted from its `traceparent` header, else generated when first needed.
 * Carried to Dify with every backwards call, with telemetry off as well (docs/wire/state.md#trace-context).
 */
export class TraceContext {
  #traceId: string | undefined;
  #spanId: string | undefined;

  private constructor(traceId: string | undefined, spanId: string | undefined) {
    this.#traceId = traceId;
    this.#spanId = spanId;
  }

  /** @param traceparent the header; anything but a valid version 00 is as good as none */
  static from(traceparent: string | undefined): TraceContext {
    const match =
      traceparent === undefined ? null : /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(traceparent.trim());
    const [, traceId, spanId] = match ?? [];
    const valid = traceId !== undefined && spanId !== undefined && !/^0+$/.test(traceId) && !/^0+$/.test(spanId);
    return valid ? new TraceContext(traceId, spanId) : new TraceContext(undefined, undefined);
  }

  /** The context given by ids that were carried along (a session's). */
  static of(traceId: string, spanId: string): TraceContext {
    return new TraceContext(traceId, spanId);
  }

  /** 32 hexadecimal digits. */
  get traceId(): string {
    this.#traceId ??= randomHex(16);
    return this.#traceId;
  }

  /** 16 hexadecimal digits. */
  get spanId(): string {
    this.#spanId ??= randomHex(8);
    return this.#spanId;
  }

  /** The header to send on. */
  get traceparent(): string {
    return `00-${this.traceId}-${this.spanId}-01`;
  }
}
