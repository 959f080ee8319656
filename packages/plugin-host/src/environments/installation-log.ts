import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The largest log known is a hundredth of this. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The log file of one installation: of bounded size, and never a reason to fail. */
export class InstallationLog {
  readonly path: string;
  #file: WriteStream | undefined;
  #room = MAX_BYTES;

  private constructor(path: string, file: WriteStream) {
    this.path = path;
    this.#file = file;
    // A full disk is reported by the step that needs it, not by its log.
    file.on('error', () => {
      this.#file = undefined;
    });
  }

  static async open(path: string): Promise<InstallationLog> {
    await mkdir(dirname(path), { recursive: true });
    return new InstallationLog(path, createWriteStream(path, { mode: 0o600 }));
  }

  /** What is written last is what explains: `important` goes in beyond the limit, and is short. */
  write(text: string, importance: 'usual' | 'important' = 'usual'): void {
    if (importance === 'usual') {
      if (this.#room <= 0) return;
      this.#room -= text.length;
      if (this.#room <= 0) {
        this.#file?.write(
          `${text.slice(0, 4096)}\n… the rest of the output is left out: ${MAX_BYTES} bytes are kept\n`,
        );
        return;
      }
    }
    this.#file?.write(text);
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    await new Promise<void>((resolve) => {
      file.once('close', resolve);
      file.end();
    });
  }
}
