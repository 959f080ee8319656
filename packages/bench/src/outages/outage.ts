import type { DaemonClient } from '../daemon/index.ts';
import type { Called, Deployment, DeploymentOptions } from '../fleet/index.ts';

/** What an outage works on: three nodes that run a plugin, under load all the time. */
export interface Scene {
  readonly deployment: Deployment;
  /** For what is asked of one node meanwhile. */
  client(node: number, tenant?: string): DaemonClient;
  /** Nothing of a node, or of Redis, reaches another any more; only where nodes stand on machines of their own. */
  cut(node: number, from: number | 'redis'): void;
  mend(node: number): void;
  /** Seconds of each outage that lasts. */
  readonly seconds: number;
  readonly say: (text: string) => void;
}

export interface Outage {
  readonly name: string;
  readonly title: string;
  /** Why a call may fail: a call that a node had begun when it died is repeated by nobody. Absent: none may. */
  readonly mayFail?: string;
  readonly deployment?: Pick<DeploymentOptions, 'sentinel' | 'settings'>;
  /** How many nodes there are at its beginning; default 3. */
  readonly nodes?: number;
  /** The nodes stand on machines of their own; as root. */
  readonly network?: boolean;
  /** Why it cannot be done on this machine. */
  readonly missing?: () => string | undefined;
  /**
   * Has it happen, and ends it.
   * @returns what else was seen, for the table
   */
  run(scene: Scene): Promise<string | undefined>;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly lastedMs: number;
  /** From the end of the outage until every node knew the others and was ready. */
  readonly recoveredMs: number;
  readonly called: Called;
  readonly mayFail: string | undefined;
  readonly seen: string | undefined;
}
