/** Writes the latest of many messages, not all of them, one write at a time. */
export class ProgressWriter {
  readonly #write: (message: string) => Promise<void>;
  readonly #intervalMs: number;
  #next: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(write: (message: string) => Promise<void>, intervalMs: number) {
    this.#write = write;
    this.#intervalMs = intervalMs;
  }

  show(message: string): void {
    if (this.#stopped) return;
    this.#next = message;
    this.#timer ??= setTimeout(() => this.#flush(), this.#intervalMs);
  }

  /** Nothing is written after this has resolved. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  #flush(): void {
    this.#timer = undefined;
    const message = this.#next;
    if (message === undefined || this.#stopped) return;
    this.#next = undefined;
    // A failed write of progress is not the job's failure; a deleted task has aborted the job's signal already.
    this.#writing = this.#write(message).catch(() => undefined);
  }
}
