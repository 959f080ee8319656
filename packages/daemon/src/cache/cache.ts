export interface LockOptions {
  /** How long to wait for the lock, in ms; undefined waits until the signal aborts. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
  /** How long the lock outlives a holder that went silent, in ms; it is renewed while the holder lives. Default 30,000. */
  readonly leaseMs?: number;
}

export interface Lock {
  /**
   * Greater than that of every earlier holder of this name: what the lock protects can refuse a holder that was overtaken.
   * Below 2^53.
   */
  readonly fence: number;
  /**
   * Whether the lock is still this holder's, by a clock that does not jump. A process that was stopped for a while learns it from here
   * before it acts, whatever its timers did not tell it yet.
   */
  readonly held: boolean;
  /** Aborts when the lease ran out or was taken over while the holder believed to have it. */
  readonly lost: AbortSignal;
  /** Lets the next one in; idempotent. */
  release(): Promise<void>;
}

/** What a subscriber is told. Neither may block; what they throw is reported, and harms nobody. */
export interface Listener {
  message(text: string): void;
  /**
   * Messages may have been missed: `deaf` while none can arrive, `hearing` when they arrive again. A subscriber that keeps anything
   * because of messages forgets it both times.
   */
  gap?(state: 'deaf' | 'hearing'): void;
}

export interface Cache {
  /** The bytes, as they were stored. */
  get(key: string): Promise<Buffer | undefined>;
  /**
   * @param value bytes, or text as UTF-8
   * @param ttlMs milliseconds until the value vanishes; a new `set` starts anew
   */
  set(key: string, value: Uint8Array | string, ttlMs: number): Promise<void>;
  /** Stores the value unless there is one; returns the one that is stored then. */
  setIfAbsent(key: string, value: Uint8Array | string, ttlMs: number): Promise<Buffer>;
  delete(key: string): Promise<boolean>;
  /** Reaches every subscriber of the channel once, also those of the publishing node; nobody waits for them. */
  publish(channel: string, message: string): Promise<void>;
  /** @returns ends the subscription; idempotent */
  subscribe(channel: string, listener: Listener): Promise<() => Promise<void>>;
  /**
   * Takes a lock by name, in the order of asking within one node. The holder keeps it until it releases it, its process dies, or its
   * lease is lost.
   * @returns undefined when it was not to be had within `waitMs`
   * @throws the signal's reason when that aborts
   */
  lock(name: string, options?: LockOptions): Promise<Lock | undefined>;
  /** What keeps the cache from working now, with a remedy; undefined when it works. */
  problem(): string | undefined;
  /** Ends subscriptions and timers; waiting for locks fails. */
  close(): Promise<void>;
}

/** What a cache in Redis can do besides: for those who need several keys changed as one. */
export interface Scripts {
  /**
   * Runs a Lua script.
   * @param keys get the prefix; in a Cluster they are in one slot
   * @returns what the script returned, strings as UTF-8
   * @throws DaemonError `unavailable`
   */
  script(text: string, keys: readonly string[], args: readonly (string | number)[]): Promise<unknown>;
}
