import type { Writable } from 'node:stream';

/** More than this waiting means that the plugin does not read: new lines are refused. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;

/** Writes lines to a plugin. Lines of one turn of the event loop leave in one write. */
export class LineWriter {
  readonly #output: Writable;
  #corked = false;
  #drained: Promise<void> | undefined;

  constructor(output: Writable) {
    this.#output = output;
  }

  /**
   * @returns a promise while more waits than the pipe takes at once
   * @throws when the plugin is gone or does not read
   */
  send(line: string): Promise<void> | undefined {
    const output = this.#output;
    if (output.destroyed || !output.writable) throw new Error('plugin instance stopped');
    if (output.writableLength > MAX_WAITING_BYTES) {
      throw new Error(`the plugin does not read its input: ${output.writableLength} bytes wait for it`);
    }
    if (!this.#corked) {
      this.#corked = true;
      output.cork();
      process.nextTick(() => {
        this.#corked = false;
        output.uncork();
      });
    }
    if (output.write(`${line}\n`)) return undefined;
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#drained = undefined;
        output.off('drain', done);
        output.off('close', done);
        resolve();
      };
      output.on('drain', done);
      output.on('close', done);
    });
    return this.#drained;
  }
}
