import type { DestinationStream } from 'pino';

/** pino's numbers of levels; `warn` and above are never held back. */
const WARN = 40;
const MAX_HELD_CHARACTERS = 64 * 1024;

/** pino tells a destination with this mark the level of each line. */
const METADATA = Symbol.for('pino.metadata');

/**
 * Joins the lines of one turn of the event loop into one write, as a busy daemon logs many requests in each. Warnings and errors
 * are written at once, with everything before them; so is what is held when the process ends or throws. What SIGKILL can take is
 * the ordinary lines of the very turn it strikes in.
 */
export class TurnBatch implements DestinationStream {
  readonly [METADATA] = true;
  /** Set by pino before each write. */
  lastLevel = 0;
  readonly #destination: DestinationStream;
  #held = '';
  #scheduled = false;
  readonly #flush = (): void => this.flush();

  constructor(destination: DestinationStream) {
    this.#destination = destination;
    process.on('exit', this.#flush);
    process.on('uncaughtExceptionMonitor', this.#flush);
  }

  write(line: string): void {
    this.#held += line;
    if (this.lastLevel >= WARN || this.#held.length > MAX_HELD_CHARACTERS) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#held === '') return;
    const lines = this.#held;
    this.#held = '';
    this.#destination.write(lines);
  }

  /** Writes what is held and lets go of the process. */
  close(): void {
    this.flush();
    process.off('exit', this.#flush);
    process.off('uncaughtExceptionMonitor', this.#flush);
  }
}
