import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@plugin-daemon/plugin-host/log';
import type { SriClient } from './sri/index.ts';

export interface SriWatchOptions {
  readonly sri: Pick<SriClient, 'ping'>;
  readonly log: Log;
  /** Between two questions after one in vain, at first, in ms; default 1,000. */
  readonly firstPauseMs?: number;
}

const LONGEST_PAUSE_MS = 30_000;
/** An answer is believed for so long, in ms. */
const FRESH_MS = 30_000;
const REMEDY = 'look whether it runs, and compare DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL and _API_KEY with it';

/**
 * Whether the connector answers. Functions that exist can be called without it, so a daemon starts and serves; it says that it is not there,
 * and asks until it is.
 */
export class SriWatch {
  readonly #options: SriWatchOptions;
  readonly #closed = new AbortController();
  #problem: string | undefined = 'it has not answered yet';
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;
  #starting: Promise<void> = Promise.resolve();

  constructor(options: SriWatchOptions) {
    this.#options = options;
  }

  /** Asks in the background until it answers. */
  begin(): void {
    this.#starting = this.#untilThere();
  }

  /** What is wrong with it, for readiness; asks at most every half minute. */
  async problem(): Promise<string | undefined> {
    if (performance.now() - this.#askedAt > FRESH_MS) await this.#ask();
    return this.#problem;
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#starting;
    await this.#asking;
  }

  async #untilThere(): Promise<void> {
    const { log, firstPauseMs = 1000 } = this.#options;
    for (let attempt = 0; !this.#closed.signal.aborted; attempt++) {
      await this.#ask();
      if (this.#problem === undefined) {
        log.info('the serverless connector answers');
        return;
      }
      if (this.#closed.signal.aborted) return;
      if (attempt === 0)
        log.error({ reason: this.#problem, remedy: REMEDY }, 'the serverless connector does not answer; it is asked until it does');
      const pauseMs = Math.min(firstPauseMs * 2 ** attempt, LONGEST_PAUSE_MS);
      // Closing ends the pause.
      await pause(pauseMs, undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#options.sri
      .ping(this.#closed.signal)
      .then(
        () => {
          this.#problem = undefined;
        },
        (error: unknown) => {
          this.#problem = error instanceof Error ? error.message : String(error);
        },
      )
      .finally(() => {
        this.#askedAt = performance.now();
        this.#asking = undefined;
      });
    return this.#asking;
  }
}
