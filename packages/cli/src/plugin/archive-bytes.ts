/** Packages in memory: entries in byte order of their names, as every packager writes them (packages.md section 2). */
import { writeZip } from '@plugin-daemon/plugin-package';

export function writeArchive(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const sorted = [...files].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return writeZip(sorted.map(([name, content]) => ({ name, content })));
}
