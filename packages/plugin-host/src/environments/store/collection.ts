import { lstat, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isFingerprint } from '../fingerprint.ts';
import { isDraft, isLeftBehind } from '../lives.ts';
import type { EnvironmentStore } from './environment-store.ts';
import { readRecord, recordFile } from './record.ts';

export interface CollectOptions {
  /** Only list. */
  readonly dryRun: boolean;
  /** What was taken into use later than this many seconds ago stays. */
  readonly minimumAgeSeconds: number;
  /** Fingerprints that environments of plugins refer to. Asked again before one is removed. */
  readonly references: () => Promise<ReadonlyMap<string, number>>;
  readonly signal: AbortSignal;
}

export interface CollectedEnvironment {
  /** The fingerprint. */
  readonly name: string;
  /** What its files have in all; files that others link to stay on the disk. */
  readonly bytes: number;
  readonly removed: boolean;
}

export interface StoredReport {
  readonly name: string;
  readonly bytes: number;
  /** How many environments of plugins refer to it. */
  readonly plugins: number;
  readonly sdk: string | null;
  readonly python: string;
}

/** Longer than anything takes to make one. */
const MAKING_MS = 2 * 3_600_000;
/** A plugin that runs may see what was replaced, until it is started again. */
const REPLACED_MS = 24 * 3_600_000;

/** Removes environments that no plugin refers to, and remains of attempts that died. */
export async function collectStored(
  store: EnvironmentStore,
  { dryRun, minimumAgeSeconds, references, signal }: CollectOptions,
): Promise<CollectedEnvironment[]> {
  const collected: CollectedEnvironment[] = [];
  const counts = await references();
  for (const name of await readdir(store.root).catch(() => [])) {
    const path = join(store.root, name);
    if (isFingerprint(name)) {
      const found = await unreferenced(store, name, minimumAgeSeconds, counts);
      if (found === undefined) continue;
      if (!dryRun) {
        await store.holding(name, signal, async () => {
          // Somebody may have taken it meanwhile.
          if ((await unreferenced(store, name, minimumAgeSeconds, await references())) === undefined) return;
          await rm(path, { recursive: true, force: true, maxRetries: 3 });
          collected.push({ name, bytes: found, removed: true });
        });
      } else collected.push({ name, bytes: found, removed: false });
    } else if (!dryRun && (await isRemains(path, name))) {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
    }
  }
  if (!dryRun) await store.forgetRequests();
  return collected;
}

/** What the store has. */
export async function listStored(
  store: EnvironmentStore,
  references: CollectOptions['references'],
): Promise<StoredReport[]> {
  const counts = await references();
  const found: StoredReport[] = [];
  for (const name of await readdir(store.root).catch(() => [])) {
    const record = isFingerprint(name) ? await readRecord(store.directoryOf(name)) : undefined;
    if (record === undefined) continue;
    const { bytes, sdk, interpreter } = record;
    found.push({ name, bytes, plugins: counts.get(name) ?? 0, sdk, python: interpreter.version });
  }
  return found;
}

/** The bytes of an environment that may go; undefined when it has to stay. */
async function unreferenced(
  store: EnvironmentStore,
  name: string,
  minimumAgeSeconds: number,
  references: ReadonlyMap<string, number>,
): Promise<number | undefined> {
  if (references.has(name)) return undefined;
  const root = store.directoryOf(name);
  const used = await stat(recordFile(root)).catch(() => stat(root).catch(() => undefined));
  if (used === undefined || Date.now() - used.mtimeMs < minimumAgeSeconds * 1000) return undefined;
  return (await readRecord(root))?.bytes ?? 0;
}

async function isRemains(path: string, name: string): Promise<boolean> {
  const replaced = /^\.old-(\d{1,16})-/.exec(name)?.[1];
  if (replaced !== undefined) return Date.now() - Number(replaced) > REPLACED_MS;
  if (!name.startsWith('.new-')) return false;
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return false;
  const owner = (await readdir(path).catch(() => [])).find(isDraft);
  return owner === undefined ? Date.now() - found.mtimeMs > MAKING_MS : await isLeftBehind(owner, found.mtimeMs);
}
