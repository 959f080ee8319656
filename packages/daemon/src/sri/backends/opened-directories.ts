import type { BuiltFunction } from './backend.ts';

/** Which directories of functions the user of their containers can read by now: each is opened once, and again when it was made anew. */
export class OpenedDirectories {
  readonly #open: (directory: string) => Promise<void>;
  readonly #opened = new Set<string>();

  constructor(open: (directory: string) => Promise<void>) {
    this.#open = open;
  }

  async ensure({ directory, fresh }: BuiltFunction): Promise<void> {
    if (!fresh && this.#opened.has(directory)) return;
    await this.#open(directory);
    this.#opened.add(directory);
  }

  forget(directory: string): void {
    this.#opened.delete(directory);
  }
}
