import type { Scripts } from '../../cache/index.ts';
import type { EventBus } from '../../events/index.ts';
import type { NodeDirectory, Renewal, Renewed } from '../directory.ts';
import { entryParts } from '../fingerprint.ts';

export interface RedisNodeDirectoryOptions {
  readonly scripts: Scripts;
  readonly events: Pick<EventBus, 'on' | 'publish'>;
}

/** All in one slot of a Cluster. */
const keys = {
  leases: 'v2:{nodes}:leases',
  loads: 'v2:{nodes}:loads',
  entries: 'v2:{nodes}:entries',
  revisions: 'v2:{nodes}:revisions',
  revision: 'v2:{nodes}:revision',
};
/** Nodes forgotten with one renewal: those of a whole deployment that went at once are forgotten within a few. */
const FORGOTTEN_AT_ONCE = 20;
/** What nobody renews is gone after so many leases. */
const KEPT_LEASES = 20;

/** Between the id of a node and the part of its entry; ids have none. */
const PART = '/';

/** Takes a node out, with all the parts that its entry may have. */
const FORGET = `
local function forget(gone)
  redis.call('ZREM', KEYS[1], gone)
  redis.call('HDEL', KEYS[2], gone)
  local fields = { gone }
  for part in string.gmatch('${entryParts}', '.') do fields[#fields + 1] = gone .. '${PART}' .. part end
  redis.call('HDEL', KEYS[3], unpack(fields))
  redis.call('ZREM', KEYS[4], unpack(fields))
end
`;

/**
 * One round trip per renewal. Leases are judged by the server's clock, those of nodes do not count. Of the entries only those parts are
 * told that are new to the asker: with hundreds of nodes a renewal costs as many bytes as there are ids, loads and changes.
 */
const RENEW = `${FORGET}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local id, telling, load, lease, known = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[6])) do forget(gone) end
local accepted = 1
if telling == 'whole' then
  forget(id)
elseif not redis.call('ZSCORE', KEYS[1], id) or redis.call('HEXISTS', KEYS[3], id) == 0 then
  accepted = 0
end
if accepted == 1 then
  -- Revisions never come again, also after everything was lost: whoever knows an old one is told all.
  if telling ~= '' then redis.call('SET', KEYS[5], string.format('%.0f', now * 1000), 'NX') end
  for at = 8, #ARGV, 2 do
    redis.call('HSET', KEYS[3], ARGV[at], ARGV[at + 1])
    redis.call('ZADD', KEYS[4], redis.call('INCR', KEYS[5]), ARGV[at])
  end
  redis.call('ZADD', KEYS[1], now + lease, id)
  redis.call('HSET', KEYS[2], id, load)
  for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, lease * ARGV[7]) end
end
local revision = tonumber(redis.call('GET', KEYS[5]) or '0')
if known > revision then known = 0 end
local changed = {}
for _, other in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], string.format('(%.0f', known), '+inf')) do
  local text = redis.call('HGET', KEYS[3], other)
  if text then
    changed[#changed + 1] = other
    changed[#changed + 1] = text
  end
end
return { accepted, revision, redis.call('HGETALL', KEYS[2]), changed, string.format('%.0f', now) }`;

const LEAVE = `${FORGET}
forget(ARGV[1])
return 1`;

export class RedisNodeDirectory implements NodeDirectory {
  readonly #options: RedisNodeDirectoryOptions;

  constructor(options: RedisNodeDirectoryOptions) {
    this.#options = options;
  }

  async renew({ id, entry, load, leaseMs, known }: Renewal): Promise<Renewed> {
    const answer = await this.#options.scripts.script(RENEW, Object.values(keys), [
      id,
      entry === undefined ? '' : entry.whole ? 'whole' : 'parts',
      load,
      leaseMs,
      known,
      FORGOTTEN_AT_ONCE,
      KEPT_LEASES,
      ...[...(entry?.parts ?? [])].flatMap(([part, text]) => [part === '' ? id : `${id}${PART}${part}`, text]),
    ]);
    if (!Array.isArray(answer)) throw new Error('Redis answered a renewal with something else');
    const [accepted, revision, loads, changed, now] = answer as readonly unknown[];
    return {
      accepted: accepted === 1,
      revision: Number(revision),
      alive: pairs(loads).map(([other, text]) => ({ id: other, load: Number(text) || 0 })),
      changed: pairs(changed).map(([field, text]) => {
        const at = field.indexOf(PART);
        return at < 0 ? { id: field, part: '', text } : { id: field.slice(0, at), part: field.slice(at + 1), text };
      }),
      now: Number(now),
    };
  }

  async leave(id: string): Promise<void> {
    await this.#options.scripts.script(LEAVE, [keys.leases, keys.loads, keys.entries, keys.revisions], [id]);
  }

  watch(listener: () => void): () => void {
    return this.#options.events.on('nodes-changed', listener);
  }

  announce(): void {
    this.#options.events.publish('nodes-changed', {});
  }
}

/** A list of names and values in turn. */
function pairs(list: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(list)) return [];
  const found: (readonly [string, string])[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) found.push([String(list[at]), String(list[at + 1])]);
  return found;
}
