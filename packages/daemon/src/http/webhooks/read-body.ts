import type { IncomingMessage } from 'node:http';
import type { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';

export interface ReadBodyOptions {
  /** Bytes. */
  readonly limit: number;
  /** The setting of that limit, for the one who has to change it. */
  readonly setting: string;
  /** What bodies of all webhooks may hold together, and those of one owner. */
  readonly budget: ByteBudget;
  readonly owner: string;
  /** How long a caller waits for room before it is refused, in ms. Its body stays with it meanwhile. */
  readonly waitMs: number;
  /** The longest silence of the client while it sends, in ms. */
  readonly idleMs: number;
  readonly signal: AbortSignal;
}

/** A whole body in the form plugins get it. */
export interface Body {
  /** Bytes. */
  readonly size: number;
  /** Two hexadecimal digits for each byte. */
  readonly hex: string;
  /** Gives its room back. To be called when the plugin has it, or never will. Idempotent. */
  release(): void;
}

/** How long the rest of a refused body is swallowed so that the client can read the answer, in ms. */
const LINGER_MS = 5_000;
/** Room for a body that announces no length. Most are smaller; one that is not waits again, for the longest there may be. */
const UNANNOUNCED_BYTES = 64 * 1024;
/** A body that takes longer than this and one second for so many bytes is being held back on purpose. */
const PATIENCE_MS = 30_000;
const SLOWEST_BYTES_PER_SECOND = 32 * 1024;

/**
 * Reads a whole request body, after waiting for room. Its bytes are turned into digits as they come: nothing is kept twice.
 * @throws DaemonError `too-large` (413) over the limit, `over-budget` (503) without room, status 408 when the client falls silent or
 * is too slow, status 400 when it leaves.
 */
export async function readBody(request: IncomingMessage, options: ReadBodyOptions): Promise<Body> {
  const { limit, setting } = options;
  const length = request.headers['content-length'];
  const announced = length === undefined ? undefined : Number(length);
  if (announced !== undefined && announced > limit) {
    swallow(request);
    throw tooLarge(limit, setting);
  }
  if (announced === 0 || (announced === undefined && request.headers['transfer-encoding'] === undefined))
    return { size: 0, hex: '', release: () => undefined };
  return new BodyReader(request, options, announced).read();
}

class BodyReader {
  readonly #request: IncomingMessage;
  readonly #options: ReadBodyOptions;
  readonly #announced: number | undefined;
  readonly #digits: string[] = [];
  #size = 0;
  #reserved = 0;
  #release: () => void = () => undefined;

  constructor(request: IncomingMessage, options: ReadBodyOptions, announced: number | undefined) {
    this.#request = request;
    this.#options = options;
    this.#announced = announced;
  }

  async read(): Promise<Body> {
    const { limit } = this.#options;
    try {
      await this.#reserve(Math.min(limit, this.#announced ?? UNANNOUNCED_BYTES));
      // Waiting for more while holding some could go on for ever, so what was reserved is given back first.
      if ((await this.#take()) === 'more') {
        this.#release();
        await this.#reserve(limit);
        await this.#take();
      }
      return { size: this.#size, hex: this.#digits.join(''), release: this.#release };
    } catch (error) {
      this.#release();
      swallow(this.#request);
      throw error;
    }
  }

  async #reserve(bytes: number): Promise<void> {
    const { budget, owner, waitMs, signal } = this.#options;
    const patience = AbortSignal.timeout(waitMs);
    const gone = new AbortController();
    const onGone = (): void => gone.abort(left());
    this.#request.once('close', onGone);
    try {
      this.#release = await budget.acquire(bytes, AbortSignal.any([patience, gone.signal, signal]), owner);
    } catch (error) {
      if (signal.aborted || gone.signal.aborted || !patience.aborted) throw reasonOf(signal, error);
      const room = budget.room(owner);
      const exceeded = room.grow(bytes);
      // It became free at this very moment.
      if (exceeded !== undefined) throw budget.refusal('the body of this request', exceeded);
      const release = (): void => room.release();
      this.#release = release;
    } finally {
      this.#request.off('close', onGone);
    }
    this.#reserved = bytes;
  }

  /** Takes what comes until the end, or until more came than was reserved. */
  #take(): Promise<'all' | 'more'> {
    const request = this.#request;
    const { limit, setting, idleMs, signal } = this.#options;
    return new Promise((resolve, reject) => {
      const idle = setTimeout(() => finish(() => reject(stalled(`within ${idleMs / 1000} s`, this.#size))), idleMs);
      const slowest = PATIENCE_MS + (this.#reserved / SLOWEST_BYTES_PER_SECOND) * 1000;
      const total = setTimeout(
        () => finish(() => reject(stalled(`at ${SLOWEST_BYTES_PER_SECOND} bytes per second`, this.#size))),
        slowest,
      );
      const onData = (part: Buffer): void => {
        idle.refresh();
        this.#size += part.length;
        if (this.#size > limit) return finish(() => reject(tooLarge(limit, setting)));
        this.#digits.push(part.toString('hex'));
        if (this.#size <= this.#reserved) return;
        request.pause();
        finish(() => resolve('more'));
      };
      const onEnd = (): void => finish(() => resolve('all'));
      const onGone = (): void => finish(() => reject(left()));
      const onAbort = (): void => finish(() => reject(reasonOf(signal, left())));
      function finish(settle: () => void): void {
        clearTimeout(idle);
        clearTimeout(total);
        request.off('data', onData).off('end', onEnd).off('close', onGone).off('error', onGone);
        signal.removeEventListener('abort', onAbort);
        settle();
      }
      if (signal.aborted) return onAbort();
      if (request.readableEnded) return onEnd();
      if (request.destroyed) return onGone();
      signal.addEventListener('abort', onAbort, { once: true });
      request.on('data', onData).on('end', onEnd).on('close', onGone).on('error', onGone);
      request.resume();
    });
  }
}

/** Lets the rest of a body pass unseen for a while; then the connection ends, whatever the client does. */
function swallow(request: IncomingMessage): void {
  if (request.readableEnded || request.destroyed) return;
  request.on('error', () => request.socket.destroy());
  request.resume();
  const timer = setTimeout(() => {
    if (!request.complete) request.socket.destroy();
  }, LINGER_MS);
  timer.unref();
  request.once('close', () => clearTimeout(timer));
}

const reasonOf = (signal: AbortSignal, otherwise: unknown): unknown =>
  signal.reason instanceof DaemonError ? signal.reason : otherwise;

const tooLarge = (limit: number, setting: string): DaemonError =>
  new DaemonError('too-large', `the webhook body is larger than ${limit} bytes, the limit for one request`, {
    remedy: `Send less, or raise ${setting}`,
  });

const stalled = (when: string, size: number): DaemonError =>
  new DaemonError('bad-request', `the rest of the body did not come ${when} (${size} bytes did)`, { status: 408 });

const left = (): DaemonError => new DaemonError('bad-request', 'the client left before the body was complete');
