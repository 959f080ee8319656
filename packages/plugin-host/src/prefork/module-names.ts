import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

const MODULE = /^([A-Za-z_][A-Za-z0-9_]{0,100})(?:\.py|\.pyc|\.[A-Za-z0-9_-]{1,80}\.so|\.so)$/;

/**
 * A module of a plugin's own that a plain start would find before the one its parent has imported already: it carries a copy of a
 * library, or is called like a module of Python's.
 * @param imported what the parent says it has imported
 */
export async function moduleInTheWay(directory: string, imported: unknown): Promise<string | undefined> {
  if (!Array.isArray(imported)) return 'parent, which does not say what it has imported,';
  const names = new Set<unknown>(imported);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const isPackage = entry.isDirectory() && names.has(entry.name);
    const name = isPackage ? entry.name : MODULE.exec(entry.name)?.[1];
    if (name === undefined || !names.has(name)) continue;
    if (!isPackage || (await hasInit(join(directory, name)))) return entry.name;
  }
  return undefined;
}

/** Without it a folder is searched after everything that is installed. */
const hasInit = (folder: string): Promise<boolean> =>
  stat(join(folder, '__init__.py')).then(
    () => true,
    () => false,
  );
