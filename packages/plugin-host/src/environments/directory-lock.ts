import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { draftName, isAlive, startOf } from './lives.ts';
import { isMissing } from './working-directory.ts';

/** The owner renews the file this often … */
const RENEW_MS = 5_000;
/** … and an owner on another machine that has not done so for this long is taken for dead. */
const STALE_MS = 60_000;
const LOOK_MS = 100;
const DRAFT_ATTEMPTS = 5;

interface Owner {
  readonly host: string;
  readonly pid: number;
  /** When that process started, so that a reused pid is not mistaken for it; '' where the system does not tell. */
  readonly started: string;
  readonly token: string;
}

/**
 * Holds a lock file while `work` runs. It keeps two daemons on one volume from building one directory at once, and
 * outlives neither of them: the lock of a process that is gone from this machine is taken over at once, that of a silent
 * one on another machine after a minute.
 * @param onWait is called once when somebody else holds it.
 * @throws the signal's reason, also while waiting
 */
export async function withDirectoryLock<T>(
  file: string,
  options: { signal: AbortSignal; onWait?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  const release = await acquire(file, options);
  try {
    return await work();
  } finally {
    await release();
  }
}

async function acquire(file: string, { signal, onWait }: { signal: AbortSignal; onWait?: () => void }) {
  const me: Owner = { host: hostname(), pid: process.pid, started: await startOf(process.pid), token: randomUUID() };
  const draft = `${file}.${await draftName()}`;
  await writeDraft(draft, JSON.stringify(me));
  try {
    let waited = false;
    for (;;) {
      signal.throwIfAborted();
      if (await linked(draft, file)) break;
      if (await removeAbandonedLock(file)) continue;
      if (!waited) {
        waited = true;
        onWait?.();
      }
      await sleep(LOOK_MS, undefined, { signal });
    }
  } finally {
    await rm(draft, { force: true });
  }
  const renewal = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {}); // the next owner judges by age; a missed renewal is made up by the next
  }, RENEW_MS);
  renewal.unref();
  return async () => {
    clearInterval(renewal);
    if ((await ownerOf(file))?.token === me.token) await rm(file, { force: true });
  };
}

/** A folder that becomes empty may be removed while nothing is locked in it. */
async function writeDraft(draft: string, text: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await mkdir(dirname(draft), { recursive: true });
    try {
      return await writeFile(draft, text);
    } catch (error) {
      if (!isMissing(error) || attempt === DRAFT_ATTEMPTS) throw error;
    }
  }
}

/** Removes a lock whose owner is gone. False when it has an owner, or is none. */
export async function removeAbandonedLock(file: string): Promise<boolean> {
  const before = await ownerOf(file);
  if (!(await isAbandoned(file, before))) return false;
  // Somebody else may have taken it over since it was looked at: what is removed is looked at once more.
  const aside = `${file}.${await draftName()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (isMissing(error)) return true;
    throw error;
  }
  if ((await ownerOf(aside))?.token !== before?.token) await linked(aside, file);
  await rm(aside, { force: true });
  return true;
}

/** link(2) creates the lock with its content in one step, or fails because it exists. */
async function linked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS')
      return exclusive(draft, file);
    throw error;
  }
}

/** For file systems without hard links. */
async function exclusive(draft: string, file: string): Promise<boolean> {
  try {
    await writeFile(file, await readFile(draft), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(file: string, owner: Owner | undefined): Promise<boolean> {
  if (owner !== undefined && owner.host === hostname()) {
    if (owner.pid === process.pid && owner.started === (await startOf(process.pid))) return false;
    return !isAlive(owner.pid) || (await startOf(owner.pid)) !== owner.started;
  }
  try {
    return Date.now() - (await stat(file)).mtimeMs > STALE_MS;
  } catch (error) {
    if (isMissing(error)) return false; // released meanwhile: try again
    throw error;
  }
}

async function ownerOf(file: string): Promise<Owner | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { host, pid, started, token } = value as Record<string, unknown>; // a JSON object
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof started !== 'string' || typeof token !== 'string')
      return undefined;
    return { host, pid, started, token };
  } catch {
    return undefined; // gone, or half written: judged by its age
  }
}
