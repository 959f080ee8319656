import { copyFile, mkdir, readdir, realpath, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

/** What a small environment has itself. */
const OWN = new Set(['dify', 'pyvenv.cfg']);

/**
 * Makes the environment of a plugin: everything is a link into the shared one but `pyvenv.cfg`, which makes Python take the plugin's
 * as its prefix. Links are relative, so that a volume may be mounted elsewhere, and lead from where the plugin's directory really is:
 * one may have been moved to another disk, with a link in its place. The flag is written by the caller, last.
 * @param shared the environment of the store
 * @param own where the plugin's is to be; nothing is there
 */
export async function attachEnvironment(shared: string, own: string): Promise<void> {
  await mkdir(own, { recursive: true, mode: 0o755 });
  await copyFile(join(shared, 'pyvenv.cfg'), join(own, 'pyvenv.cfg'));
  const store = dirname(shared);
  // By the name of the store, whatever that is a link to: by it an environment is known that is shared.
  const reached = join(await realpath(dirname(store)), basename(store), basename(shared));
  const way = relative(await realpath(own), reached);
  for (const name of await readdir(shared)) if (!OWN.has(name)) await symlink(join(way, name), join(own, name));
}
