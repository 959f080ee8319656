/** Packages in memory: entries in byte order of their names, as every packager writes them (docs/wire/packages.md#container). */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { writeZip } from '@plugin-daemon/plugin-package';
import { checksumOf } from '@plugin-daemon/plugin-package/schema';

function inOrder(files: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][] {
  return [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** For small sets of files, at once. */
export function writeArchive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  return writeZip(inOrder(files).map(([name, content]) => ({ name, content })));
}

const deflate = promisify(deflateRaw);
/** Files compressed side by side; the threads of libuv do the work. */
const LANES = 4;
const MIN_CHUNK = 1024;
const MAX_CHUNK = 1024 * 1024;

export interface PackedArchive {
  bytes: Uint8Array;
  checksum: string;
}

/** Compresses on several threads; `onProgress` gets the part that is done and may throw to stop. */
export async function packArchive(
  files: ReadonlyMap<string, Uint8Array>,
  onProgress: (name: string, done: number) => void,
): Promise<PackedArchive> {
  const entries = inOrder(files);
  const packed = new Map<string, Buffer>();
  const hashes: (readonly [string, Buffer])[] = [];
  const total = Math.max(
    1,
    entries.reduce((sum, [, content]) => sum + content.length, 0),
  );
  let done = 0;
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let entry = entries[next++]; entry !== undefined; entry = entries[next++]) {
      const [name, content] = entry;
      onProgress(name, done / total);
      // One piece of output where that is possible: the default makes many small ones.
      const compressing = deflate(content, { chunkSize: Math.max(MIN_CHUNK, Math.min(MAX_CHUNK, content.length)) });
      hashes.push([name, createHash('sha256').update(content).digest()]);
      packed.set(name, await compressing);
      done += content.length;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  const bytes = writeZip(entries.map(([name, content]) => ({ name, content, packed: packed.get(name) })));
  return { bytes, checksum: checksumOf(hashes) };
}
