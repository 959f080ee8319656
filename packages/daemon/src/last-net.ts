/**
 * The net below all guards. Parts catch what breaks where strangers' bytes come in, and end what it belongs to: a session, a plugin, a
 * connection, a request. What escapes them all ends up here: it is logged with its cause and the process lives on, for ending it would
 * end the calls of every tenant. Only when errors keep escaping, or the runtime says that it is broken, is the state of the process in
 * doubt; then it stops, which whatever supervises it answers with a new one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from './telemetry/index.ts';

export interface LastNetOptions {
  readonly log: Pick<Log, 'error'>;
  /** Counts, for the metrics. */
  readonly onEscape: (origin: EscapeOrigin) => void;
  /** Ends the daemon's parts at once, plugins above all. */
  readonly stop: () => Promise<void>;
  readonly exit: (code: number) => void;
}

export type EscapeOrigin = 'exception' | 'rejection';

/** More escapes than this within the window, and it is no longer one odd request. */
const MAX_ESCAPES = 20;
const WINDOW_MS = 60_000;
/** How long the parts may take to end before the process leaves without them. */
const STOP_MS = 10_000;
/** EX_SOFTWARE of sysexits: an error inside the program. */
const EXIT_CODE = 70;
/** Errors after which Node itself promises nothing. */
const BROKEN_RUNTIME = new Set(['ERR_INTERNAL_ASSERTION', 'ERR_WORKER_OUT_OF_MEMORY']);

/** @returns takes the net away again */
export function spreadLastNet(options: LastNetOptions, source: NodeJS.Process = process): () => void {
  const net = new LastNet(options);
  const onException = (error: unknown): void => net.take(error, 'exception');
  const onRejection = (error: unknown): void => net.take(error, 'rejection');
  source.on('uncaughtException', onException);
  source.on('unhandledRejection', onRejection);
  return () => {
    source.off('uncaughtException', onException);
    source.off('unhandledRejection', onRejection);
  };
}

class LastNet {
  readonly #options: LastNetOptions;
  /** When the last ones escaped, oldest first. */
  readonly #times: number[] = [];
  #stopping = false;

  constructor(options: LastNetOptions) {
    this.#options = options;
  }

  take(thrown: unknown, origin: EscapeOrigin): void {
    const error =
      thrown instanceof Error ? thrown : new Error(`something that is no error was thrown: ${nameOf(thrown)}`);
    if (this.#stopping) return this.#say(error, origin, 'another error escaped while the daemon stops');
    this.#options.onEscape(origin);
    const doubt = this.#doubtAfter(error);
    if (doubt === undefined)
      return this.#say(error, origin, 'an error escaped; what it belonged to may be lost, the daemon goes on');
    this.#say(error, origin, `the daemon stops, because ${doubt}`);
    process.stderr.write(`The plugin daemon stops: ${doubt}. The last error: ${error.stack ?? error.message}\n`);
    void this.#leave();
  }

  #doubtAfter(error: Error): string | undefined {
    const now = performance.now();
    this.#times.push(now);
    while ((this.#times[0] ?? now) < now - WINDOW_MS) this.#times.shift();
    if ('code' in error && typeof error.code === 'string' && BROKEN_RUNTIME.has(error.code))
      return `its runtime reports that it is broken (${error.code})`;
    if (this.#times.length > MAX_ESCAPES)
      return `more than ${MAX_ESCAPES} errors escaped within ${WINDOW_MS / 1000} s and its state is in doubt`;
    return undefined;
  }

  #say(error: Error, origin: EscapeOrigin, message: string): void {
    try {
      this.#options.log.error({ error, origin }, message);
    } catch (failed) {
      process.stderr.write(`${message}: ${error.stack ?? error.message} (and the log failed: ${nameOf(failed)})\n`);
    }
  }

  /** Never rejects. */
  async #leave(): Promise<void> {
    this.#stopping = true;
    try {
      await Promise.race([this.#options.stop(), sleep(STOP_MS, undefined, { ref: false })]);
    } catch (error) {
      process.stderr.write(`the daemon could not stop cleanly: ${nameOf(error)}\n`);
    } finally {
      this.#options.exit(EXIT_CODE);
    }
  }
}

/** Whatever was thrown as text; what throws may throw again when it is looked at. */
function nameOf(thrown: unknown): string {
  try {
    return String(thrown).slice(0, 1000);
  } catch {
    return typeof thrown;
  }
}
