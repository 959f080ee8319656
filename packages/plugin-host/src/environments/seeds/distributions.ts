import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** What is installed, by normalised name, with its version. */
export type Distributions = ReadonlyMap<string, string>;

/** The largest known environment has 320. */
const MOST = 4000;
const FOLDER = /^([A-Za-z0-9][A-Za-z0-9._-]{0,100})-([0-9A-Za-z.+!_]{1,64})\.dist-info$/;

const normalised = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** From the names of folders alone: what is in them was chosen by packages. */
export async function readDistributions(sitePackages: string): Promise<Distributions> {
  const found = new Map<string, string>();
  for (const entry of (await readdir(sitePackages)).slice(0, 2 * MOST)) {
    const [, name, version] = FOLDER.exec(entry) ?? [];
    if (name !== undefined && version !== undefined && found.size < MOST) found.set(normalised(name), version);
  }
  return found;
}

/** One of these distributions that was not installed from an index, by the file that pip's standards want there. */
export async function installedFromElsewhere(sitePackages: string, among: Distributions): Promise<string | undefined> {
  for (const entry of await readdir(sitePackages)) {
    const [, name] = FOLDER.exec(entry) ?? [];
    if (name === undefined || !among.has(normalised(name))) continue;
    const isElsewhere = await stat(join(sitePackages, entry, 'direct_url.json')).then(
      () => true,
      () => false,
    );
    if (isElsewhere) return normalised(name);
  }
  return undefined;
}

/** One that is another version there, or missing. */
export function differenceFrom(wanted: Distributions, there: Distributions): string | undefined {
  for (const [name, version] of wanted) if (there.get(name) !== version) return name;
  return undefined;
}
