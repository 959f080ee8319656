import { readFile } from 'node:fs/promises';
import { isUniqueIdentifier, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';
import type { CallLimits, PoolPolicy } from './policy.ts';

/** What is said of one plugin; what is not said is as the settings have it. */
export interface PolicyChange {
  readonly min?: number;
  readonly max?: number;
  /** 0: it is never stopped. */
  readonly idle_seconds?: number;
  readonly calls_target?: number;
  readonly calls_max?: number;
  readonly queue_max?: number;
  /** 0: no limit. */
  readonly calls_per_minute?: number;
  /** 0: never. */
  readonly breaker_failures?: number;
  readonly breaker_open_seconds?: number;
}

/** The fields with their bounds. */
export const policyFields = {
  min: [0, 64],
  max: [1, 64],
  idle_seconds: [0, 2_000_000],
  calls_target: [1, 1_000_000],
  calls_max: [1, 1_000_000],
  queue_max: [0, 1_000_000],
  calls_per_minute: [0, 1_000_000],
  breaker_failures: [0, 1_000_000],
  breaker_open_seconds: [1, 2_000_000],
} as const satisfies { readonly [Field in keyof Required<PolicyChange>]: readonly [least: number, most: number] };

type Field = keyof typeof policyFields;
/** The keys of the table above are its fields. */
const fields = Object.keys(policyFields) as readonly Field[];
/** More plugins than a node runs. */
const MOST_LIMITS = 10_000;
/** A file of more plugins than a node has is a mistake. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/**
 * Whether a text can be the id of a plugin: the part of a unique identifier before its version. Most who say something of a version mean
 * the plugin.
 * @throws Error that says what it has to be
 */
export function checkPluginId(text: string): void {
  if (!isUniqueIdentifier(`${text}:0.0.0@${'0'.repeat(64)}`))
    throw new Error(`${text.slice(0, 100)} is no plugin id: that is author/name, without version and checksum`);
}

/** @throws Error that names the field, what is wrong with it and what it may be */
export function readPolicy(value: unknown): PolicyChange {
  if (!isObject(value)) throw new Error('a policy is an object of numbers');
  const unknown = Object.keys(value).find((name) => !fields.some((field) => field === name));
  if (unknown !== undefined) throw new Error(`${unknown.slice(0, 64)} is no field: there are ${fields.join(', ')}`);
  const change: { -readonly [Name in Field]?: number } = {};
  for (const field of fields) {
    const given = value[field];
    if (given === undefined || given === null) continue;
    const [least, most] = policyFields[field];
    if (typeof given !== 'number' || !Number.isInteger(given) || given < least || given > most)
      throw new Error(`${field} is not a whole number from ${least} to ${most}`);
    change[field] = given;
  }
  if (change.min !== undefined && change.max !== undefined && change.min > change.max)
    throw new Error(`min is ${change.min}, which is more than max, ${change.max}`);
  return change;
}

export interface PluginPoliciesOptions {
  /** As the settings have it. */
  readonly base: PoolPolicy & CallLimits;
  /** A JSON file: plugin id → policy. It need not exist. */
  readonly file: string;
  /** What was said through the API; counts more than the file. */
  readonly notes: {
    list(kind: 'policy'): Promise<ReadonlyMap<string, string>>;
    write(kind: 'policy', pluginId: string, value: string): Promise<void>;
    delete(kind: 'policy', pluginId: string): Promise<boolean>;
  };
  readonly log: Log;
  /** Something is not as it was. */
  readonly onChanged: () => void;
  /** Other nodes should look, too. */
  readonly tellOthers?: () => void;
}

/** How the instances of each plugin are kept: the settings, a file of this node, and what was said through the API for all nodes. */
export class PluginPolicies {
  readonly #options: PluginPoliciesOptions;
  #file: ReadonlyMap<string, PolicyChange> = new Map();
  #fileText = '';
  #said: ReadonlyMap<string, PolicyChange> = new Map();
  #saidText = '[]';
  /** Of each plugin that was asked for; the same object as long as nothing changes. */
  readonly #limits = new Map<string, CallLimits>();
  #anyLimits: boolean | undefined;

  constructor(options: PluginPoliciesOptions) {
    this.#options = options;
  }

  policyOf(identifier: string): PoolPolicy {
    const { pluginId } = parseUniqueIdentifier(identifier);
    return applied(this.#options.base, { ...this.#file.get(pluginId), ...this.#said.get(pluginId) });
  }

  /** What a tenant may ask of a plugin. The same object as long as nothing was said that changes it. */
  limitsOf(pluginId: string): CallLimits {
    const known = this.#limits.get(pluginId);
    if (known !== undefined) return known;
    const limits = limited(this.#options.base, { ...this.#file.get(pluginId), ...this.#said.get(pluginId) });
    if (this.#limits.size >= MOST_LIMITS) this.#limits.clear();
    this.#limits.set(pluginId, limits);
    return limits;
  }

  /** Whether calls of any plugin are limited. */
  get limitsAny(): boolean {
    const { base } = this.#options;
    this.#anyLimits ??= [
      base,
      ...[...this.#file.values(), ...this.#said.values()].map((one) => limited(base, one)),
    ].some(({ callsPerMinute, failuresToOpen }) => callsPerMinute + failuresToOpen > 0);
    return this.#anyLimits;
  }

  /** What was said of single plugins, and where. */
  list(): readonly { readonly plugin_id: string; readonly from: 'file' | 'api'; readonly policy: PolicyChange }[] {
    const rows = (from: 'file' | 'api', changes: ReadonlyMap<string, PolicyChange>) =>
      [...changes].map(([plugin_id, policy]) => ({ plugin_id, from, policy }));
    return [...rows('api', this.#said), ...rows('file', this.#file)];
  }

  /** Says it for all nodes; nothing said: the file and the settings count again. @throws what the database failed with */
  async set(pluginId: string, change: PolicyChange): Promise<void> {
    const { notes } = this.#options;
    if (Object.keys(change).length === 0) await notes.delete('policy', pluginId);
    else await notes.write('policy', pluginId, JSON.stringify(change));
    await this.look();
    this.#options.tellOthers?.();
  }

  /** Reads file and database again. Never fails: what cannot be read stays as it was. */
  async look(): Promise<void> {
    const changed = [await this.#lookAtFile(), await this.#lookAtNotes()];
    if (!changed.includes(true)) return;
    this.#limits.clear();
    this.#anyLimits = undefined;
    this.#options.onChanged();
  }

  async #lookAtFile(): Promise<boolean> {
    const { file, log } = this.#options;
    try {
      const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw error;
      });
      if (text === this.#fileText) return false;
      // One that is broken is told once, not at every look.
      this.#fileText = text;
      this.#file = text.trim() === '' ? new Map() : readFilePolicies(text);
      log.info({ file, plugins: [...this.#file.keys()] }, 'the policies of plugins were read');
      return true;
    } catch (error) {
      log.error(
        { file, reason: messageOf(error), remedy: 'Mend the file; until then counts what was read of it before' },
        'the policies of plugins in this file do not count',
      );
      return false;
    }
  }

  async #lookAtNotes(): Promise<boolean> {
    const { notes, log } = this.#options;
    try {
      const found = await notes.list('policy');
      const text = JSON.stringify([...found]);
      if (text === this.#saidText) return false;
      this.#saidText = text;
      this.#said = new Map([...found].flatMap(([pluginId, value]) => this.#readNote(pluginId, value)));
      return true;
    } catch (error) {
      log.error({ error }, 'the policies of plugins could not be read from the database');
      return false;
    }
  }

  /** One that is not understood, as of a newer version of the daemon, is left out and told once. */
  #readNote(pluginId: string, value: string): [string, PolicyChange][] {
    try {
      return [[pluginId, readPolicy(JSON.parse(value))]];
    } catch (error) {
      this.#options.log.error(
        { plugin_id: pluginId, reason: messageOf(error), remedy: 'Say it anew: PUT /admin/plugins/policies' },
        'what was said of this plugin does not count',
      );
      return [];
    }
  }
}

/** Everything that is said in a policy file. @throws Error that says what is wrong */
export function readFilePolicies(text: string): ReadonlyMap<string, PolicyChange> {
  if (text.length > MAX_FILE_BYTES) throw new Error(`it is longer than ${MAX_FILE_BYTES} bytes`);
  const parsed: unknown = JSON.parse(text);
  if (!isObject(parsed)) throw new Error('it is no object of plugin ids');
  return new Map(
    Object.entries(parsed).map(([pluginId, value]) => {
      try {
        checkPluginId(pluginId);
        return [pluginId, readPolicy(value)];
      } catch (error) {
        throw new Error(`${pluginId.slice(0, 100)}: ${messageOf(error)}`);
      }
    }),
  );
}

function limited(base: CallLimits, change: PolicyChange): CallLimits {
  return {
    callsPerMinute: change.calls_per_minute ?? base.callsPerMinute,
    failuresToOpen: change.breaker_failures ?? base.failuresToOpen,
    openSeconds: change.breaker_open_seconds ?? base.openSeconds,
  };
}

function applied(base: PoolPolicy, change: PolicyChange): PoolPolicy {
  const min = change.min ?? Math.min(base.min, change.max ?? base.max);
  return {
    min,
    max: Math.max(min, change.max ?? base.max),
    target: change.calls_target ?? base.target,
    limit: change.calls_max ?? base.limit,
    queue: change.queue_max ?? base.queue,
    idleMs:
      change.idle_seconds === undefined
        ? base.idleMs
        : change.idle_seconds === 0
          ? undefined
          : change.idle_seconds * 1000,
  };
}
