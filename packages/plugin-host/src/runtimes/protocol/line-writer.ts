import type { Writable } from 'node:stream';
import type { Room } from '../../budget/index.ts';
import { DaemonError } from '../../errors/index.ts';
import type { Line } from '../runtime.ts';

/** More than this waiting means that the plugin does not read: new lines are refused. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** Less than this is what pipes hold anyway, and is not counted. */
const UNCOUNTED_BYTES = 256 * 1024;

/** Writes lines to a plugin. Lines of one turn of the event loop leave in one write. */
export class LineWriter {
  readonly #output: Writable;
  #corked = false;
  #written = 0;
  readonly #room: Room | undefined;
  #drained: Promise<void> | undefined;

  /** @param room where counts what waits; absent where one plugin is all there is */
  constructor(output: Writable, room?: Room) {
    this.#output = output;
    this.#room = room;
  }

  /** Bytes of all lines so far, whether they have left or not. */
  get written(): number {
    return this.#written;
  }

  /** So much waits that nothing should be added which nobody asked for. */
  get isBehind(): boolean {
    return this.#output.writableLength > UNCOUNTED_BYTES;
  }

  /**
   * @returns a promise while more waits than the pipe takes at once
   * @throws when the plugin is gone or does not read; DaemonError `over-budget` when too much waits for all plugins together
   */
  send(line: Line): Promise<void> | undefined {
    const output = this.#output;
    if (output.destroyed || !output.writable) throw new Error('plugin instance stopped');
    if (output.writableLength > MAX_WAITING_BYTES) {
      throw new Error(`the plugin does not read its input: ${output.writableLength} bytes wait for it`);
    }
    this.#count(output.writableLength + (typeof line === 'string' ? line.length : lengthOf(line)));
    this.#written += typeof line === 'string' ? Buffer.byteLength(line) + 1 : bytesOf(line) + 1;
    if (!this.#corked) {
      this.#corked = true;
      output.cork();
      process.nextTick(() => {
        this.#corked = false;
        output.uncork();
      });
    }
    if (typeof line === 'string' ? output.write(`${line}\n`) : this.#writePieces(line)) return undefined;
    this.#drained ??= new Promise((resolve) => {
      const done = () => {
        this.#drained = undefined;
        this.#room?.release();
        output.off('drain', done);
        output.off('close', done);
        resolve();
      };
      output.on('drain', done);
      output.on('close', done);
    });
    return this.#drained;
  }

  /** One after the other in the same turn: no other line can come between. */
  #writePieces(pieces: Exclude<Line, string>): boolean {
    for (const piece of pieces) this.#output.write(piece);
    return this.#output.write('\n');
  }

  /** Only what piles up is counted, so that plugins that read cost nothing. */
  #count(waiting: number): void {
    if (this.#room === undefined || waiting <= Math.max(UNCOUNTED_BYTES, this.#room.held)) return;
    const exceeded = this.#room.grow(waiting - this.#room.held);
    if (exceeded === undefined) return;
    throw new DaemonError('over-budget', `there is no room for a line to the plugin: ${exceeded.text}`, {
      remedy: 'Try again when the plugins have read what waits for them',
      args: { limit_bytes: exceeded.limitBytes },
    });
  }
}

const bytesOf = (pieces: Exclude<Line, string>): number =>
  pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length), 0);

const lengthOf = (pieces: Exclude<Line, string>): number => pieces.reduce((sum, piece) => sum + piece.length, 0);
