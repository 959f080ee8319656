import { messageOf } from '@plugin-daemon/values';
import { type Seed, type Seeds, sitePackagesOf } from '../environments/index.ts';
import { ForkParent, type LaunchSpec, type PluginProcess, type ProcessLauncher } from '../launcher/index.ts';
import type { Log } from '../log/index.ts';
import { parentProgram } from '../plugin-python/index.ts';

import { moduleInTheWay } from './module-names.ts';

/** How a plugin process came about. */
export interface StartedBy {
  readonly way: 'forked' | 'plain';
  /** Why it was started plainly. */
  readonly reason?: string;
}

/** How a plugin is to be started. */
export interface Way {
  /** Directories that its cage has to show. */
  readonly shows: readonly string[];
  /** Whether it is tried from a parent. */
  readonly forks: boolean;
  /** Launches the plugin's process, in its cage. `by` is asked when it has been launched. */
  readonly launcher: Pick<ProcessLauncher, 'launch'>;
  readonly by: () => StartedBy;
}

export interface StartRequest {
  readonly identifier: string;
  /** The working directory. */
  readonly directory: string;
  /** The interpreter of its environment. */
  readonly python: string;
  readonly entrypoint: string;
}

export interface ParentsOptions {
  readonly launcher: ProcessLauncher;
  readonly seeds: Pick<Seeds, 'find' | 'provide' | 'discard'>;
  /** The environment of plugins: parents have the same, since an interpreter reads its switches at its start. */
  readonly environment: Readonly<Record<string, string>>;
  /** How many parents there may be. */
  readonly most: number;
  /** A parent without children is ended after so long; milliseconds. */
  readonly idleMs: number;
  readonly log: Log;
  /** Told the number of parents when it changes. */
  readonly onParents?: (count: number) => void;
}

/** What supervision asks of parents. */
export interface Parents {
  /** How to start a plugin now. Never rejects: what stands in the way is the reason for a plain start. */
  choose(request: StartRequest): Promise<Way>;
  /** A plugin that a parent could not start and a plain start could: it is not tried again for a while. */
  refuse(identifier: string, reason: string): void;
  /** A plugin runs: now there is time to make what its next start can use. */
  prepare(request: StartRequest): void;
}

interface Kept {
  readonly seed: Seed;
  readonly opening: Promise<ForkParent>;
  parent: ForkParent | undefined;
}

/** What a plugin is forked from. */
interface Found {
  readonly seed: Seed;
  readonly parent: ForkParent;
  /** Of the plugin's own environment. */
  readonly sitePackages: string;
}

const LOOK_MS = 30_000;
/** A parent that could not be started is not tried again for so long. */
const PAUSE_MS = 60_000;
const REFUSED_MS = 3_600_000;
const MOST_REFUSED = 1000;

export class ParentsPool implements Parents {
  readonly #options: ParentsOptions;
  /** By the directory of their seed. */
  readonly #parents = new Map<string, Kept>();
  readonly #failed = new Map<string, { readonly at: number; readonly reason: string }>();
  readonly #refused = new Map<string, { readonly at: number; readonly reason: string }>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: ParentsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#collect(), Math.min(LOOK_MS, options.idleMs));
    this.#timer.unref();
  }

  async choose(request: StartRequest): Promise<Way> {
    try {
      const found = await this.#parentFor(request);
      if (typeof found === 'string') return this.#plain(found);
      return this.#forked(found, request);
    } catch (error) {
      return this.#plain(messageOf(error));
    }
  }

  refuse(identifier: string, reason: string): void {
    if (this.#refused.size >= MOST_REFUSED) this.#refused.clear();
    this.#refused.set(identifier, { at: Date.now(), reason });
  }

  prepare({ identifier, python }: StartRequest): void {
    if (this.#closed || process.platform !== 'linux') return;
    sitePackagesOf(environmentOf(python)).then(
      (sitePackages) => this.#options.seeds.provide(python, sitePackages),
      (error: unknown) => this.#options.log.debug({ plugin: identifier, error }, 'no parent is prepared for a plugin'),
    );
  }

  /** Ends all parents, with their children. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    const kept = [...this.#parents.values()];
    await Promise.all(kept.map(({ opening }) => opening.then((parent) => parent.close()).catch(() => undefined)));
  }

  #plain(reason: string): Way {
    const by: StartedBy = { way: 'plain', reason };
    return { shows: [], forks: false, launcher: this.#options.launcher, by: () => by };
  }

  #forked({ seed, parent, sitePackages }: Found, request: StartRequest): Way {
    let by: StartedBy = { way: 'forked' };
    const launch = async (spec: LaunchSpec): Promise<PluginProcess> => {
      const plainly = (reason: string) => {
        by = { way: 'plain', reason };
        return this.#options.launcher.launch(spec);
      };
      if (spec.cage === undefined) return await plainly('nothing holds plugins in here');
      try {
        return await parent.launch(spec, { entrypoint: request.entrypoint, sitePackages });
      } catch (error) {
        // If it is the cage, the plain start says so as well.
        this.#options.log.warn({ plugin: request.identifier, error }, 'a parent could not start a plugin');
        return await plainly(`its parent could not start it: ${messageOf(error)}`);
      }
    };
    return { shows: [seed.directory], forks: true, launcher: { launch }, by: () => by };
  }

  /** The parent, started if need be; or why there is none. */
  async #parentFor(request: StartRequest): Promise<Found | string> {
    if (this.#closed) return 'the daemon is shutting down';
    if (process.platform !== 'linux') return `plugins are not forked on ${process.platform}`;
    const refused = this.#refused.get(request.identifier);
    if (refused !== undefined && Date.now() - refused.at < REFUSED_MS) return refused.reason;
    const sitePackages = await sitePackagesOf(environmentOf(request.python));
    const seed = await this.#options.seeds.find(request.python, sitePackages);
    if (typeof seed === 'string') return seed;
    const kept = this.#parents.get(seed.directory) ?? this.#start(seed);
    if (typeof kept === 'string') return kept;
    const parent = await kept.opening;
    const name = await moduleInTheWay(request.directory, parent.facts.names);
    if (name !== undefined) return `its ${name} would hide a module that its parent has imported`;
    return { seed, parent, sitePackages };
  }

  #start(seed: Seed): Kept | string {
    const failed = this.#failed.get(seed.directory);
    if (failed !== undefined && Date.now() - failed.at < PAUSE_MS) return failed.reason;
    if (this.#parents.size >= this.#options.most && !this.#makeRoom())
      return `there are ${this.#options.most} parents already (PLUGIN_PREFORK_PARENTS)`;
    const { log, environment } = this.#options;
    const started = performance.now();
    const kept: Kept = { seed, opening: ForkParent.open(parentProgram(seed.python, environment)), parent: undefined };
    this.#parents.set(seed.directory, kept);
    this.#options.onParents?.(this.#parents.size);
    kept.opening.then(
      (parent) => {
        kept.parent = parent;
        const start_ms = Math.round(performance.now() - started);
        log.info({ pid: parent.pid, sdk: seed.distributions.get('dify-plugin'), start_ms }, 'a parent is ready');
        void parent.ended.then(() => this.#ended(kept));
      },
      (error: unknown) => {
        const reason = `the parent for its SDK did not start: ${messageOf(error)}`;
        this.#failed.set(seed.directory, { at: Date.now(), reason });
        log.warn(
          { sdk: seed.distributions.get('dify-plugin'), error },
          'a parent did not start; plugins are started plainly',
        );
        this.#forget(kept);
      },
    );
    return kept;
  }

  #ended(kept: Kept): void {
    if (this.#parents.get(kept.seed.directory) === kept && !this.#closed)
      this.#options.log.warn(
        { pid: kept.parent?.pid, sdk: kept.seed.distributions.get('dify-plugin') },
        'a parent has ended, and its plugins with it; the next start makes another',
      );
    this.#forget(kept);
  }

  #forget(kept: Kept): void {
    if (this.#parents.get(kept.seed.directory) !== kept) return;
    this.#parents.delete(kept.seed.directory);
    this.#options.onParents?.(this.#parents.size);
  }

  /** Ends the parent that has been without children for the longest time; whether there was one. */
  #makeRoom(): boolean {
    const idle = [...this.#parents.values()]
      .filter(({ parent }) => parent?.idleSince !== undefined)
      .sort((a, b) => (a.parent?.idleSince ?? 0) - (b.parent?.idleSince ?? 0));
    const [longest] = idle;
    if (longest === undefined) return false;
    this.#end(longest);
    return true;
  }

  #collect(): void {
    for (const kept of [...this.#parents.values()]) {
      const since = kept.parent?.idleSince;
      if (since !== undefined && Date.now() - since > this.#options.idleMs) this.#end(kept);
    }
  }

  #end(kept: Kept): void {
    this.#forget(kept);
    this.#options.log.info({ pid: kept.parent?.pid }, 'a parent without plugins is ended');
    kept.parent
      ?.close()
      .catch((error: unknown) =>
        this.#options.log.warn({ pid: kept.parent?.pid, error }, 'a parent could not be ended'),
      );
  }
}

/** The environment that an interpreter belongs to. */
const environmentOf = (python: string): string => python.slice(0, python.lastIndexOf('/bin/'));
