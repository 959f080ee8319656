import { countedUpTo } from '@plugin-daemon/plugin-host/collections';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { LRUCache } from 'lru-cache';
import type { ServerlessRuntimeRecord, ServerlessRuntimes } from '../../database/index.ts';
import { FunctionClient } from './function-client.ts';
import type { AttemptOutcome, FunctionRuntimeOptions } from './function-options.ts';
import { FunctionRuntime } from './function-runtime.ts';

export interface FunctionRuntimesOptions
  extends Pick<FunctionRuntimeOptions, 'attempts' | 'maxRequestBytes' | 'maxMessageBytes' | 'budgets'> {
  /** Which function runs a version. */
  readonly rows: Pick<ServerlessRuntimes, 'find' | 'peek'>;
  /** Looks elsewhere for a row that is missing. */
  readonly recover?: (identifier: string) => Promise<ServerlessRuntimeRecord | undefined>;
  readonly client?: FunctionClient;
  readonly log: Log;
  readonly onAttempt: (pluginId: string, outcome: AttemptOutcome) => void;
}

/** Versions that were called last; others are made anew from their row. */
const MAX_KNOWN = 5000;

/** The functions that were called, by plugin version; each is where its row says it is now. */
export class FunctionRuntimes {
  readonly #options: FunctionRuntimesOptions;
  readonly #client: FunctionClient;
  readonly #known = new LRUCache<string, FunctionRuntime>(countedUpTo(MAX_KNOWN));

  constructor(options: FunctionRuntimesOptions) {
    this.#options = options;
    this.#client = options.client ?? new FunctionClient();
  }

  /** The function of a version, if where it is is in memory. */
  peek(identifier: string): FunctionRuntime | undefined {
    const row = this.#options.rows.peek(identifier);
    return row && this.#of(row);
  }

  /** Where the function of a version is; known at once after the first time. */
  urlOf(identifier: string): string | undefined | Promise<string | undefined> {
    return this.#options.rows.peek(identifier)?.function_url ?? this.#find(identifier).then((row) => row?.function_url);
  }

  /** @throws DaemonError `runtime-unavailable` when no function runs the version */
  async ready(identifier: string): Promise<FunctionRuntime> {
    const row = await this.#find(identifier);
    if (row === undefined) throw new DaemonError('runtime-unavailable', 'failed to get plugin runtime');
    return this.#of(row);
  }

  /** Ends what is open and closes all connections. */
  async close(): Promise<void> {
    this.#known.clear();
    await this.#client.close();
  }

  async #find(identifier: string): Promise<ServerlessRuntimeRecord | undefined> {
    return (await this.#options.rows.find(identifier)) ?? (await this.#options.recover?.(identifier));
  }

  #of({ plugin_unique_identifier: identifier, function_url: url }: ServerlessRuntimeRecord): FunctionRuntime {
    const known = this.#known.get(identifier);
    // Calls that are open at the function of before end there.
    if (known !== undefined && known.url === url) return known;
    const { log, attempts, maxRequestBytes, maxMessageBytes, budgets, onAttempt } = this.#options;
    const { pluginId } = parseUniqueIdentifier(identifier);
    const made = new FunctionRuntime({
      identifier,
      pluginId,
      url,
      client: this.#client,
      attempts: Math.max(1, attempts),
      maxRequestBytes,
      maxMessageBytes,
      budgets,
      said: new PluginOutput(log, { plugin: identifier }),
      onAttempt: (outcome) => onAttempt(pluginId, outcome),
    });
    this.#known.set(identifier, made);
    return made;
  }
}
