import { randomUUID } from 'node:crypto';
import type { Lock } from '../cache.ts';
import type { Client } from './servers.ts';

/** A fence outlives its lock by a day; after that the server's clock alone makes it grow. */
const FENCE_TTL_MS = 24 * 60 * 60_000;

/**
 * Takes the lease unless somebody else has it. The same token takes it again: the answer to an earlier attempt may have been lost.
 * The fence is the server's time in microseconds, or one more than the last fence where that is greater.
 */
const ACQUIRE = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return false end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local fence = string.format('%.0f', math.max(now, last + 1))
redis.call('SET', KEYS[2], fence, 'PX', ARGV[3])
return fence`;

const RENEW = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

const RELEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])`;

export interface LeaseKeys {
  readonly holder: string;
  /** In the same slot of a Cluster as `holder`. */
  readonly fence: string;
}

/**
 * One attempt to take a lease.
 * @returns undefined when somebody else has it
 * @throws when the server does not answer
 */
export async function acquireLease(
  client: Client,
  keys: LeaseKeys,
  token: string,
  leaseMs: number,
): Promise<Lease | undefined> {
  const askedAt = performance.now();
  const fence = await client.eval(ACQUIRE, 2, keys.holder, keys.fence, token, leaseMs, FENCE_TTL_MS);
  return fence === null ? undefined : new Lease(client, keys, token, leaseMs, Number(fence), askedAt);
}

export const leaseToken = (): string => randomUUID();

/** A lock as a lease: renewed while it is held, lost when that does not succeed in time. */
export class Lease implements Lock {
  readonly fence: number;
  readonly #client: Client;
  readonly #keys: LeaseKeys;
  readonly #token: string;
  readonly #leaseMs: number;
  readonly #lost = new AbortController();
  /** On the monotonic clock, counted from before the server was asked: earlier than the server's own end of the lease. */
  #until: number;
  #released = false;
  #timer: NodeJS.Timeout;

  constructor(client: Client, keys: LeaseKeys, token: string, leaseMs: number, fence: number, askedAt: number) {
    this.#client = client;
    this.#keys = keys;
    this.#token = token;
    this.#leaseMs = leaseMs;
    this.fence = fence;
    this.#until = askedAt + leaseMs;
    this.#timer = this.#again();
  }

  get held(): boolean {
    if (!this.#released && performance.now() >= this.#until) this.#lose('its lease ran out before it could be renewed');
    return !this.#released && !this.#lost.signal.aborted;
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    clearTimeout(this.#timer);
    if (this.#lost.signal.aborted) return;
    // A server that cannot be reached lets the lease run out by itself.
    await this.#client.eval(RELEASE, 1, this.#keys.holder, this.#token).catch(() => undefined);
  }

  /** Four attempts in a lease's time, so that one lost answer loses nothing. */
  #again(): NodeJS.Timeout {
    const timer = setTimeout(() => void this.#renew(), this.#leaseMs / 4);
    timer.unref();
    return timer;
  }

  async #renew(): Promise<void> {
    if (!this.held) return;
    const askedAt = performance.now();
    try {
      const renewed = await this.#client.eval(RENEW, 1, this.#keys.holder, this.#token, this.#leaseMs);
      if (renewed === 1) this.#until = askedAt + this.#leaseMs;
      else this.#lose('somebody else has it, or it was deleted');
    } catch {
      // Unknown whether it was renewed: the deadline stays, and decides.
    }
    if (this.held) this.#timer = this.#again();
  }

  #lose(how: string): void {
    clearTimeout(this.#timer);
    if (!this.#released) this.#lost.abort(new Error(`the lock was lost: ${how}`));
  }
}
