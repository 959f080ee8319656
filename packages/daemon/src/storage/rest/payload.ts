import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** More than this of a stream does not wait in memory. */
const MEMORY_BYTES = 4 * 1024 * 1024;
const SLICE_BYTES = 64 * 1024;

/**
 * The bytes of an upload, as often as they are asked for: these stores want to know length and digest before the first byte, and
 * an attempt that failed is made again. Long streams wait in a temporary file.
 */
export class Payload {
  readonly size: number;
  /** Base64, as in Content-MD5: the store refuses what did not arrive whole. */
  readonly md5: string;
  readonly #kept: Uint8Array | Spool;

  private constructor(kept: Uint8Array | Spool, size: number, md5: string) {
    this.size = size;
    this.md5 = md5;
    this.#kept = kept;
  }

  static async of(data: Uint8Array | AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<Payload> {
    const digest = createHash('md5');
    if (data instanceof Uint8Array) return new Payload(data, data.length, digest.update(data).digest('base64'));
    const held: Uint8Array[] = [];
    let size = 0;
    let spool: Spool | undefined;
    try {
      for await (const chunk of data) {
        signal?.throwIfAborted();
        digest.update(chunk);
        size += chunk.length;
        if (spool === undefined) held.push(chunk);
        else await spool.append(chunk);
        if (spool === undefined && size > MEMORY_BYTES) {
          spool = await Spool.create();
          for (const early of held.splice(0)) await spool.append(early);
        }
      }
      return new Payload(spool ?? Buffer.concat(held), size, digest.digest('base64'));
    } catch (error) {
      await spool?.remove();
      throw error;
    }
  }

  /** From the start, in slices: a store that stops reading is noticed. */
  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#kept instanceof Spool) {
      yield* this.#kept.bytes(this.size);
      return;
    }
    for (let at = 0; at < this.size; at += SLICE_BYTES) yield this.#kept.subarray(at, at + SLICE_BYTES);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#kept instanceof Spool) await this.#kept.remove();
  }
}

class Spool {
  readonly #directory: string;
  readonly #file: FileHandle;

  private constructor(directory: string, file: FileHandle) {
    this.#directory = directory;
    this.#file = file;
  }

  static async create(): Promise<Spool> {
    const directory = await mkdtemp(join(tmpdir(), 'plugin-daemon-upload-'));
    try {
      return new Spool(directory, await open(join(directory, 'bytes'), 'wx+', 0o600));
    } catch (error) {
      await rm(directory, { recursive: true, force: true });
      throw error;
    }
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.#file.writeFile(chunk);
  }

  async *bytes(size: number): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < size; ) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(SLICE_BYTES), 0, SLICE_BYTES, at);
      if (bytesRead === 0) throw new Error('the temporary file of an upload is shorter than it was');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async remove(): Promise<void> {
    await this.#file.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
