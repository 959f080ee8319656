import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, mkdir, open, readdir, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { checkedKey } from '../object-key.ts';
import type { ObjectStat, ObjectStorage } from '../object-storage.ts';
import { codeOf, isAbsence, storageError } from './file-errors.ts';
import { assertNames } from './names.ts';
import { clearAbandoned } from './scratch.ts';

export interface LocalStorageOptions {
  /** Absolute path of the root; created 0755 when missing. Other nodes may use it at the same time. */
  readonly root: string;
  /** Names this process; what it has not finished writing is kept under it. */
  readonly nodeId: string;
}

/** Where objects are written before they get their name, in a folder of each node; no key can start with it, see `list`. */
const scratchName = '.writing';
/** Each is lost only to another node that starts in the same moment. */
const ATTEMPTS = 10;

/**
 * Opens the directory and clears what processes that died left half-written.
 * @throws DaemonError when the directory cannot be created or written to, or does not take the names of objects
 */
export async function openLocalStorage({ root, nodeId }: LocalStorageOptions): Promise<ObjectStorage> {
  const scratch = join(root, scratchName);
  try {
    await mkdir(root, { recursive: true, mode: 0o755 });
    await clearAbandoned(scratch);
    await mkdir(join(scratch, nodeId), { recursive: true });
    await assertNames(join(scratch, nodeId), root);
  } catch (error) {
    throw storageError('open', root, error);
  }
  return new LocalStorage(root, scratch, nodeId);
}

class LocalStorage implements ObjectStorage {
  readonly type = 'local';
  readonly #root: string;
  /** Of all nodes. */
  readonly #scratch: string;
  /** Of this one. */
  readonly #own: string;

  constructor(root: string, scratch: string, nodeId: string) {
    this.#root = root;
    this.#scratch = scratch;
    this.#own = join(scratch, nodeId);
  }

  async read(key: string): Promise<Buffer | undefined> {
    return await orAbsent('read', key, () => readFile(this.#path(key)));
  }

  async readStream(key: string) {
    return await orAbsent('read', key, async () => {
      const file = await open(this.#path(key));
      try {
        const found = await file.stat();
        if (!found.isFile()) {
          await file.close();
          return undefined;
        }
        return { size: found.size, stream: file.createReadStream() };
      } catch (error) {
        await file.close();
        throw error;
      }
    });
  }

  async write(key: string, data: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    await this.#place(key, async (temporary) => {
      if (data instanceof Uint8Array) return await this.#make(temporary, data);
      await this.#make(temporary, '');
      await writeFile(temporary, data);
    });
  }

  async copy(from: string, to: string): Promise<boolean> {
    const source = this.#path(from);
    if ((await this.stat(from)) === undefined) return false;
    // Shares the blocks where the file system can, else copies inside the kernel: no byte passes through here.
    return await this.#place(to, async (temporary) => {
      await this.#make(temporary, '');
      await copyFile(source, temporary, constants.COPYFILE_FICLONE);
    });
  }

  async exists(key: string): Promise<boolean> {
    return (await this.stat(key)) !== undefined;
  }

  async stat(key: string): Promise<ObjectStat | undefined> {
    return await orAbsent('look up', key, async () => {
      const found = await stat(this.#path(key));
      return found.isFile() ? { size: found.size, lastModified: found.mtime } : undefined;
    });
  }

  async list(prefix: string): Promise<readonly string[]> {
    const top = prefix === '' ? this.#root : this.#path(prefix);
    const entries = await orAbsent('list', prefix, () => readdir(top, { recursive: true, withFileTypes: true }));
    const keys: string[] = [];
    for (const entry of entries ?? []) {
      const path = join(entry.parentPath, entry.name);
      if (path.startsWith(this.#scratch + sep)) continue;
      if (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path)))) {
        keys.push(relative(top, path).replaceAll(sep, '/'));
      }
    }
    return keys;
  }

  async delete(key: string): Promise<boolean> {
    // unlink() of a directory is refused with different codes by different systems; a directory is no object anyway.
    if ((await this.stat(key)) === undefined) return false;
    const deleted = await orAbsent('delete', key, async () => {
      await unlink(this.#path(key));
      return true;
    });
    return deleted === true;
  }

  /** A directory that cannot be used fails whoever uses it, with a cause; it is there or the daemon would not have started. */
  async problem(): Promise<string | undefined> {
    try {
      // Our own folder there may be gone while it is empty: another node that starts clears it away, and a write makes it again.
      await stat(this.#scratch);
      return undefined;
    } catch (error) {
      return storageError('use', this.#root, error).wireMessage;
    }
  }

  async close(): Promise<void> {
    await rm(this.#own, { recursive: true, force: true });
  }

  #path(key: string): string {
    return join(this.#root, checkedKey(key));
  }

  /** Lets `fill` make a file, then gives it its name in one step. */
  async #place(key: string, fill: (temporary: string) => Promise<void>): Promise<true> {
    const path = this.#path(key);
    let temporary = join(this.#own, randomUUID());
    try {
      await fill(temporary);
      try {
        await renameInto(temporary, path);
      } catch (error) {
        if (codeOf(error) !== 'EXDEV') throw error;
        temporary = await moveBeside(temporary, path);
        await rename(temporary, path);
      }
      return true;
    } catch (error) {
      await rm(temporary, { force: true });
      throw storageError('write', key, error);
    }
  }

  /** Makes a file in our folder. With one in it the folder stays; a node that starts tidies it away while it is empty and old. */
  async #make(temporary: string, content: string | Uint8Array): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (attempt > 1) await mkdir(this.#own, { recursive: true });
        return await writeFile(temporary, content, { mode: 0o644, flag: 'wx' });
      } catch (error) {
        if (codeOf(error) !== 'ENOENT' || attempt === ATTEMPTS) throw error;
      }
    }
  }
}

/** Gives a file its name, and makes the folder for it where there is none yet. */
async function renameInto(temporary: string, path: string): Promise<void> {
  try {
    await rename(temporary, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await rename(temporary, path);
  }
}

/** A prefix may be a mount of its own; then the file must first get onto its file system. */
async function moveBeside(temporary: string, path: string): Promise<string> {
  const beside = join(dirname(path), `.${randomUUID()}`);
  try {
    await copyFile(temporary, beside);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return beside;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

async function orAbsent<T>(verb: string, key: string, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw storageError(verb, key, error);
  }
}
