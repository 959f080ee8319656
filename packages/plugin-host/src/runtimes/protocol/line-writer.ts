import type { Writable } from 'node:stream';
import type { Room } from '../../budget/index.ts';
import { DaemonError } from '../../errors/index.ts';
import type { Line } from '../runtime.ts';

/** More than this waiting means that the plugin does not read: new lines are refused. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** Less than this is what pipes hold anyway, and is not counted. */
const UNCOUNTED_BYTES = 256 * 1024;

/** So many lines go to the plugin at once: it begins with the first ones while others are still read from their callers. */
const LINES_OF_A_WRITE = 8;

/** Writes lines to a plugin. Lines of one turn of the event loop leave in a few writes, as each wakes the plugin. */
export class LineWriter {
  readonly #output: Writable;
  /** Lines that wait for the end of this turn. */
  #collected = 0;
  #written = 0;
  readonly #room: Room | undefined;
  #drained: Promise<void> | undefined;

  /** `#leave` will be called. */
  #leaves = false;
  readonly #leave = (): void => {
    this.#leaves = false;
    this.#uncork();
  };

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
    if (this.#collected++ === 0) {
      output.cork();
      if (!this.#leaves) setImmediate(this.#leave);
      this.#leaves = true;
    }
    const hasRoom = typeof line === 'string' ? output.write(`${line}\n`) : this.#writePieces(line);
    if (this.#collected >= LINES_OF_A_WRITE) this.#uncork();
    if (hasRoom) return undefined;
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

  #uncork(): void {
    if (this.#collected === 0) return;
    this.#collected = 0;
    this.#output.uncork();
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
