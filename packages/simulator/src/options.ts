import type { PoolPolicy } from '@plugin-daemon/daemon/decisions';

export interface SimulationOptions {
  readonly nodes: number;
  readonly seed: number;
  readonly plugins: number;
  /** The exponent of Zipf's law. */
  readonly skew: number;
  /** Calls that come in for each node there was at the beginning, per second. */
  readonly callsPerNode: number;
  /** How long a plugin works on a call, on average. */
  readonly workMs: number;
  readonly cores: number;
  /** How long an instance takes to start. */
  readonly startMs: number;
  readonly instanceMb: number;
  /** Nodes that a plugin runs on at most; 0: all. */
  readonly maxNodes: number;
  readonly pool: PoolPolicy;
  /** Of each phase. */
  readonly phaseMs: number;
}

/** Of a server with four cores: the daemon's defaults, except that plugins sleep. */
export const defaults: SimulationOptions = {
  nodes: 3,
  seed: 1,
  plugins: 100_000,
  skew: 1,
  callsPerNode: 2,
  workMs: 6000,
  cores: 4,
  startMs: 1500,
  instanceMb: 80,
  maxNodes: 0,
  pool: { min: 0, max: 4, target: 4, limit: 1000, queue: 1000, idleMs: 60_000 },
  phaseMs: 60_000,
};

/** How the network and nodes behave, in ms; those of a refused or silent node are forwarding's. */
export const transport = {
  hop: 0.5,
  /** A node that does not answer is waited for this long before a call goes elsewhere … */
  probe: 1000,
  /** … and gets none for this long. */
  suspect: 3000,
  /** Of a node that says nothing for so long, calls are given up. */
  silence: 30_000,
  /** Looking whether it is heard again. */
  look: 2000,
  /** SHUTDOWN_BALANCER_SECONDS */
  balancer: 5000,
  /** SHUTDOWN_DRAIN_SECONDS */
  drain: 30_000,
  /** A call waits this long for a further instance before it goes to one that has more to do than was meant. */
  overflow: 2000,
  tick: 1000,
} as const;
