/** What a tenant may ask of one plugin; 0: as much as it likes. */
export interface CallLimits {
  readonly callsPerMinute: number;
  /** Calls that fail in a row before the plugin is left alone for a while. */
  readonly failuresToOpen: number;
  readonly openSeconds: number;
}

/** How the instances of one plugin are kept. Times are milliseconds. */
export interface PoolPolicy {
  /** Instances that run whether anybody calls or not. */
  readonly min: number;
  readonly max: number;
  /** Open calls that one instance is meant to bear: with more, another one is started, as long as there are fewer than `max`. */
  readonly target: number;
  /** Open calls that one instance takes at most. */
  readonly limit: number;
  /** Calls that may wait for an instance: while one starts, and when all have as many as they take. */
  readonly queue: number;
  /** Without a call for this long the instances above `min` stop, the last one too; undefined: one runs always. */
  readonly idleMs: number | undefined;
}
