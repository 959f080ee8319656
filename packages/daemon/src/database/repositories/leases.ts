/** Leases: what one node may do until it is believed to be gone. */
import type { InstallationRecord } from '../records.ts';

/** The lease of a task or of a debugging installation: who serves it and until when that is believed without renewal. */
export interface Lease {
  /** The id of a node: unique for the life of one daemon process. */
  readonly owner: string;
  /** Milliseconds from now. */
  readonly durationMs: number;
}

/** A lease on a job that its holder shows with what it writes: after somebody else has taken it, nothing of that is written. */
export interface Fence {
  readonly jobId: string;
  /** Unique for one attempt: an earlier one of the same node is somebody else. */
  readonly owner: string;
}

/** Which attempt of which node works on a job. Nobody needs to renew a lease that nobody else wants: only taking it ends it. */
export interface JobLeases {
  /**
   * Takes the lease of a job unless somebody else holds it.
   * @returns how many attempts have begun, with this one; undefined when it is held
   */
  take(jobId: string, lease: Lease): Promise<number | undefined>;
  /** Extends it; false when somebody else has taken it. */
  renew(jobId: string, lease: Lease): Promise<boolean>;
  /** The job is done: it and its attempts are forgotten. */
  end(fence: Fence): Promise<void>;
  /** Somebody else is to go on at once; the attempt does not count. */
  handOver(fence: Fence): Promise<void>;
  /** Forgets jobs that nobody has worked on for a day. */
  forgetOld(): Promise<void>;
}

/** Who serves the installations of plugins under debugging. */
export interface DebuggingLeases {
  /** Takes the lease of an installation, whoever held it. */
  take(installationId: string, lease: Lease): Promise<void>;
  /** Extends every lease of this owner. */
  renew(lease: Lease): Promise<void>;
  /**
   * Debugging installations whose lease ran out. One that never had a lease may be served by a node of the existing daemon:
   * where others use the database too, it counts only when it is a day old.
   */
  abandoned(): Promise<readonly InstallationRecord[]>;
}
