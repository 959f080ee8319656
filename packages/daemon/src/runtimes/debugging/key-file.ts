import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** A tenant's key and the time until which it counts, in ms since the epoch. */
export interface KeptKey {
  readonly key: string;
  readonly until: number;
}

/**
 * The connection keys in a file, for daemons whose cache ends with their process: developers' plugins reconnect after a restart by
 * themselves, and their key must then still count. Read once, replaced as a whole, readable by the daemon alone.
 */
export class KeyFile {
  readonly #path: string;
  readonly #keys: Map<string, KeptKey>;

  /** @throws when the file cannot be read */
  constructor(path: string) {
    this.#path = path;
    this.#keys = new Map(Object.entries(read(path)).filter(([, { until }]) => until > Date.now()));
  }

  entries(): ReadonlyMap<string, KeptKey> {
    return this.#keys;
  }

  /** @throws when the file cannot be written */
  keep(tenantId: string, kept: KeptKey): void {
    this.#keys.set(tenantId, kept);
    for (const [tenant, { until }] of this.#keys) if (until <= Date.now()) this.#keys.delete(tenant);
    const next = `${this.#path}.next`;
    writeFileSync(next, JSON.stringify(Object.fromEntries(this.#keys)), { mode: 0o600 });
    renameSync(next, this.#path);
  }
}

function read(path: string): Record<string, KeptKey> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    return isKept(value) ? value : {};
  } catch {
    // A file cut short by a crash of the machine: its keys are lost, and developers fetch new ones.
    return {};
  }
}

const isKept = (value: unknown): value is Record<string, KeptKey> =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every(
    (kept: unknown) =>
      typeof kept === 'object' &&
      kept !== null &&
      'key' in kept &&
      typeof kept.key === 'string' &&
      'until' in kept &&
      typeof kept.until === 'number',
  );
