/**
 * The template files by their path below `templates/`. Read from the folder here; the bundle carries them inside
 * (build.ts replaces this module).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export function templateFiles(): ReadonlyMap<string, string> {
  const root = join(import.meta.dirname, '..', '..', 'templates');
  const files = new Map<string, string>();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(root.length + 1).replaceAll('\\', '/'), readFileSync(path, 'utf8'));
  }
  return files;
}
