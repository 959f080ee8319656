import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PluginUser } from './users.ts';

/** Left as they are: the environment, which belongs to root and may be read by all, and the installer's log, which may hold addresses with passwords. */
const NOT_OURS = new Set(['.venv', '.environment.log']);
/** Its user may make files here, and take away only its own. */
const SHARED_DIRECTORY = 0o1770;
const CLOSED_DIRECTORY = 0o700;

/**
 * Hands a working directory to a user: it may read everything, and make files of its own, but neither change nor replace what the
 * package brought. What a user had made before under another number becomes this one's. Nobody else gets in.
 * @param fresh files have come since the last time
 */
export async function handOver(directory: string, user: PluginUser, fresh: boolean): Promise<void> {
  const top = await lstat(directory);
  // Set last: with it everything below is done.
  if (!fresh && top.gid === user.gid && top.uid === 0 && (top.mode & 0o7777) === SHARED_DIRECTORY) return;
  await chmod(directory, CLOSED_DIRECTORY);
  for (const name of await readdir(directory)) {
    if (!NOT_OURS.has(name)) await handOverEntry(join(directory, name), user);
  }
  await makeReadable(join(directory, '.venv'), !fresh);
  await lchown(directory, 0, user.gid);
  await chmod(directory, SHARED_DIRECTORY);
}

/** Shuts a directory whose user is given up. */
export async function closeDirectory(directory: string): Promise<void> {
  try {
    await lchown(directory, 0, 0);
    await chmod(directory, CLOSED_DIRECTORY);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function handOverEntry(path: string, user: PluginUser): Promise<void> {
  const stat = await lstat(path);
  const owner = stat.uid === 0 ? 0 : user.uid;
  if (stat.isSymbolicLink()) return await lchown(path, owner, user.gid);
  await lchown(path, owner, user.gid);
  if (owner !== 0) return await handOverInside(path, stat.isDirectory(), user);
  if (stat.isDirectory()) {
    await chmod(path, SHARED_DIRECTORY);
    await handOverInside(path, true, user);
  } else if (stat.isFile()) {
    await chmod(path, (stat.mode & 0o700) | ((stat.mode & 0o500) >> 3));
  }
}

async function handOverInside(path: string, isDirectory: boolean, user: PluginUser): Promise<void> {
  if (!isDirectory) return;
  for (const name of await readdir(path)) await handOverEntry(join(path, name), user);
}

/** An environment made under a strict umask: its files are opened for all, who get no further than its directory lets them. */
export async function makeReadable(path: string, isTop = true): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined || stat.isSymbolicLink()) return;
  const wanted = stat.isDirectory() ? 0o555 : (stat.mode & 0o700) === 0o700 ? 0o555 : 0o444;
  if (isTop && (stat.mode & wanted) === wanted) {
    // The same umask made all of it: one file tells.
    const probe = await lstat(join(path, 'pyvenv.cfg')).catch(() => undefined);
    if (probe === undefined || (probe.mode & 0o044) === 0o044) return;
  }
  if ((stat.mode & wanted) !== wanted) await chmod(path, (stat.mode & 0o7777) | wanted);
  if (stat.isDirectory()) for (const name of await readdir(path)) await makeReadable(join(path, name), false);
}

/** Lets users get to directories below `root` whose names they know, and to nothing else there. */
export async function openWay(root: string, path: string): Promise<void> {
  for (let current = path; current.startsWith(root); current = dirname(current)) {
    const { mode, uid } = await lstat(current);
    if (uid === process.geteuid?.()) await chmod(current, (mode & 0o700) | 0o011);
    if (current === root) break;
  }
}

/** Shuts everything in a directory but the named entries. */
export async function closeEntries(directory: string, except: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(directory)) if (!except.has(name)) await closePath(join(directory, name));
}

/** Shuts one file or directory of the daemon's own, if it is there. Whether there was something to shut. */
export async function closePath(path: string): Promise<boolean> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined || stat.isSymbolicLink() || stat.uid !== process.geteuid?.()) return false;
  if ((stat.mode & 0o077) === 0) return false;
  await chmod(path, stat.mode & 0o700);
  return true;
}

/** Whether another user can get to a path and read it, judged by the modes on the way; the first place that stops it otherwise. */
export async function obstacleFor(path: string): Promise<string | undefined> {
  for (let current = path; ; current = dirname(current)) {
    const stat = await lstat(current).catch(() => undefined);
    if (stat === undefined || (stat.isDirectory() && (stat.mode & 0o001) === 0)) return current;
    if (dirname(current) === current) return undefined;
  }
}
