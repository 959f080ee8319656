import { isObject } from '@plugin-daemon/values';

/** Ids of sessions are UUIDs. */
const MAX_ID_LENGTH = 256;

export interface CancellationOptions {
  /** How long a call may go on after it was cancelled, in milliseconds. */
  readonly graceMs: number;
  /** A call goes on that should have ended: its code does not yield, or catches every exception. */
  readonly onUnyielding: (sessionId: string) => void;
}

/**
 * Whether cancelled calls have ended inside the plugin. What is added to the SDK there tells it
 * (docs/wire/lifecycle.md#cancelling); a plugin without it is told to stop as well, and nobody waits for an answer.
 */
export class Cancellation {
  readonly #options: CancellationOptions;
  readonly #waiting = new Map<string, NodeJS.Timeout>();
  #possible: boolean | undefined;

  constructor(options: CancellationOptions) {
    this.#options = options;
  }

  /** Undefined until the plugin has said it; for ever where nothing was added to its SDK. */
  get possible(): boolean | undefined {
    return this.#possible;
  }

  /** What came along with a log event, whatever it is: the plugin can write what it likes, and harms itself alone. */
  hear(said: unknown): void {
    if (!isObject(said)) return;
    if (typeof said.cancels === 'boolean') this.#possible = said.cancels;
    if (typeof said.cancelled === 'string' && said.cancelled.length <= MAX_ID_LENGTH) this.#ended(said.cancelled);
  }

  /** The plugin was told to end a call. */
  begin(sessionId: string): void {
    if (this.#possible !== true || this.#waiting.has(sessionId)) return;
    const timer = setTimeout(() => {
      this.#waiting.delete(sessionId);
      this.#options.onUnyielding(sessionId);
    }, this.#options.graceMs);
    timer.unref();
    this.#waiting.set(sessionId, timer);
  }

  #ended(sessionId: string): void {
    clearTimeout(this.#waiting.get(sessionId));
    this.#waiting.delete(sessionId);
  }

  /** The plugin is gone. */
  stop(): void {
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
  }
}
