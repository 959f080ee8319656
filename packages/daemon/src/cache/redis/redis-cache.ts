import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Cache, Listener, Lock, LockOptions, Scripts } from '../cache.ts';
import { LockQueue } from '../lock-queue.ts';
import { Ear } from './ear.ts';
import { acquireLease, leaseToken } from './lease.ts';
import { type Client, openClient, openEar, type RedisServers } from './servers.ts';

export interface RedisCacheOptions {
  readonly servers: RedisServers;
  /** Before every key and channel, without its colon; REDIS_KEY_PREFIX. */
  readonly prefix: string;
  /** Told what a listener threw: nobody else can be. */
  readonly onListenerError: (error: unknown) => void;
  /** The servers cannot be reached, for the first time since they could; with the reason. */
  readonly onLost: (reason: string) => void;
  /** They answer again. */
  readonly onBack: () => void;
}

const DEFAULT_LEASE_MS = 30_000;
/** Between two looks at a lock that somebody else has. */
const LOOK_MS = 25;

/**
 * A cache in Redis. Opening waits for nothing: until the servers answer, and whenever they do not, every verb fails within seconds
 * with `unavailable`, and `problem` says why.
 */
export async function openRedisCache(options: RedisCacheOptions): Promise<Cache & Scripts> {
  const library = await import('ioredis');
  const client = openClient(library, options.servers);
  const ear = new Ear({
    connect: (attempt) => openEar(library, options.servers, attempt),
    onListenerError: options.onListenerError,
  });
  return new RedisCache(client, ear, options);
}

class RedisCache implements Cache, Scripts {
  readonly #client: Client;
  readonly #ear: Ear;
  readonly #prefix: string;
  readonly #queue = new LockQueue();
  readonly #closed = new AbortController();
  #problem: string | undefined = 'it has not answered yet';
  #told = false;

  constructor(client: Client, ear: Ear, { prefix, onLost, onBack }: RedisCacheOptions) {
    this.#client = client;
    this.#ear = ear;
    this.#prefix = prefix;
    const lost = (reason: string) => {
      this.#problem = reason;
      if (this.#told || this.#closed.signal.aborted) return;
      this.#told = true;
      onLost(reason);
    };
    client.on('error', (error: unknown) => lost(causeOf(error)));
    client.on('close', () => lost(this.#problem ?? 'the connection was closed'));
    client.on('ready', () => {
      this.#problem = undefined;
      if (this.#told) onBack();
      this.#told = false;
    });
  }

  async get(key: string): Promise<Buffer | undefined> {
    return (await this.#run('read', (client) => client.getBuffer(this.#key(key)))) ?? undefined;
  }

  async set(key: string, value: Uint8Array | string, ttlMs: number): Promise<void> {
    await this.#run('write', (client) => client.set(this.#key(key), bytesOf(value), 'PX', ttlOf(ttlMs)));
  }

  async setIfAbsent(key: string, value: Uint8Array | string, ttlMs: number): Promise<Buffer> {
    const bytes = bytesOf(value);
    const name = this.#key(key);
    return await this.#run('write', async (client) => {
      for (;;) {
        if ((await client.set(name, bytes, 'PX', ttlOf(ttlMs), 'NX')) === 'OK') return bytes;
        // It may have expired in between; then nobody decided yet.
        const stored = await client.getBuffer(name);
        if (stored !== null) return stored;
      }
    });
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#run('delete', (client) => client.del(this.#key(key)))) === 1;
  }

  async publish(channel: string, message: string): Promise<void> {
    await this.#run('publish', (client) => client.publish(this.#key(channel), message));
  }

  async subscribe(channel: string, listener: Listener): Promise<() => Promise<void>> {
    return await this.#ear.add(this.#key(channel), listener);
  }

  async lock(name: string, options: LockOptions = {}): Promise<Lock | undefined> {
    const { waitMs, signal, leaseMs = DEFAULT_LEASE_MS } = options;
    const until = waitMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + waitMs;
    // First in line among those of this node, then among the nodes.
    const turn = await this.#queue.take(name, options);
    if (turn === undefined) return undefined;
    try {
      const lease = await this.#lease(name, leaseMs, until, signal);
      if (lease !== undefined) return released(lease, turn);
    } catch (error) {
      await turn.release();
      throw error;
    }
    await turn.release();
    return undefined;
  }

  async script(text: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown> {
    const names = keys.map((key) => this.#key(key));
    return await this.#run('run a script', (client) => client.eval(text, names.length, ...names, ...args));
  }

  problem(): string | undefined {
    return this.#problem ?? this.#ear.problem;
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('the cache was closed while waiting for a lock'));
    this.#queue.close();
    await this.#ear.close();
    this.#client.disconnect();
  }

  async #lease(
    name: string,
    leaseMs: number,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<Lock | undefined> {
    const token = leaseToken();
    const keys = { holder: this.#key(`v2:{lock:${name}}`), fence: this.#key(`v2:{lock:${name}}:fence`) };
    const given = AbortSignal.any([this.#closed.signal, ...(signal === undefined ? [] : [signal])]);
    for (;;) {
      given.throwIfAborted();
      const lease = await this.#run('lock', (client) => acquireLease(client, keys, token, leaseMs));
      if (lease !== undefined) {
        if (!given.aborted) return lease;
        await lease.release();
        throw given.reason;
      }
      const left = until - performance.now();
      if (left <= 0) return undefined;
      await pause(Math.min(left, LOOK_MS), undefined, { signal: given }).catch(() => given.throwIfAborted());
    }
  }

  #key(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  async #run<T>(verb: string, work: (client: Client) => Promise<T>): Promise<T> {
    try {
      return await work(this.#client);
    } catch (error) {
      throw new DaemonError('unavailable', `Redis could not ${verb}: ${this.#problem ?? causeOf(error)}`, {
        cause: error,
        remedy:
          'what runs goes on without it; see that the servers named by the REDIS_* settings run and let this daemon in, then try again',
      });
    }
  }
}

function released(lease: Lock, turn: Lock): Lock {
  return {
    fence: lease.fence,
    lost: lease.lost,
    get held() {
      return lease.held;
    },
    release: async () => {
      await lease.release();
      await turn.release();
    },
  };
}

const bytesOf = (value: Uint8Array | string): Buffer => Buffer.from(value);

/** Redis refuses a time that is over, or a part of a millisecond. */
const ttlOf = (ttlMs: number): number => Math.max(1, Math.round(ttlMs));

/** Cluster says only that all failed; the last failure of a node says why. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const last = 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : undefined;
  if (last !== undefined) return last.message;
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return error.errors[0].message;
  return error.message;
}
