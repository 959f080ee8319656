/** Which process something belongs to, in a few characters of its name: what a killed process has left is told from what somebody is making. */
import { createHash, randomUUID } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename } from 'node:path';

/** One that is silent for so long on another machine is taken for dead. */
const SILENT_MS = 2 * 3_600_000;
const MARK = /(?:^|[.-])([0-9a-f]{8})-(\d{1,10})-(\d{0,20})\.[0-9a-f-]{36}$/;

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
let own: Promise<string> | undefined;

/** A name of this process that nothing else has. */
export async function draftName(): Promise<string> {
  own ??= startOf(process.pid).then((started) => `${host}-${process.pid}-${started}`);
  return `${await own}.${randomUUID()}`;
}

/** Whether a name is one of ours, or ends with one. */
export const isDraft = (name: string): boolean => MARK.test(name);

/** Whether the process that a draft belongs to is gone. @param mtimeMs when it was last written to: what decides where the process cannot be looked at */
export async function isLeftBehind(name: string, mtimeMs: number): Promise<boolean> {
  const [, where, pid = '', started = ''] = MARK.exec(name) ?? [];
  if (where !== host) return Date.now() - mtimeMs > SILENT_MS;
  return !isAlive(Number(pid)) || (await startOf(Number(pid))) !== started;
}

/** Removes what a process that is gone has left half made. */
export async function removeLeftBehind(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found !== undefined && (await isLeftBehind(basename(path), found.mtimeMs)))
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Start time in clock ticks since boot, field 22 of proc(5); '' where the system does not tell. */
export async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
