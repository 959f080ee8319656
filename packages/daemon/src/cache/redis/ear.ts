import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Listener } from '../cache.ts';

export interface EarOptions {
  /** A new connection that does not connect again by itself. */
  readonly connect: (attempt: number) => Redis;
  /** Told what a listener threw, and of every connection that was lost. */
  readonly onListenerError: (error: unknown) => void;
}

/** A connection that says nothing is asked this often whether it is still there, in ms: a black hole closes no socket. */
const PROBE_MS = 3000;
const LONGEST_PAUSE_MS = 2000;

/**
 * Hears the messages of all channels over one connection, made with the first subscription and made again whenever it is lost. Its
 * subscribers are told both times.
 */
export class Ear {
  readonly #options: EarOptions;
  readonly #channels = new Map<string, Set<Listener>>();
  readonly #closed = new AbortController();
  #connection: Redis | undefined;
  #loop: Promise<void> | undefined;
  #problem: string | undefined;
  /** The first connection stands, or could not be made. */
  readonly #tried = Promise.withResolvers<void>();

  constructor(options: EarOptions) {
    this.#options = options;
  }

  get problem(): string | undefined {
    return this.#problem;
  }

  /** Resolves once messages arrive; at once, with a `deaf` gap, when there is no connection now. */
  async add(channel: string, listener: Listener): Promise<() => Promise<void>> {
    const own: Listener = {
      message: (text) => listener.message(text),
      ...(listener.gap !== undefined && { gap: listener.gap.bind(listener) }),
    };
    if (this.#problem !== undefined) this.#tell(own, (each) => each.gap?.('deaf'));
    const known = this.#channels.get(channel);
    const listeners = known ?? new Set();
    this.#channels.set(channel, listeners.add(own));
    this.#loop ??= this.#listen();
    await this.#tried.promise;
    if (known === undefined) await this.#connection?.subscribe(channel).catch(() => this.#connection?.disconnect());
    return async () => {
      listeners.delete(own);
      if (listeners.size > 0 || this.#channels.get(channel) !== listeners) return;
      this.#channels.delete(channel);
      await this.#connection?.unsubscribe(channel).catch(() => this.#connection?.disconnect());
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#channels.clear();
    this.#connection?.disconnect();
    await this.#loop;
  }

  async #listen(): Promise<void> {
    for (let attempt = 0; !this.#closed.signal.aborted; attempt++) {
      const startedAt = performance.now();
      await this.#hearUntilLost(attempt);
      if (this.#closed.signal.aborted) return;
      // A connection that lasted is replaced at once.
      if (performance.now() - startedAt > PROBE_MS) attempt = 0;
      const longest = Math.min(50 * 2 ** Math.min(attempt, 6), LONGEST_PAUSE_MS);
      await pause(longest / 2 + (Math.random() * longest) / 2, undefined, {
        signal: this.#closed.signal,
        ref: false,
      }).catch(() => undefined);
    }
  }

  /** Never rejects: what goes wrong ends this connection, and is the problem until the next one stands. */
  async #hearUntilLost(attempt: number): Promise<void> {
    const connection = this.#options.connect(attempt);
    const { promise: lost, resolve: lose } = Promise.withResolvers<void>();
    let reason: unknown;
    connection.on('error', (error: unknown) => {
      reason = error;
    });
    connection.on('end', () => lose());
    connection.on('message', (channel: string, message: string) => {
      for (const each of this.#channels.get(channel) ?? []) this.#tell(each, (listener) => listener.message(message));
    });
    // From here on a channel that is added is subscribed to by whoever adds it.
    this.#connection = connection;
    try {
      const channels = [...this.#channels.keys()];
      await (channels.length === 0 ? connection.ping() : connection.subscribe(...channels));
      const wasDeaf = this.#problem !== undefined;
      this.#problem = undefined;
      this.#tried.resolve();
      if (wasDeaf) this.#gap('hearing');
      await this.#probeUntil(connection, lost);
    } catch (error) {
      reason ??= error;
    }
    this.#connection = undefined;
    connection.disconnect();
    const wasHearing = this.#problem === undefined;
    this.#problem = reason instanceof Error ? reason.message : 'the connection was closed';
    if (wasHearing && !this.#closed.signal.aborted) this.#gap('deaf');
    this.#tried.resolve();
  }

  /** Resolves when the connection ended, throws when it does not answer any more. */
  async #probeUntil(connection: Redis, lost: Promise<void>): Promise<void> {
    const ended = lost.then(() => 'ended' as const);
    while ((await Promise.race([ended, pause(PROBE_MS, 'silent' as const, { ref: false })])) === 'silent') {
      await connection.ping();
    }
  }

  #gap(state: 'deaf' | 'hearing'): void {
    for (const listeners of this.#channels.values()) {
      for (const each of listeners) this.#tell(each, (listener) => listener.gap?.(state));
    }
  }

  #tell(listener: Listener, say: (listener: Listener) => void): void {
    try {
      say(listener);
    } catch (error) {
      this.#options.onListenerError(error);
    }
  }
}
