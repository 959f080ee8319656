import type { BackwardsEvent, BackwardsReply } from './contract.ts';

/**
 * The SDK registers its reader only after the `invoke` message is written; an answer before that is lost, and the plugin waits
 * minutes for it.
 */
const FIRST_ANSWER_MS = 1;

/** The answers to one `invoke` message: never before the plugin listens, `end` once and last. */
export class Answers {
  readonly #reply: BackwardsReply;
  #tooEarly: Promise<void> | undefined;
  #ended = false;

  /** To be made when the message arrives. */
  constructor(reply: BackwardsReply) {
    this.#reply = reply;
    this.#tooEarly = new Promise((resolve) => {
      setTimeout(() => {
        this.#tooEarly = undefined;
        resolve();
      }, FIRST_ANSWER_MS);
    });
  }

  /** @returns a promise when the plugin must be waited for before more is sent */
  result(message: 'stream' | 'struct', data: string): Promise<void> | undefined {
    return this.#send({ event: 'response', message, data });
  }

  error(message: string): Promise<void> | undefined {
    return this.#send({ event: 'error', message });
  }

  /** Later calls do nothing. */
  end(): Promise<void> | undefined {
    if (this.#ended) return undefined;
    this.#ended = true;
    return this.#send({ event: 'end' });
  }

  #send(event: BackwardsEvent): Promise<void> | undefined {
    const early = this.#tooEarly;
    return early === undefined ? this.#reply(event) : early.then(() => this.#reply(event));
  }
}
