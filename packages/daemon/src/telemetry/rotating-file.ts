import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import pino, { type DestinationStream } from 'pino';

export interface RotatingFileOptions {
  readonly path: string;
  /** The file is put away before it grows beyond this; 0: never. */
  readonly maxBytes: number;
  /** How many files are kept that were put away: `path.1` is the youngest. */
  readonly backups: number;
  /** Called once when the file cannot be written. */
  readonly onError: (error: unknown) => void;
}

/**
 * A file that is appended to, each line at once, and put away by size. It stays under its name, so that whoever follows it by name goes
 * on. Libraries for this write from a buffer, or give the current file changing names; this one is pino's own writer, told to open anew.
 */
export class RotatingFile implements DestinationStream {
  readonly #options: RotatingFileOptions;
  readonly #file: ReturnType<typeof pino.destination>;
  #size: number;
  #told = false;
  #ended = false;

  /** @throws when the file cannot be opened */
  constructor(options: RotatingFileOptions) {
    const { path } = options;
    this.#options = options;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = pino.destination({ dest: path, append: true, sync: true, mode: 0o600 });
    chmodSync(path, 0o600);
    this.#size = statSync(path).size;
    this.#file.on('error', (error: unknown) => this.#tell(error));
  }

  /** What comes after the end is not written: a log does not fail who has something to say. */
  write(line: string): void {
    if (this.#ended) return;
    const bytes = Buffer.byteLength(line);
    const { maxBytes } = this.#options;
    if (maxBytes > 0 && this.#size > 0 && this.#size + bytes > maxBytes) this.#putAway();
    this.#size += bytes;
    this.#file.write(line);
  }

  end(): void {
    this.#ended = true;
    this.#file.end();
  }

  #putAway(): void {
    const { path, backups } = this.#options;
    try {
      if (backups === 0) rmSync(path, { force: true });
      for (let n = backups; n > 0; n--) moveIfThere(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`);
      this.#file.reopen();
    } catch (error) {
      // Going on in the same file loses nothing.
      this.#tell(error);
    }
    this.#size = 0;
  }

  #tell(error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    this.#options.onError(error);
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
