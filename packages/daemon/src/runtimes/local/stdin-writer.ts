import type { Writable } from 'node:stream';

/** More than this waiting means that the plugin does not read: new lines are refused. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** Writes lines to a plugin. Lines of one turn of the event loop leave in one write. */
export class StdinWriter {
  readonly #stdin: Writable;
  #corked = false;
  #drained: Promise<void> | undefined;

  constructor(stdin: Writable) {
    this.#stdin = stdin;
  }

  /**
   * @returns a promise while more waits than the pipe takes at once
   * @throws when the plugin is gone or does not read
   */
  send(line: string): Promise<void> | undefined {
    const stdin = this.#stdin;
    if (stdin.destroyed || !stdin.writable) throw new Error('plugin instance stopped');
    if (stdin.writableLength > MAX_WAITING_BYTES) {
      throw new Error(`the plugin does not read its input: ${stdin.writableLength} bytes wait for it`);
    }
    if (!this.#corked) {
      this.#corked = true;
      stdin.cork();
      process.nextTick(() => {
        this.#corked = false;
        stdin.uncork();
      });
    }
    if (stdin.write(`${line}\n`)) return undefined;
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#drained = undefined;
        stdin.off('drain', done);
        stdin.off('close', done);
        resolve();
      };
      stdin.on('drain', done);
      stdin.on('close', done);
    });
    return this.#drained;
  }
}
