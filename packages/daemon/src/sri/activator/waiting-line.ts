import { FunctionError } from '../function-error.ts';

interface Waiter<T> {
  readonly admit: (what: T) => void;
  readonly refuse: (error: unknown) => void;
}

/** Calls that wait for an instance, first come first served, no more than there is room for and no longer than they may. */
export class WaitingLine<T> {
  readonly #limit: number;
  readonly #timeoutMs: number;
  readonly #waiting = new Set<Waiter<T>>();

  constructor(limit: number, timeoutMs: number) {
    this.#limit = limit;
    this.#timeoutMs = timeoutMs;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /**
   * @throws FunctionError when there is no room or the time is over; what `refuse` was called with; the signal's reason
   */
  wait(signal: AbortSignal): Promise<T> {
    if (this.#waiting.size >= this.#limit)
      return Promise.reject(
        new FunctionError('TooManyRequests', `${this.#limit} calls wait for this function (SRI_QUEUE_LIMIT)`, {
          retryAfter: 1,
        }),
      );
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const leave = () => {
      this.#waiting.delete(waiter);
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
    const waiter: Waiter<T> = {
      admit: (what) => {
        leave();
        resolve(what);
      },
      refuse: (error) => {
        leave();
        reject(error);
      },
    };
    const onAbort = () => waiter.refuse(signal.reason);
    const timer = setTimeout(
      () =>
        waiter.refuse(
          new FunctionError(
            'FunctionNotReady',
            `no instance was free within ${this.#timeoutMs / 1000} s (SRI_QUEUE_TIMEOUT)`,
            {
              retryAfter: 1,
            },
          ),
        ),
      this.#timeoutMs,
    );
    this.#waiting.add(waiter);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    return promise;
  }

  /** Hands something to whoever has waited longest. @returns false when nobody waits */
  admit(what: T): boolean {
    const [first] = this.#waiting;
    first?.admit(what);
    return first !== undefined;
  }

  refuseAll(error: unknown): void {
    for (const waiter of [...this.#waiting]) waiter.refuse(error);
  }
}
