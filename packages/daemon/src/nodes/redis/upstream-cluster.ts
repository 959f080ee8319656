import { createHash } from 'node:crypto';
import type { Cache, Scripts } from '../../cache/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { fingerprint } from '../fingerprint.ts';
import type { DebuggedPlugin, Member, NodeAddress } from '../node.ts';
import { addressesOf, pingOf, readStates, readStatus, statusText } from './upstream-records.ts';

export interface UpstreamClusterOptions {
  readonly nodeId: string;
  readonly scripts: Scripts & Pick<Cache, 'publish'>;
  /** Where the existing daemon's nodes may send calls: plain HTTP. */
  readonly addresses: () => readonly NodeAddress[];
  /** What is connected here for debugging. */
  readonly debugging: () => readonly DebuggedPlugin[];
  /** Identifiers of the plugins that are ready here. */
  readonly warm: () => readonly string[];
  /** Which of the nodes are ours: they are known better by other means. */
  readonly isOurs: (id: string) => boolean;
  /** Its nodes came, went, or run other plugins. */
  readonly onChanged: () => void;
  readonly log: Log;
  readonly everyMs?: number;
}

/** The existing daemon's names (docs/wire/state.md#nodes). */
const STATUS = 'cluster-nodes-status-hash-map';
const STATES = 'plugin_state';
const NEW_NODE = 'cluster-new-node-channel';
/** Its nodes are believed for 10 s and write every 5. */
const EVERY_MS = 5000;
const BELIEVED_MS = 12_000;
/** Entries that nobody renewed for so long are cleared away: the existing daemon's master would, but there may be none. */
const CLEARED_MS = 60_000;
/** Plugins that are told of; beyond it calls find us by their installations all the same. */
const MOST_STATES = 1000;
/** Fields written with one script. */
const FIELDS_AT_ONCE = 200;

const READ = `
local time = redis.call('TIME')
return { redis.call('HGETALL', KEYS[1]), time[1] }`;
const READ_ALL = `return redis.call('HGETALL', KEYS[1])`;
/** Writes unless somebody else has written since it was read: its nodes keep their votes in our entry. */
const REPLACE = `
local now = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if now ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`;
const WRITE = `
for at = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
return 1`;
const REMOVE = `
for _, field in ipairs(ARGV) do redis.call('HDEL', KEYS[1], field) end
return 1`;

interface Seen {
  readonly ping: number;
  /** When it changed last, on our clock that does not jump. */
  readonly at: number;
  /** It changed while we looked, or was fresh when first seen. */
  readonly live: boolean;
}

/**
 * Keeps us in the hashes of the existing daemon's cluster, and reads its nodes there, so that both kinds stand side by side while one
 * replaces the other. Whether one of its nodes lives is judged by its entry changing, not by its clock.
 */
export class UpstreamCluster {
  readonly #options: UpstreamClusterOptions;
  readonly #seen = new Map<string, Seen>();
  #members: readonly Member[] = [];
  /** Fields of ours that stand there. */
  #fields = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #failed = false;

  constructor(options: UpstreamClusterOptions) {
    this.#options = options;
  }

  /** The existing daemon's nodes that live, with what they run. */
  get members(): readonly Member[] {
    return this.#members;
  }

  async start(): Promise<void> {
    await this.refresh();
    await this.#options.scripts
      .publish(NEW_NODE, JSON.stringify({ node_id: this.#options.nodeId }))
      // Its nodes look every half minute anyway.
      .catch(() => undefined);
    this.#timer = setInterval(() => void this.refresh(), this.#options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  /** Writes and reads now; one after another. Never rejects. */
  refresh(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#closed) return;
      try {
        await this.#refresh();
        this.#failed = false;
      } catch (error) {
        if (!this.#failed)
          this.#options.log.warn({ error }, "the existing daemon's nodes could not be told of this one");
        this.#failed = true;
      }
    });
    return this.#turn;
  }

  async leave(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#turn;
    const { scripts, nodeId } = this.#options;
    try {
      await scripts.script(REMOVE, [STATUS], [nodeId]);
      await this.#remove([...this.#fields]);
    } catch {
      // They forget us in ten seconds.
    }
  }

  async #refresh(): Promise<void> {
    const { scripts, nodeId, addresses, isOurs } = this.#options;
    const answer = await scripts.script(READ, [STATUS], []);
    const [fields, seconds] = Array.isArray(answer) ? (answer as readonly unknown[]) : [];
    const all = entriesOf(fields);
    const now = Number(seconds);
    const own = all.get(nodeId) ?? '';
    const text = statusText(readStatus(own), addresses(), now);
    // Changed meanwhile by a vote: the next time, 5 s from now, is early enough.
    await scripts.script(REPLACE, [STATUS], [nodeId, own, text]);
    await this.#look(all, now, isOurs);
    await this.#writeStates(now);
  }

  async #look(all: ReadonlyMap<string, string>, nowSeconds: number, isOurs: (id: string) => boolean): Promise<void> {
    const at = performance.now();
    for (const id of this.#seen.keys()) if (!all.has(id)) this.#seen.delete(id);
    const dead: string[] = [];
    const live = new Map<string, readonly NodeAddress[]>();
    for (const [id, text] of all) {
      if (id === this.#options.nodeId) continue;
      const status = readStatus(text);
      const ping = pingOf(status);
      const before = this.#seen.get(id);
      const fresh = Math.abs(nowSeconds - ping) * 1000 < BELIEVED_MS;
      if (before === undefined) this.#seen.set(id, { ping, at, live: fresh });
      else if (before.ping !== ping) this.#seen.set(id, { ping, at, live: true });
      const seen = this.#seen.get(id);
      if (seen === undefined) continue;
      if (at - seen.at > CLEARED_MS && !fresh) dead.push(id);
      else if (seen.live && at - seen.at < BELIEVED_MS && !isOurs(id)) live.set(id, addressesOf(status));
    }
    if (dead.length > 0) await this.#options.scripts.script(REMOVE, [STATUS], dead);
    const before = this.#members;
    this.#members = live.size === 0 ? [] : await this.#withPlugins(live);
    if (before.length > 0 || this.#members.length > 0) this.#options.onChanged();
  }

  async #withPlugins(live: ReadonlyMap<string, readonly NodeAddress[]>): Promise<readonly Member[]> {
    const states = readStates(entriesOf(await this.#options.scripts.script(READ_ALL, [STATES], [])));
    return [...live].flatMap(([id, addresses]) => {
      if (addresses.length === 0) return [];
      const identifiers = states.get(id) ?? [];
      return {
        id,
        name: id,
        version: 'existing daemon',
        role: 'all',
        state: 'serving',
        addresses,
        tls: false,
        cores: 1,
        load: 0,
        warm: new Set(identifiers.map(fingerprint)),
        debugging: identifiers.map((identifier) => ({ tenantId: '', pluginId: '', identifier })),
        foreign: true,
      } satisfies Member;
    });
  }

  /** Debugging connections are always told of; what runs everywhere only while there are nodes that may ask. */
  async #writeStates(nowSeconds: number): Promise<void> {
    const { nodeId, debugging, warm, scripts } = this.#options;
    const connected = debugging().map(({ identifier }) => identifier);
    const identifiers = this.#members.length === 0 ? connected : [...connected, ...warm()];
    const at = new Date(nowSeconds * 1000).toISOString();
    const rows = identifiers.slice(0, MOST_STATES).map((identity) => {
      const field = `${nodeId}:${createHash('sha256').update(identity).digest('hex')}`;
      const state = {
        restarts: 0,
        status: 'active',
        working_path: '',
        active_at: at,
        stopped_at: null,
        verified: false,
        scheduled_at: at,
        logs: [],
        identity,
      };
      return [field, JSON.stringify(state)] as const;
    });
    const fields = new Set(rows.map(([field]) => field));
    const gone = [...this.#fields].filter((field) => !fields.has(field));
    this.#fields = new Set([...this.#fields, ...fields]);
    for (let from = 0; from < rows.length; from += FIELDS_AT_ONCE)
      await scripts.script(WRITE, [STATES], rows.slice(from, from + FIELDS_AT_ONCE).flat());
    await this.#remove(gone);
    this.#fields = fields;
  }

  async #remove(fields: readonly string[]): Promise<void> {
    for (let from = 0; from < fields.length; from += FIELDS_AT_ONCE)
      await this.#options.scripts.script(REMOVE, [STATES], fields.slice(from, from + FIELDS_AT_ONCE));
  }
}

/** A hash as Redis answers it. */
function entriesOf(list: unknown): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  if (!Array.isArray(list)) return found;
  for (let at = 0; at + 1 < list.length; at += 2) found.set(String(list[at]), String(list[at + 1]));
  return found;
}
