import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerData, BackwardsEvent, BackwardsReply } from './contract.ts';

/**
 * The SDK registers its reader only after the `invoke` message is written; an answer before that is lost, and the plugin waits
 * minutes for it (docs/wire/runtime-protocol.md#calls-back-into-dify). Results come out of I/O and so leave the plugin some time; answers
 * found without any must wait.
 */
const FIRST_ERROR_MS = 1;

/** The answers to one `invoke` message: never before the plugin listens, `end` once and last. */
export class Answers {
  readonly #reply: BackwardsReply;
  readonly #arrived = performance.now();
  /** Settles when everything that was going on as the message arrived is done. */
  #tooEarly: Promise<void> | undefined;
  #ended = false;

  /** To be made when the message arrives. */
  constructor(reply: BackwardsReply) {
    this.#reply = reply;
    this.#tooEarly = new Promise((resolve) => {
      setImmediate(() => {
        this.#tooEarly = undefined;
        resolve();
      });
    });
  }

  /** @returns a promise when the plugin must be waited for before more is sent */
  result(message: 'stream' | 'struct', data: AnswerData): Promise<void> | undefined {
    const early = this.#tooEarly;
    const event: BackwardsEvent = { event: 'response', message, data };
    return early === undefined ? this.#reply(event) : early.then(() => this.#reply(event));
  }

  async error(message: string): Promise<void> {
    // Timers may fire early by what the event loop's clock lags behind.
    while (performance.now() - this.#arrived < FIRST_ERROR_MS) await sleep(FIRST_ERROR_MS);
    await this.#reply({ event: 'error', message });
  }

  /** Later calls do nothing. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#tooEarly;
    await this.#reply({ event: 'end' });
  }
}
