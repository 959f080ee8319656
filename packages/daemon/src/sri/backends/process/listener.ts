import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { createServer } from 'node:net';

/** A port of the loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('the system gave no port');
  return address.port;
}

/**
 * Whether the process, or a descendant of it, is who listens on a port of the loopback. Another function could have taken the port
 * first, and would be sent what is meant for this one. Undefined where the system does not tell.
 */
export async function listensItself(pid: number, port: number): Promise<boolean | undefined> {
  if (process.platform !== 'linux') return undefined;
  const listeners = await listenersOf(port);
  if (listeners === undefined) return undefined;
  for (const one of await withDescendants(pid)) {
    const links = await linksOf(one);
    // Where open files of another user cannot be seen, the user has to do: every function has one of its own.
    const user = links === undefined ? await userOf(one) : undefined;
    for (const { link, uid } of listeners)
      if (links?.includes(link) || (user !== undefined && user === uid)) return true;
  }
  return false;
}

const LISTEN = '0A';

interface Listener {
  /** As links of open files name it. */
  readonly link: string;
  readonly uid: number;
}

async function listenersOf(port: number): Promise<readonly Listener[] | undefined> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const found: Listener[] = [];
  let known = false;
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text === undefined) continue;
    known = true;
    for (const line of text.split('\n').slice(1)) {
      const [, local, , state, , , , uid, , inode] = line.trim().split(/\s+/);
      if (local?.endsWith(suffix) && state === LISTEN && inode !== undefined)
        found.push({ link: `socket:[${inode}]`, uid: Number(uid) });
    }
  }
  return known ? found : undefined;
}

/** Undefined when they may not be seen. */
async function linksOf(pid: number): Promise<readonly string[] | undefined> {
  const folder = `/proc/${pid}/fd`;
  try {
    const names = await readdir(folder);
    return await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')));
  } catch (error) {
    const refused = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
    return refused ? undefined : [];
  }
}

const userOf = async (pid: number): Promise<number | undefined> =>
  (await stat(`/proc/${pid}`).catch(() => undefined))?.uid;

const MAX_DESCENDANTS = 4096;

async function withDescendants(pid: number): Promise<readonly number[]> {
  const all = [pid];
  for (let at = 0; at < all.length && all.length < MAX_DESCENDANTS; at++) {
    const one = all[at];
    const tasks = await readdir(`/proc/${one}/task`).catch(() => []);
    for (const task of tasks) {
      const children = await readFile(`/proc/${one}/task/${task}/children`, 'utf8').catch(() => '');
      for (const child of children.split(' ')) if (child !== '') all.push(Number(child));
    }
  }
  return all;
}
