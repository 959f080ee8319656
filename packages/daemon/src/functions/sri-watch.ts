import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { messageOf } from '@plugin-daemon/values';
import type { SriClient } from './sri/index.ts';

export interface SriWatchOptions {
  readonly sri: Pick<SriClient, 'ping'>;
  readonly log: Log;
  /** Whether it answered. */
  readonly onState: (isThere: boolean) => void;
  /** Between two questions after one in vain, at first, in ms; default 1,000. */
  readonly firstPauseMs?: number;
}

const LONGEST_PAUSE_MS = 30_000;
const REMEDY = 'look whether it runs, and compare DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL and _API_KEY with it';

/**
 * Whether the connector answers. Functions that exist can be called without it, so a daemon starts and serves; it says that it is not there,
 * and asks until it is.
 */
export class SriWatch {
  readonly #options: SriWatchOptions;
  readonly #closed = new AbortController();
  #starting: Promise<void> = Promise.resolve();

  constructor(options: SriWatchOptions) {
    this.#options = options;
  }

  /** Asks in the background until it answers. */
  begin(): void {
    this.#starting = this.#untilThere();
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await this.#starting;
  }

  async #untilThere(): Promise<void> {
    const { log, firstPauseMs = 1000 } = this.#options;
    for (let attempt = 0; !this.#closed.signal.aborted; attempt++) {
      const problem = await this.#ask();
      if (problem === undefined) {
        log.info('the serverless connector answers');
        return;
      }
      if (this.#closed.signal.aborted) return;
      if (attempt === 0)
        log.error(
          { reason: problem, remedy: REMEDY },
          'the serverless connector does not answer; it is asked until it does',
        );
      const pauseMs = Math.min(firstPauseMs * 2 ** attempt, LONGEST_PAUSE_MS);
      // Closing ends the pause.
      await pause(pauseMs, undefined, { signal: this.#closed.signal }).catch(() => undefined);
    }
  }

  /** @returns what is wrong with it */
  async #ask(): Promise<string | undefined> {
    const { sri, onState } = this.#options;
    try {
      await sri.ping(this.#closed.signal);
      onState(true);
      return undefined;
    } catch (error) {
      onState(false);
      return messageOf(error);
    }
  }
}
