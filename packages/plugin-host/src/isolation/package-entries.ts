import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** In the environment, so that it goes with it. */
const RECORD = join('.venv', 'dify', 'package-entries.json');

/**
 * The entries of a working directory that its package brought, as against those that the plugin has made since: noted when the
 * environment is new, or when it is first looked at.
 */
export async function packageEntries(directory: string, fresh: boolean): Promise<readonly string[]> {
  const file = join(directory, RECORD);
  if (!fresh) {
    const known = await readFile(file, 'utf8').then(parse, () => undefined);
    if (known !== undefined) return known;
  }
  const names = await readdir(directory);
  await writeFile(file, JSON.stringify(names), { flush: true });
  return names;
}

function parse(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : undefined;
  } catch {
    return undefined; // half written: noted anew
  }
}
