import { availableParallelism } from 'node:os';
import { messageOf } from '@plugin-daemon/values';
import type { Seed } from '../environments/index.ts';
import { ForkParent, isShortage } from '../launcher/index.ts';
import type { Log } from '../log/index.ts';
import { parentProgram } from '../plugin-python/index.ts';
import { type Opening, Openings } from './openings.ts';

export interface LivingParentsOptions {
  /** The environment of plugins: parents have the same, since an interpreter reads its switches at its start. */
  readonly environment: Readonly<Record<string, string>>;
  /** How many parents there may be. */
  readonly most: number;
  /** A parent without children is ended after so long; milliseconds. */
  readonly idleMs: number;
  readonly log: Log;
  /** How many processors there are; default: those of this machine. */
  readonly processors?: number;
  /** Removes an environment whose parent does not start; the next plain start of a plugin makes it anew. */
  readonly discard?: (seed: Seed) => Promise<void>;
  /** Told the number of parents when it changes. */
  readonly onParents?: (count: number) => void;
}

/** One parent from when it is wanted to its end. */
export interface KeptParent {
  readonly seed: Seed;
  readonly opening: Opening<ForkParent>;
  /** Since it is ready. */
  parent: ForkParent | undefined;
  /** A plain start in its place, as long as it is not ready; settles when that is over. */
  substitute: Promise<void> | undefined;
}

/** What operators are told of a parent. */
export interface ParentFacts {
  readonly sdk: string;
  readonly state: 'waits' | 'imports' | 'ready' | 'failed';
  readonly pid?: number;
  /** Plugins that were forked from it and run. */
  readonly plugins?: number;
  /** Why it could not be started. */
  readonly reason?: string;
}

const LOOK_MS = 30_000;
/** A parent that could not be started is not tried again for so long. */
const PAUSE_MS = 60_000;
const MOST_FAILED = 64;
/** Its environment may be damaged: it is made anew, and not again for so long, since it may be no fault of the environment. */
const RENEWAL_MS = 60 * 60_000;

const sdkOf = ({ distributions }: Seed): string => distributions.get('dify-plugin') ?? '';

/** The parents that there are, one for each seed: opened when one is wanted, replaced when it has ended, ended when it is idle. */
export class LivingParents {
  readonly #options: LivingParentsOptions;
  readonly #openings: Openings<ForkParent>;
  /** By the directory of their seed. */
  readonly #parents = new Map<string, KeptParent>();
  readonly #failed = new Map<string, { readonly at: number; readonly sdk: string; readonly reason: string }>();
  /** When the environment of a parent that did not start was given up. */
  readonly #renewed = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: LivingParentsOptions) {
    this.#options = options;
    this.#openings = new Openings({ processors: options.processors ?? availableParallelism() });
    this.#timer = setInterval(() => this.#collect(), Math.min(LOOK_MS, options.idleMs));
    this.#timer.unref();
  }

  /**
   * The parent of a seed, which may not be ready yet; or why there is none.
   * @param makeRoom ends another one that has no children, if there are too many
   */
  of(seed: Seed, makeRoom: boolean): KeptParent | string {
    return this.#parents.get(seed.directory) ?? this.#open(seed, makeRoom);
  }

  /** A plain start begins that a call waits for. @returns to be called when it is over */
  giveWay(): () => void {
    return this.#openings.giveWay();
  }

  facts(): readonly ParentFacts[] {
    const living = [...this.#parents.values()].map(({ seed, parent, opening }): ParentFacts => {
      if (parent === undefined) return { sdk: sdkOf(seed), state: opening.isRunning ? 'imports' : 'waits' };
      return { sdk: sdkOf(seed), state: 'ready', pid: parent.pid, plugins: parent.children };
    });
    const failed = [...this.#failed.values()]
      .filter(({ at }) => Date.now() - at < PAUSE_MS)
      .map(({ sdk, reason }): ParentFacts => ({ sdk, state: 'failed', reason }));
    return [...living, ...failed];
  }

  /** Ends all parents, with their children. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    const kept = [...this.#parents.values()];
    await this.#openings.close();
    await Promise.all(kept.map(({ opening }) => opening.ready.then((parent) => parent.close()).catch(() => undefined)));
  }

  #open(seed: Seed, makeRoom: boolean): KeptParent | string {
    const failed = this.#failed.get(seed.directory);
    if (failed !== undefined && Date.now() - failed.at < PAUSE_MS) return failed.reason;
    if (this.#parents.size >= this.#options.most && !(makeRoom && this.#makeRoom()))
      return `there are ${this.#options.most} parents already (PLUGIN_PREFORK_PARENTS)`;
    const { log, environment } = this.#options;
    const program = parentProgram(seed.python, environment);
    const wantedAt = performance.now();
    let began = wantedAt;
    const opening = this.#openings.add((options) => {
      began = performance.now();
      const onHung = () =>
        log.error({ sdk: sdkOf(seed) }, 'a parent does not answer and is ended, with the plugins that it has forked');
      return ForkParent.open({ ...program, onHung }, options);
    });
    const kept: KeptParent = { seed, opening, parent: undefined, substitute: undefined };
    this.#parents.set(seed.directory, kept);
    this.#options.onParents?.(this.#parents.size);
    opening.ready.then(
      (parent) => {
        kept.parent = parent;
        this.#failed.delete(seed.directory);
        const [start_ms, waited_ms] = [performance.now() - began, began - wantedAt].map(Math.round);
        log.info({ pid: parent.pid, sdk: sdkOf(seed), start_ms, waited_ms }, 'a parent is ready');
        void parent.ended.then(() => this.#ended(kept));
      },
      (error: unknown) => {
        this.#forget(kept);
        if (this.#closed) return;
        if (this.#renew(seed, error)) return;
        if (this.#failed.size >= MOST_FAILED) this.#failed.clear();
        const reason = `the parent for its SDK did not start: ${messageOf(error)}`;
        this.#failed.set(seed.directory, { at: Date.now(), sdk: sdkOf(seed), reason });
        log.warn({ sdk: sdkOf(seed), error }, 'a parent did not start; plugins are started plainly');
      },
    );
    return kept;
  }

  /** @returns whether it is given up */
  #renew(seed: Seed, reason: unknown): boolean {
    const { discard, log } = this.#options;
    const last = this.#renewed.get(seed.directory);
    // That there are too few descriptors is no fault of the environment.
    if (discard === undefined || isShortage(reason) || (last !== undefined && Date.now() - last < RENEWAL_MS))
      return false;
    if (this.#renewed.size >= MOST_FAILED) this.#renewed.clear();
    this.#renewed.set(seed.directory, Date.now());
    log.warn({ sdk: sdkOf(seed), error: reason }, 'a parent did not start; its environment is made anew');
    discard(seed).catch((error: unknown) =>
      log.warn({ directory: seed.directory, error }, 'the environment of a parent could not be removed'),
    );
    return true;
  }

  #ended(kept: KeptParent): void {
    if (this.#parents.get(kept.seed.directory) === kept && !this.#closed)
      this.#options.log.warn(
        { pid: kept.parent?.pid, sdk: sdkOf(kept.seed) },
        'a parent has ended, and its plugins with it; the next start makes another',
      );
    this.#forget(kept);
  }

  #forget(kept: KeptParent): void {
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

  #end(kept: KeptParent): void {
    this.#forget(kept);
    this.#options.log.info({ pid: kept.parent?.pid }, 'a parent without plugins is ended');
    kept.parent
      ?.close()
      .catch((error: unknown) =>
        this.#options.log.warn({ pid: kept.parent?.pid, error }, 'a parent could not be ended'),
      );
  }
}
