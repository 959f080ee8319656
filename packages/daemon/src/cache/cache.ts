export interface LockOptions {
  /** How long to wait for the lock; undefined waits until the signal aborts. */
  readonly waitMs?: number;
  readonly signal?: AbortSignal;
}

export interface Lock {
  /** Lets the next one in; idempotent. */
  release(): Promise<void>;
}

export interface Cache {
  get(key: string): Promise<string | undefined>;
  /** @param ttlMs milliseconds until the value vanishes; a new `set` starts anew */
  set(key: string, value: string, ttlMs: number): Promise<void>;
  /** Stores the value unless there is one; returns the one that is stored then. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<string>;
  delete(key: string): Promise<boolean>;
  /** Reaches every subscriber of the channel once, also those of the publishing node; nobody waits for them. */
  publish(channel: string, message: string): Promise<void>;
  /** @returns ends the subscription; idempotent */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  /**
   * Takes a lock by name, in the order of asking within one node. The holder keeps it until it releases it or its process
   * dies.
   * @returns undefined when it was not to be had within `waitMs`
   * @throws the signal's reason when that aborts
   */
  lock(name: string, options?: LockOptions): Promise<Lock | undefined>;
  /** Ends subscriptions and timers; waiting for locks fails. */
  close(): Promise<void>;
}
