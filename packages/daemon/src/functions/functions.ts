import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { Plugins, ServerlessRuntimeRecord, ServerlessRuntimes } from '../database/index.ts';
import type { Claim, LocalPlugins } from '../supervision/index.ts';
import { type FunctionBuilder, NoAddress } from './function-builder.ts';
import { type LaunchedFunction, SriRefusal, SriUnavailable } from './sri/index.ts';

export interface FunctionsOptions {
  readonly builder: Pick<FunctionBuilder, 'build' | 'find'>;
  readonly rows: ServerlessRuntimes;
  readonly plugins: Pick<Plugins, 'find'>;
  readonly log: Log;
}

/** What an operator is told who has a function built anew. */
export interface ReinstallEvent {
  readonly event: 'info' | 'done' | 'error';
  readonly data: string;
}

/** After a search in vain the connector is not asked about the version for so long, in ms. */
const NOT_FOUND_MS = 10_000;
const SEARCH_MS = 10_000;
const MAX_SEARCHES = 10_000;
/** Events that wait for a slow reader. */
const MAX_UNTOLD = 100;

/** Brings the functions of plugin versions up, and knows where they are. */
export class Functions implements LocalPlugins {
  readonly #options: FunctionsOptions;
  readonly #searches = new Map<
    string,
    { readonly found: Promise<ServerlessRuntimeRecord | undefined>; readonly at: number }
  >();

  constructor(options: FunctionsOptions) {
    this.#options = options;
  }

  /** A function costs nothing while nobody calls it: claims are not counted, and nothing is ended when the last one is given up. */
  claim(identifier: string): Claim {
    return {
      ready: async ({ signal, onProgress }) => {
        try {
          const found = await this.#options.builder.build(identifier, {
            signal,
            anew: false,
            onEvent: ({ event }) => {
              if (event === 'info') onProgress?.('Installing...');
            },
          });
          await this.#store(identifier, found);
        } catch (error) {
          throw signal.aborted ? error : this.#installFailure(error);
        }
      },
      release: async () => false,
    };
  }

  /** Builds a version's function anew and puts it in the place of the one in use, which stays when this fails. Ends with `done` or `error`; who stops reading waits for it, so the signal has to be aborted too. */
  async *reinstall(identifier: string, signal: AbortSignal): AsyncGenerator<ReinstallEvent> {
    const { rows, builder, log } = this.#options;
    if ((await rows.find(identifier)) === undefined) {
      yield { event: 'error', data: 'failed to get serverless runtime model' };
      return;
    }
    const told: ReinstallEvent[] = [];
    let news = Promise.withResolvers<void>();
    const tell = (event: ReinstallEvent): void => {
      told.push(event);
      news.resolve();
    };
    const failed = 'failed to reinstall plugin to serverless';
    let isOver = false;
    const working = builder
      .build(identifier, {
        signal,
        anew: true,
        onEvent: (event) => {
          // They all say the same: who reads slower than the connector talks misses nothing.
          if (event.event === 'info' && told.length < MAX_UNTOLD) tell({ event: 'info', data: 'reinstalling...' });
        },
      })
      .then((found) => this.#store(identifier, found))
      .then(() => tell({ event: 'done', data: 'successfully reinstalled' }))
      .catch((error: unknown) => {
        log.error({ plugin: identifier, err: error }, 'a function could not be built anew');
        const text =
          error instanceof NoAddress
            ? 'Internal server error, failed to get serverless function url or function name'
            : `${failed}\n${textOf(error)}`;
        tell({ event: 'error', data: text });
      })
      .finally(() => {
        isOver = true;
        news.resolve();
      });
    try {
      for (;;) {
        yield* told.splice(0);
        if (isOver && told.length === 0) break;
        await news.promise;
        news = Promise.withResolvers();
      }
    } finally {
      await working;
    }
  }

  /** Points a version to another function, whatever that is. @throws DaemonError `record not found` */
  async point(identifier: string, to: LaunchedFunction): Promise<void> {
    if (!(await this.#options.rows.point(identifier, to))) throw new DaemonError('internal', 'record not found');
    this.#options.log.info({ plugin: identifier, function: to.name }, 'a plugin was pointed to another function');
  }

  /**
   * Where the function of an installed version is whose row is missing, as after an installation that met the last uninstall: the connector
   * is asked, and the row written again.
   */
  recover(identifier: string): Promise<ServerlessRuntimeRecord | undefined> {
    const now = performance.now();
    const known = this.#searches.get(identifier);
    if (known !== undefined && now - known.at < NOT_FOUND_MS) return known.found;
    if (this.#searches.size >= MAX_SEARCHES) this.#searches.clear();
    const found = this.#search(identifier);
    this.#searches.set(identifier, { found, at: now });
    return found;
  }

  async #search(identifier: string): Promise<ServerlessRuntimeRecord | undefined> {
    const { plugins, builder, rows, log } = this.#options;
    try {
      if ((await plugins.find(identifier))?.install_type !== 'serverless') return undefined;
      const found = await builder.find(identifier, AbortSignal.timeout(SEARCH_MS));
      if (found === undefined) return undefined;
      await this.#store(identifier, found);
      log.warn({ plugin: identifier }, 'the row of a function was missing; it was found again at the connector');
      return await rows.find(identifier);
    } catch (error) {
      log.error({ plugin: identifier, err: error }, 'the function of an installed plugin cannot be found');
      return undefined;
    }
  }

  async #store(identifier: string, { url, name }: LaunchedFunction): Promise<void> {
    const { checksum } = parseUniqueIdentifier(identifier);
    try {
      await this.#options.rows.upsert({
        plugin_unique_identifier: identifier,
        function_url: url,
        function_name: name,
        type: 'serverless',
        checksum,
      });
    } catch (error) {
      throw new DaemonError('internal', 'failed to persist serverless runtime', { cause: error });
    }
  }

  /** In upstream's words: what comes before the connector's answer has them in front, what stands in it speaks for itself. */
  #installFailure(error: unknown): unknown {
    if (error instanceof NoAddress)
      return new DaemonError('internal', 'Internal server error, failed to get lambda url or function name', {
        cause: error,
      });
    if (error instanceof DaemonError) return error;
    const began =
      (error instanceof SriUnavailable && error.reached === 'answer') ||
      (error instanceof SriRefusal && error.stage === 'launch');
    const prefix = began ? '' : 'failed to start installation: failed to install plugin to serverless\n';
    return new DaemonError('internal', prefix + textOf(error), { cause: error });
  }
}

const textOf = (error: unknown): string => {
  if (error instanceof DaemonError) return error.wireMessage;
  return messageOf(error);
};
