import { randomUUID } from 'node:crypto';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { Database } from '../database/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { PackageStore } from './package-store.ts';
import type { PreviousVersions } from './previous-versions.ts';
import { installJobId } from './version-job.ts';

export interface PackageCollectorOptions {
  readonly database: Pick<Database, 'installations' | 'installTasks' | 'declarations' | 'jobLeases'>;
  readonly store: PackageStore;
  readonly previous: Pick<PreviousVersions, 'identifiers'>;
  /** The id of this node. */
  readonly owner: string;
  /** Packages that no tenant has installed are removed when they are older than this; 0 keeps them for ever. */
  readonly retentionMs: number;
  readonly log: Log;
}

/** Longer than removing one package takes. */
const LEASE_MS = 60_000;

/**
 * Removes uploaded packages that nobody refers to: no installation of any tenant, no install task, nobody who could go back to it. It holds the lease of the version's
 * install job meanwhile, so that no node installs what is being removed.
 */
export class PackageCollector {
  readonly #options: PackageCollectorOptions;

  constructor(options: PackageCollectorOptions) {
    this.#options = options;
  }

  /** One round. @throws what database or storage failed with; the next round goes on. */
  async run(signal: AbortSignal): Promise<void> {
    const { database, store, previous, retentionMs, log } = this.#options;
    if (retentionMs === 0) return;
    const kept = new Set([...(await database.installations.identifiersInUse()), ...(await previous.identifiers())]);
    const removed: string[] = [];
    for (const identifier of await store.listPackages()) {
      signal.throwIfAborted();
      if (kept.has(identifier) || !isIdentifier(identifier)) continue;
      const storedAt = await store.packageStoredAt(identifier);
      if (storedAt === undefined || Date.now() - storedAt.getTime() < retentionMs) continue;
      if (await this.#remove(identifier)) removed.push(identifier);
    }
    if (removed.length > 0) log.info({ packages: removed }, 'packages that nobody refers to were removed');
  }

  async #remove(identifier: string): Promise<boolean> {
    const { database, store, owner } = this.#options;
    const fence = { jobId: installJobId(identifier), owner: `${owner}/${randomUUID()}` };
    if ((await database.jobLeases.take(fence.jobId, { owner: fence.owner, durationMs: LEASE_MS })) === undefined) {
      return false;
    }
    try {
      // Looked at once more: from here on no node installs it.
      if ((await database.installations.countByIdentifier(identifier)) > 0) return false;
      if ((await database.installTasks.openItems(identifier)).length > 0) return false;
      await database.declarations.delete(identifier);
      await store.unmarkInstalled(identifier);
      await store.deletePackage(identifier);
      return true;
    } finally {
      await database.jobLeases.end(fence);
    }
  }
}

/** Whatever else lies there is not ours to remove. */
function isIdentifier(key: string): boolean {
  try {
    parseUniqueIdentifier(key);
    return true;
  } catch {
    return false;
  }
}
