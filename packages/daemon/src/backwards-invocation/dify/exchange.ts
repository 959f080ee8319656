/** One HTTP exchange with Dify: status, body, cancellation, pauses. Knows nothing of what the body means. */
import type { Dispatcher } from 'undici';
import { cancelled, type DifyLimits, type DifyStage, explainStatus, explainTransportError } from './dify-error.ts';

/** Takes the body of a good answer. */
export interface BodyReader {
  /** Statuses that carry a body for this reader. */
  accepts(status: number): boolean;
  /** A returned promise pauses the body until it settles. Throws when the body is not as it should be. */
  chunk(bytes: Buffer): Promise<void> | undefined;
  /** The body is complete; its result is waited for. */
  end(): Promise<void> | undefined;
}

/** An answer whose status says no. */
interface Refusal {
  readonly status: number;
  readonly location: string | undefined;
  readonly body: Buffer[];
  size: number;
}

/** How much of a refusal is read; enough for any JSON error, not for a whole page of HTML. */
const MAX_REFUSAL_BYTES = 16 * 1024;

export class Exchange implements Dispatcher.DispatchHandler {
  /** Settles when the exchange is over and the reader's last promise is too. */
  readonly done: Promise<void>;
  readonly #reader: BodyReader;
  readonly #limits: DifyLimits;
  readonly #signal: AbortSignal | undefined;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #settled = false;
  #stage: DifyStage = 'call';
  #refusal: Refusal | undefined;

  constructor(reader: BodyReader, limits: DifyLimits, signal: AbortSignal | undefined) {
    this.#reader = reader;
    this.#limits = limits;
    this.#signal = signal;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    signal?.addEventListener('abort', this.#cancel, { once: true });
  }

  /** Ends the exchange from our side; the connection is closed if the request is on its way. */
  fail(error: Error): void {
    if (this.#settled) return;
    this.#settle();
    this.#reject(error);
    this.#controller?.abort(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Cancelled while it waited for a connection.
    if (this.#settled) controller.abort(cancelled(this.#stage));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    if (this.#reader.accepts(status)) {
      this.#stage = 'read';
      return;
    }
    const location = status >= 300 && status < 400 ? headers['location'] : undefined;
    this.#refusal = { status, location: typeof location === 'string' ? location : undefined, body: [], size: 0 };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#settled) return;
    const refusal = this.#refusal;
    if (refusal !== undefined) {
      refusal.body.push(chunk);
      refusal.size += chunk.length;
      if (refusal.size > MAX_REFUSAL_BYTES) this.#refuse(refusal);
      return;
    }
    const wait = this.#guard(() => this.#reader.chunk(chunk));
    if (wait === undefined) return;
    controller.pause();
    wait.then(
      () => controller.resume(),
      (error: Error) => this.fail(error),
    );
  }

  onResponseEnd(): void {
    // The connection is free for the next call: nothing is aborted from here on.
    this.#controller = undefined;
    if (this.#settled) return;
    if (this.#refusal !== undefined) return this.#refuse(this.#refusal);
    const wait = this.#guard(() => this.#reader.end());
    if (wait === undefined) return this.#succeed();
    wait.then(
      () => this.#succeed(),
      (error: Error) => this.fail(error),
    );
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(explainTransportError(error, this.#stage, this.#limits));
  }

  readonly #cancel = (): void => this.fail(cancelled(this.#stage));

  #guard(work: () => Promise<void> | undefined): Promise<void> | undefined {
    try {
      return work();
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #refuse({ status, location, body }: Refusal): void {
    this.fail(
      explainStatus(status, Buffer.concat(body).toString('utf8', 0, MAX_REFUSAL_BYTES), location, this.#limits.origin),
    );
  }

  #succeed(): void {
    if (this.#settled) return;
    this.#settle();
    this.#resolve();
  }

  #settle(): void {
    this.#settled = true;
    this.#signal?.removeEventListener('abort', this.#cancel);
  }
}
