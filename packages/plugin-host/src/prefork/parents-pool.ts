import { availableParallelism } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@plugin-daemon/values';
import { type Seed, type Seeds, sitePackagesOf } from '../environments/index.ts';
import type { Forked, ForkParent, LaunchSpec, PluginProcess, ProcessLauncher, Template } from '../launcher/index.ts';
import type { Haste, Parents, StartedBy, StartRequest, Way } from './contract.ts';
import { type KeptParent, LivingParents, type LivingParentsOptions, type ParentFacts } from './living-parents.ts';
import { moduleInTheWay } from './module-names.ts';
import { Refusals } from './refusals.ts';
import { standingOf, Templates, type TemplatesOptions } from './templates.ts';

export interface ParentsOptions extends LivingParentsOptions {
  readonly launcher: ProcessLauncher;
  readonly seeds: Pick<Seeds, 'find' | 'provide' | 'discard'>;
  /** Of a plugin whose import takes so much processor time, instances are forked from one that has done it; 0 or absent: of none. */
  readonly templateAfterMs?: number;
  readonly templates?: Omit<TemplatesOptions, 'log'>;
}

/** What a plugin is forked from. */
interface Found {
  readonly seed: Seed;
  readonly parent: ForkParent;
  /** Of the plugin's own environment. */
  readonly sitePackages: string;
  readonly wish: TemplateWish;
}

/** Whether a process that is forked is to become a template. */
type TemplateWish =
  /** What it stands on, and to be called when it is known what became of it. */
  { readonly standing: string; readonly known: () => void } | { readonly alone: string | undefined };

/** What a process has become is told before it serves, on another way. */
const KNOWN_MS = 1000;
const nothing = (): void => undefined;

export class ParentsPool implements Parents {
  readonly #options: ParentsOptions;
  readonly #living: LivingParents;
  readonly #templates: Templates;
  readonly #refused = new Refusals();
  #closed = false;

  constructor(options: ParentsOptions) {
    this.#options = options;
    this.#living = new LivingParents({ ...options, discard: (seed) => options.seeds.discard(seed) });
    this.#templates = new Templates({ ...options.templates, log: options.log });
  }

  async choose(request: StartRequest, haste: Haste, signal: AbortSignal): Promise<Way> {
    try {
      const template = this.#mayHaveTemplate(request) ? await this.#templateFor(request, signal) : undefined;
      if (template !== undefined) return this.#templated(template, request);
      const found = await this.#parentFor(request, haste, signal);
      return 'plain' in found ? this.#plain(found.plain, haste, found.over) : this.#forked(found, request);
    } catch (error) {
      return this.#plain(messageOf(error), haste);
    }
  }

  refuse(identifier: string, reason: string, way: StartedBy['way'] = 'forked'): void {
    if (way === 'templated') return this.#templates.refuse(identifier, reason);
    this.#refused.add(identifier, reason);
  }

  forget(identifier: string): void {
    this.#templates.end(identifier);
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
    this.#templates.close();
    await this.#living.close();
  }

  /** The seed, and then its parent: whoever needs it next is not to wait for its import. */
  async #prepare({ identifier, python }: StartRequest): Promise<void> {
    if (this.#refused.reasonFor(identifier) !== undefined) return;
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
      sourceEnded: () => false,
      over: () => {
        over();
        goOn();
      },
    };
  }

  #mayHaveTemplate({ several = false }: StartRequest): boolean {
    return several && !this.#closed && (this.#options.templateAfterMs ?? 0) > 0;
  }

  async #wish(request: StartRequest): Promise<TemplateWish> {
    if (!this.#mayHaveTemplate(request)) return { alone: undefined };
    const { identifier, directory, python } = request;
    const standing = await standingOf(directory, python);
    const reason = this.#templates.refusal(identifier) ?? this.#templates.declined(identifier, standing);
    if (reason !== undefined) return { alone: reason === '' ? undefined : reason };
    return { standing, known: this.#templates.expect(identifier) };
  }

  /** The template that the plugin has, if it is to have one and its files are still the same. */
  async #templateFor({ identifier, directory, python }: StartRequest, signal: AbortSignal) {
    await this.#templates.settled(identifier, signal);
    return this.#templates.find(identifier, await standingOf(directory, python));
  }

  #templated(template: Template, request: StartRequest): Way {
    let by: StartedBy = { way: 'templated' };
    const { identifier } = request;
    const launch = async (spec: LaunchSpec): Promise<PluginProcess> => {
      try {
        return await this.#templates.launch(identifier, template, spec);
      } catch (error) {
        const reason = `its template could not start it: ${messageOf(error)}`;
        this.#options.log.warn({ plugin: identifier, error }, 'a template could not start a plugin');
        by = { way: 'plain', reason };
        // It may have no room, or not mean well: the next start is not to wait for it again.
        this.#templates.retire(identifier, template);
        return await this.#options.launcher.launch(spec);
      }
    };
    const sourceEnded = () => template.isGone;
    return { shows: [], forks: true, launcher: { launch }, by: () => by, sourceEnded, over: nothing };
  }

  /** Sees to what a process becomes that was asked to become a template. */
  async #keep({ identifier }: StartRequest, standing: string, { process, outcome }: Forked, by: StartedBy) {
    const became = await outcome;
    if ('declined' in became && became.declined !== '') by.alone = became.declined;
    await this.#templates.keep(identifier, standing, process, became);
  }

  #forked({ seed, parent, sitePackages, wish }: Found, request: StartRequest): Way {
    let by: StartedBy = { way: 'forked', ...('alone' in wish && wish.alone !== undefined && { alone: wish.alone }) };
    let kept = Promise.resolve();
    const launch = async (spec: LaunchSpec): Promise<PluginProcess> => {
      const plainly = (reason: string) => {
        by = { way: 'plain', reason };
        return this.#options.launcher.launch(spec);
      };
      if (spec.cage === undefined) return await plainly('nothing holds plugins in here');
      const fork = { entrypoint: request.entrypoint, sitePackages };
      const { templateAfterMs: afterMs = 0, log } = this.#options;
      try {
        if ('alone' in wish) return (await parent.launch(spec, fork)).process;
        const forked = await parent.launch(spec, { ...fork, template: { afterMs } });
        kept = this.#keep(request, wish.standing, forked, by).catch((error: unknown) =>
          log.error({ plugin: request.identifier, error }, 'a template could not be kept'),
        );
        return forked.process;
      } catch (error) {
        // If it is the cage, the plain start says so as well.
        log.warn({ plugin: request.identifier, error }, 'a parent could not start a plugin');
        return await plainly(`its parent could not start it: ${messageOf(error)}`);
      }
    };
    const over = () => {
      // One that serves without having said what it has become will not say it later.
      if ('known' in wish) void Promise.race([kept, pause(KNOWN_MS, undefined, { ref: false })]).then(wish.known);
    };
    const sourceEnded = () => parent.isGone;
    return { shows: [seed.directory], forks: true, launcher: { launch }, by: () => by, sourceEnded, over };
  }

  /** The parent, opened if need be; or why there is none. */
  async #parentFor(request: StartRequest, haste: Haste, signal: AbortSignal): Promise<Found | Plain> {
    if (this.#closed) return { plain: 'the daemon is shutting down' };
    if (process.platform !== 'linux') return { plain: `plugins are not forked on ${process.platform}` };
    const refused = this.#refused.reasonFor(request.identifier);
    if (refused !== undefined) return { plain: refused };
    const sitePackages = await sitePackagesOf(environmentOf(request.python));
    const seed = await this.#options.seeds.find(request.python, sitePackages);
    if (typeof seed === 'string') {
      // The next one of its kind is often installed right after it. A call that waits has the processors to itself.
      if (!haste.urgent && (this.#options.processors ?? availableParallelism()) > 1) this.prepare(request);
      return { plain: seed };
    }
    const kept = this.#living.of(seed, true);
    if (typeof kept === 'string') return { plain: kept };
    const parent = kept.parent ?? (await untilReady(kept, haste, signal));
    if ('plain' in parent) return parent;
    const name = await moduleInTheWay(request.directory, parent.facts.names);
    if (name !== undefined) return { plain: `its ${name} would hide a module that its parent has imported` };
    return { seed, parent, sitePackages, wish: await this.#wish(request) };
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
