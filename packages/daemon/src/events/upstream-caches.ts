import { setTimeout as pause } from 'node:timers/promises';
import type { Cache } from '../cache/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { RowTable } from './daemon-events.ts';

export interface UpstreamCachesOptions {
  readonly cache: Pick<Cache, 'delete'>;
  readonly log: Log;
  /** Between attempts while Redis does not answer; 1 s unless given. */
  readonly retryMs?: number;
}

/** So many entries wait for Redis to come back; older ones live out their half hour. */
const MOST_PENDING = 10_000;

/** The existing daemon's names of what it keeps (docs/wire/state.md#cached-rows). */
const named = (type: string, key: string): string =>
  `auto_type:github.com/langgenius/dify-plugin-daemon/${type}:${key}`;

const namesOf: { readonly [Table in RowTable]: (key: string) => readonly string[] } = {
  endpoints: (hookId) => [named('internal/types/models.Endpoint', `hook_id:${hookId}`)],
  installations: (key) => {
    const [tenant = '', plugin = ''] = key.split('\0');
    return [
      named('internal/types/models.PluginInstallation', `plugin_id:${plugin}:tenant_id:${tenant}`),
      `model_installations:tenant_id:${tenant}`,
    ];
  },
  declarations: (identifier) =>
    ['local', 'remote', 'serverless'].map((type) =>
      named('pkg/entities/plugin_entities.PluginDeclaration', `declaration_cache:${type}:${identifier}`),
    ),
  functions: (identifier) => [`serverless:runtime:${identifier}`],
};

/**
 * Rows that nodes of the existing daemon keep in Redis for half an hour. A write here drops them, as a write of theirs does: a webhook that is
 * disabled here must not go on there, neither beside us nor after a return to it. Waits for nothing and never throws; while Redis does
 * not answer it is tried again.
 */
export class UpstreamCaches {
  readonly #options: UpstreamCachesOptions;
  readonly #pending = new Set<string>();
  readonly #closed = new AbortController();
  #work: Promise<void> | undefined;

  constructor(options: UpstreamCachesOptions) {
    this.#options = options;
  }

  forget(table: RowTable, key: string): void {
    this.#forget(namesOf[table](key));
  }

  /** A value that a plugin keeps: theirs for five minutes. */
  forgetStored({ tenantId, pluginId }: { readonly tenantId: string; readonly pluginId: string }, key: string): void {
    this.#forget([`persistence:cache:${tenantId}:${pluginId}:${key}`]);
  }

  #forget(names: readonly string[]): void {
    for (const name of names) this.#pending.add(name);
    for (const oldest of this.#pending) {
      if (this.#pending.size <= MOST_PENDING) break;
      this.#pending.delete(oldest);
    }
    this.#start();
  }

  /** What waits is dropped, if Redis answers. */
  async close(): Promise<void> {
    this.#closed.abort();
    await this.#work;
  }

  #start(): void {
    this.#work ??= this.#drop().finally(() => {
      this.#work = undefined;
      // Something may have come in between.
      if (this.#pending.size > 0 && !this.#closed.signal.aborted) this.#start();
    });
  }

  async #drop(): Promise<void> {
    let told = false;
    for (const name of this.#pending) {
      while (this.#pending.has(name)) {
        try {
          await this.#options.cache.delete(name);
          this.#pending.delete(name);
        } catch (error) {
          if (this.#closed.signal.aborted) return;
          if (!told) {
            this.#options.log.warn(
              { error },
              'what the existing daemon keeps of changed rows could not be dropped; it is tried again',
            );
          }
          told = true;
          await pause(this.#options.retryMs ?? 1000, undefined, { signal: this.#closed.signal, ref: false }).catch(
            () => undefined,
          );
        }
      }
    }
  }
}
