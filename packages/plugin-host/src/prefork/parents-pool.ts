import { messageOf } from '@plugin-daemon/values';
import { type Seed, type Seeds, sitePackagesOf } from '../environments/index.ts';
import type { ForkParent, LaunchSpec, PluginProcess, ProcessLauncher } from '../launcher/index.ts';
import { type KeptParent, LivingParents, type LivingParentsOptions, type ParentFacts } from './living-parents.ts';
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
  /** The start is over, however it went; whoever has chosen a way says so. */
  over(): void;
}

export interface StartRequest {
  readonly identifier: string;
  /** The working directory. */
  readonly directory: string;
  /** The interpreter of its environment. */
  readonly python: string;
  readonly entrypoint: string;
}

/** Whether a call waits for a start. */
export interface Haste {
  readonly urgent: boolean;
  /** Settles when one does. */
  readonly raised: Promise<void>;
}

export interface ParentsOptions extends LivingParentsOptions {
  readonly launcher: ProcessLauncher;
  readonly seeds: Pick<Seeds, 'find' | 'provide' | 'discard'>;
}

/** What supervision asks of parents. */
export interface Parents {
  /**
   * How to start a plugin now. Starts that nobody waits for wait for their parent; a call does not: it gets a plain start, or the parent
   * if that is ready first. Never rejects: what stands in the way is the reason for a plain start.
   * @param signal ends the waiting
   */
  choose(request: StartRequest, haste: Haste, signal: AbortSignal): Promise<Way>;
  /** A plugin that a parent could not start and a plain start could: it is not tried again for a while. */
  refuse(identifier: string, reason: string): void;
  /** A plugin runs: now there is time to make what its next start can use. */
  prepare(request: StartRequest): void;
}

/** What a plugin is forked from. */
interface Found {
  readonly seed: Seed;
  readonly parent: ForkParent;
  /** Of the plugin's own environment. */
  readonly sitePackages: string;
}

const REFUSED_MS = 3_600_000;
const MOST_REFUSED = 1000;
const nothing = (): void => undefined;

export class ParentsPool implements Parents {
  readonly #options: ParentsOptions;
  readonly #living: LivingParents;
  readonly #refused = new Map<string, { readonly at: number; readonly reason: string }>();
  #closed = false;

  constructor(options: ParentsOptions) {
    this.#options = options;
    this.#living = new LivingParents(options);
  }

  async choose(request: StartRequest, haste: Haste, signal: AbortSignal): Promise<Way> {
    try {
      const found = await this.#parentFor(request, haste, signal);
      return 'plain' in found ? this.#plain(found.plain, haste, found.over) : this.#forked(found, request);
    } catch (error) {
      return this.#plain(messageOf(error), haste);
    }
  }

  refuse(identifier: string, reason: string): void {
    if (this.#refused.size >= MOST_REFUSED) this.#refused.clear();
    this.#refused.set(identifier, { at: Date.now(), reason });
  }

  prepare(request: StartRequest): void {
    if (this.#closed || process.platform !== 'linux') return;
    this.#prepare(request).catch((error: unknown) =>
      this.#options.log.debug({ plugin: request.identifier, error }, 'no parent is prepared for a plugin'),
    );
  }

  /** Of all parents, and of those that could not be started lately. */
  facts(): readonly ParentFacts[] {
    return this.#living.facts();
  }

  /** Ends all parents, with their children. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#living.close();
  }

  /** The seed, and then its parent: whoever needs it next is not to wait for its import. */
  async #prepare({ identifier, python }: StartRequest): Promise<void> {
    if (this.#refusal(identifier) !== undefined) return;
    const sitePackages = await sitePackagesOf(environmentOf(python));
    await this.#options.seeds.provide(python, sitePackages);
    const seed = await this.#options.seeds.find(python, sitePackages);
    if (typeof seed !== 'string' && !this.#closed) this.#living.of(seed, false);
  }

  #plain(reason: string, haste: Haste, over = nothing): Way {
    const by: StartedBy = { way: 'plain', reason };
    const goOn = haste.urgent ? this.#living.giveWay() : nothing;
    return {
      shows: [],
      forks: false,
      launcher: this.#options.launcher,
      by: () => by,
      over: () => {
        over();
        goOn();
      },
    };
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
    return { shows: [seed.directory], forks: true, launcher: { launch }, by: () => by, over: nothing };
  }

  #refusal(identifier: string): string | undefined {
    const refused = this.#refused.get(identifier);
    return refused !== undefined && Date.now() - refused.at < REFUSED_MS ? refused.reason : undefined;
  }

  /** The parent, opened if need be; or why there is none. */
  async #parentFor(request: StartRequest, haste: Haste, signal: AbortSignal): Promise<Found | Plain> {
    if (this.#closed) return { plain: 'the daemon is shutting down' };
    if (process.platform !== 'linux') return { plain: `plugins are not forked on ${process.platform}` };
    const refused = this.#refusal(request.identifier);
    if (refused !== undefined) return { plain: refused };
    const sitePackages = await sitePackagesOf(environmentOf(request.python));
    const seed = await this.#options.seeds.find(request.python, sitePackages);
    if (typeof seed === 'string') return { plain: seed };
    const kept = this.#living.of(seed, true);
    if (typeof kept === 'string') return { plain: kept };
    const parent = kept.parent ?? (await untilReady(kept, haste, signal));
    if ('plain' in parent) return parent;
    const name = await moduleInTheWay(request.directory, parent.facts.names);
    if (name !== undefined) return { plain: `its ${name} would hide a module that its parent has imported` };
    return { seed, parent, sitePackages };
  }
}

/** A reason for a plain start, and what is to be done when that is over. */
interface Plain {
  readonly plain: string;
  readonly over?: () => void;
}

/**
 * Waits for a parent. Of the calls that would, one gets a plain start at once, and each time one is over the next one does, until the parent
 * is ready: a parent that takes long keeps nobody waiting, and many calls do not make as many imports.
 */
async function untilReady(kept: KeptParent, haste: Haste, signal: AbortSignal): Promise<ForkParent | Plain> {
  const given = Promise.withResolvers<never>();
  const giveUp = () => given.reject(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener('abort', giveUp, { once: true });
  const isReady = kept.opening.ready.then(nothing);
  // Of who does not wait for them any more.
  for (const one of [isReady, given.promise]) one.catch(nothing);
  try {
    if (!haste.urgent) await Promise.race([isReady, haste.raised, given.promise]);
    while (kept.parent === undefined) {
      if (kept.substitute === undefined) return substituteFor(kept);
      const leave = kept.opening.want();
      try {
        await Promise.race([isReady, kept.substitute, given.promise]);
      } finally {
        leave();
      }
    }
    return kept.parent;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function substituteFor(kept: KeptParent): Plain {
  const over = Promise.withResolvers<void>();
  kept.substitute = over.promise.then(() => {
    kept.substitute = undefined;
  });
  return { plain: 'its parent was not ready yet', over: over.resolve };
}

/** The environment that an interpreter belongs to. */
const environmentOf = (python: string): string => python.slice(0, python.lastIndexOf('/bin/'));
