/** Other people's plugins, as they lie in a folder: a checkout of Dify's official ones for instance. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Folders with a manifest, at any depth. */
export function pluginFolders(top: string): readonly string[] {
  if (existsSync(join(top, 'manifest.yaml'))) return [top];
  return readdirSync(top, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap((entry) => pluginFolders(join(top, entry.name)))
    .sort();
}
