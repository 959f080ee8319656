import type { DestinationStream } from 'pino';

/** pino's numbers of levels; `warn` and above are never held back. */
const WARN = 40;
/** Shorter than anybody who reads along notices, and long enough for the lines of dozens of calls. */
const HELD_MS = 10;
/** Some fifty lines: writing them holds nobody up. */
const MAX_HELD_CHARACTERS = 16 * 1024;

/** pino tells a destination with this mark the level of each line. */
const METADATA = Symbol.for('pino.metadata');

/**
 * Joins the lines of a few milliseconds into one write: each call of a plugin is a line, and a write for each would stand between its
 * answer and the next call. Warnings and errors are written at once, with everything before them; so is what is held when the process
 * ends or throws. What SIGKILL can take is the ordinary lines of the last `HELD_MS`.
 */
export class LineBatch implements DestinationStream {
  readonly [METADATA] = true;
  /** Set by pino before each write. */
  lastLevel = 0;
  readonly #destination: DestinationStream;
  #held = '';
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  readonly #flush = (): void => this.flush();

  constructor(destination: DestinationStream) {
    this.#destination = destination;
    process.on('exit', this.#flush);
    process.on('uncaughtExceptionMonitor', this.#flush);
  }

  write(line: string): void {
    this.#held += line;
    if (this.#closed || this.lastLevel >= WARN || this.#held.length > MAX_HELD_CHARACTERS) return this.flush();
    // Nothing has to wait for it at the end: what is held is written then.
    this.#timer ??= setTimeout(this.#flush, HELD_MS).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#held === '') return;
    const lines = this.#held;
    this.#held = '';
    this.#destination.write(lines);
  }

  /** Writes what is held and lets go of the process; what comes later is written at once, since nobody would write it at the end. */
  close(): void {
    this.#closed = true;
    this.flush();
    process.off('exit', this.#flush);
    process.off('uncaughtExceptionMonitor', this.#flush);
  }
}
