import { dirname } from 'node:path';
import { identityOf } from '../environments/index.ts';
import type { LaunchSpec, PluginProcess, Template, TemplateOutcome } from '../launcher/index.ts';
import type { Log } from '../log/index.ts';
import { Refusals } from './refusals.ts';

export interface TemplatesOptions {
  /** Without an instance a template is ended after so long; milliseconds. */
  readonly idleMs?: number;
  readonly log: Log;
  /** Told the number of templates when it changes. */
  readonly onTemplates?: ((count: number) => void) | undefined;
}

interface Kept {
  readonly template: Template;
  /** What it was started from. */
  readonly standing: string;
  instances: number;
  idle: NodeJS.Timeout | undefined;
}

/** Long enough for a plugin that has died to come back, too short to be noticed as memory of one that sleeps. */
const IDLE_MS = 20_000;
const MOST_DECLINED = 1000;

/** The templates that there are, one for each plugin version at most; each is ended when nothing was forked from it for a while. */
export class Templates {
  readonly #options: TemplatesOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #refused = new Refusals();
  /** Why processes that were asked to become templates have not: the same files give the same answer. */
  readonly #declined = new Map<string, { readonly standing: string; readonly reason: string }>();
  /** Starts that may make a template. */
  readonly #expected = new Map<string, Promise<void>>();
  #closed = false;

  constructor(options: TemplatesOptions) {
    this.#options = options;
  }

  /** Why a plugin's process is not to become a template; undefined if it may. */
  refusal(identifier: string): string | undefined {
    return this.#refused.reasonFor(identifier);
  }

  /** A plugin whose instances do not run when they come from a template, and do otherwise. */
  refuse(identifier: string, reason: string): void {
    this.#refused.add(identifier, reason);
    this.end(identifier);
  }

  /**
   * Whoever comes while a start may make a template waits for it: it would import no sooner than that one.
   * @throws the signal's reason
   */
  async settled(identifier: string, signal: AbortSignal): Promise<void> {
    for (let expected = this.#expected.get(identifier); expected; expected = this.#expected.get(identifier)) {
      signal.throwIfAborted();
      const given = Promise.withResolvers<void>();
      const giveUp = () => given.resolve();
      signal.addEventListener('abort', giveUp, { once: true });
      await Promise.race([expected, given.promise]);
      signal.removeEventListener('abort', giveUp);
    }
  }

  /** A start begins that may make a template. @returns to be called when it is known */
  expect(identifier: string): () => void {
    const known = Promise.withResolvers<void>();
    this.#expected.set(identifier, known.promise);
    return () => {
      if (this.#expected.get(identifier) === known.promise) this.#expected.delete(identifier);
      known.resolve();
    };
  }

  /** Why a process of these files has not become one; empty if it was not worth it. */
  declined(identifier: string, standing: string): string | undefined {
    const declined = this.#declined.get(identifier);
    return declined?.standing === standing ? declined.reason : undefined;
  }

  /**
   * A template of the plugin, as it lies there now.
   * @param standing what `standingOf` says of the plugin's files
   */
  find(identifier: string, standing: string): Template | undefined {
    const kept = this.#kept.get(identifier);
    if (kept === undefined || kept.template.isGone) return undefined;
    if (kept.standing === standing) return kept.template;
    // Its instances are replaced by whoever watches what they stand on.
    if (kept.instances === 0) this.end(identifier);
    return undefined;
  }

  /** Takes over what a process has become, if it has become a template; that process is its first instance. */
  async keep(identifier: string, standing: string, process: PluginProcess, outcome: TemplateOutcome): Promise<void> {
    if (!('template' in outcome)) {
      if (this.#declined.size >= MOST_DECLINED) this.#declined.clear();
      this.#declined.set(identifier, { standing, reason: outcome.declined });
      return;
    }
    const { template } = outcome;
    if (this.#closed) return template.end();
    const former = this.#kept.get(identifier);
    // Two were started at the same time: the one that is used less lets go when it has no instance.
    if (former !== undefined && !former.template.isGone) former.idle ??= this.#endLater(former);
    const kept: Kept = { template, standing, instances: 0, idle: undefined };
    this.#kept.set(identifier, kept);
    this.#tell();
    this.#options.log.info(
      { plugin: identifier, pid: template.pid },
      'a plugin has become a template of its instances',
    );
    void template.gone.then(() => {
      clearTimeout(kept.idle);
      if (this.#kept.get(identifier) === kept) this.#kept.delete(identifier);
      this.#tell();
    });
    this.#count(kept, process);
  }

  /** @throws when it could not be forked */
  async launch(identifier: string, template: Template, spec: LaunchSpec): Promise<PluginProcess> {
    const kept = this.#kept.get(identifier);
    const process = await template.launch(spec);
    if (kept?.template === template) this.#count(kept, process);
    return process;
  }

  /** Nothing more is forked from a template that has failed to; it ends with its last instance. */
  retire(identifier: string, template: Template): void {
    const kept = this.#kept.get(identifier);
    if (kept?.template !== template) return;
    this.#kept.delete(identifier);
    this.#tell();
    if (kept.instances === 0) template.end();
  }

  /** Ends a template with its instances: it is not wanted, or not good. */
  end(identifier: string): void {
    this.#declined.delete(identifier);
    this.#kept.get(identifier)?.template.end();
  }

  /** Whoever has opened their parents ends them. */
  close(): void {
    this.#closed = true;
    for (const { idle } of this.#kept.values()) clearTimeout(idle);
  }

  #count(kept: Kept, process: PluginProcess): void {
    kept.instances++;
    clearTimeout(kept.idle);
    kept.idle = undefined;
    void process.exited.then(() => {
      if (--kept.instances === 0 && !this.#closed) kept.idle = this.#endLater(kept);
    });
  }

  #endLater(kept: Kept): NodeJS.Timeout {
    const end = () => {
      kept.idle = undefined;
      if (kept.instances === 0) kept.template.end();
    };
    return setTimeout(end, this.#options.idleMs ?? IDLE_MS).unref();
  }

  #tell(): void {
    this.#options.onTemplates?.(this.#kept.size);
  }
}

/** Tells the files of one start of a plugin from those of another: its directory, and its environment. @throws when they are not there */
export async function standingOf(directory: string, python: string): Promise<string> {
  const environment = dirname(dirname(python));
  const identities = await Promise.all([directory, environment, `${environment}/lib`].map(identityOf));
  return identities.join(' ');
}
