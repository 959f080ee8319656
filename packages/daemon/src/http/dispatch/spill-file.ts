import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A queue of bytes on disk: what a slow reader has not fetched yet. The file has no name once it is open, so nothing is left behind
 * whatever happens. Synchronous on purpose: the page cache takes a write in microseconds, and order is then a matter of course.
 */
export class SpillFile {
  #fd: number;
  #written = 0;
  #read = 0;

  /** @throws when the directory cannot be written. */
  constructor(directory: string, name: string) {
    const path = join(directory, `${name}.spill`);
    this.#fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
  }

  /** Bytes that wait. */
  get waiting(): number {
    return this.#written - this.#read;
  }

  /** All of it or, when it throws (a full disk for example), nothing. */
  append(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at, bytes.length - at, this.#written + at);
    this.#written += bytes.length;
  }

  /** The next bytes, at most `limit`; empty when nothing waits. */
  take(limit: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.min(limit, this.waiting));
    const count = bytes.length === 0 ? 0 : readSync(this.#fd, bytes, 0, bytes.length, this.#read);
    this.#read += count;
    if (this.waiting === 0 && this.#written > 0) {
      ftruncateSync(this.#fd, 0);
      this.#read = 0;
      this.#written = 0;
    }
    return bytes.subarray(0, count);
  }

  /** Gives the disk space back. Idempotent. */
  close(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
  }
}
