/** What workers and their primary process ask of each other, besides cache, directory and jobs. */
import type { AddressInfo } from 'node:net';
import type { KeptKey } from '../runtimes/debugging/index.ts';

export interface Seat {
  /** Counted from 1. */
  readonly index: number;
  readonly count: number;
  /** Nobody has opened the database yet, and the workers of the past are gone. */
  readonly isFirst: boolean;
}

/** Where a worker serves; the same for all of them. */
export interface WorkerFacts {
  readonly address: AddressInfo;
  readonly debuggingAddress: AddressInfo | undefined;
  readonly detailsAddress: AddressInfo | undefined;
}

export type WorkerQuestion = 'metrics' | 'figures' | 'state';

/** What workers answered, as many as did. */
export interface WorkersSaid {
  readonly answers: readonly unknown[];
  /** Numbers of the workers that serve and did not answer in time. */
  readonly silent: readonly number[];
  readonly serving: number;
  /** All of them have served since the daemon was started. */
  readonly complete: boolean;
  readonly restarts: number;
}

export interface PrimaryCalls {
  takeSeat(): Seat;
  /** As whom the worker is known to the other nodes. */
  nodeIs(nodeId: string): void;
  /** The database is as it should be: others may open it. */
  databaseIsOpen(): void;
  nowServing(facts: WorkerFacts): void;
  /** A connection key that is to count after a restart. */
  keepKey(tenantId: string, key: KeptKey): void;
  /** Asks every worker that serves, the asking one too. */
  askWorkers(question: WorkerQuestion): WorkersSaid;
  /** The clients of this worker have their answers. Resolves when those of all workers have. */
  clientsServed(): void;
}

export interface WorkerCalls {
  ping(): void;
  answer(question: WorkerQuestion): unknown;
  /** A node died: the others forget it, and what it held is free. */
  bury(nodeId: string): void;
  /** As a first, and as a second signal. */
  stop(): void;
}
