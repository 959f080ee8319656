import { createHash, hash } from 'node:crypto';

/**
 * The checksum in a plugin's identifier (docs/wire/packages.md#checksum): over paths in byte order, each as hash of the path and
 * hash of the content. Independent of archive order, compression and dates.
 */
export function checksumOf(files: Iterable<readonly [path: string, contentHash: Buffer]>): string {
  const byPath = new Map<string, { path: Buffer; content: Buffer }>();
  for (const [path, content] of files) byPath.set(path, { path: Buffer.from(path, 'utf8'), content });
  const sum = createHash('sha256');
  for (const file of [...byPath.values()].sort((a, b) => Buffer.compare(a.path, b.path))) {
    sum.update(hash('sha256', file.path, 'buffer'));
    sum.update(file.content);
  }
  return sum.digest('hex');
}
