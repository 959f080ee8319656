/**
 * What holds a process in, as a plain value: decided in isolation/, applied by the helper process between fork and exec.
 * Everything is optional; an empty cage still makes sure that nothing a process has started outlives it.
 */
export interface Cage {
  /** The process becomes this user, without further groups and without capabilities; the daemon must be root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /**
   * Processes, shared memory and files of its own. `privileged`: made by root; `user`: in a user namespace, by anybody where the
   * system allows it. The process sees no other processes and exactly `mounts`.
   */
  readonly namespaces?: 'privileged' | 'user';
  /** In this order, on an empty read-only root; only with `namespaces`. */
  readonly mounts?: readonly Mount[];
  /** Directories of control groups that it joins. They are emptied by force and removed when it has ended. */
  readonly groups?: readonly string[];
  /** The group among them whose memory limit ends the process. */
  readonly memoryGroup?: { readonly directory: string; readonly version: 1 | 2 };
  /** Hard and soft limits at once, by the names of getrlimit(2) without `RLIMIT_`. A lower limit of the daemon stays. */
  readonly limits?: Readonly<Partial<Record<ResourceLimit, number>>>;
  /** Added to the daemon's niceness. */
  readonly nice?: number;
  readonly umask?: number;
}

export type ResourceLimit = 'NOFILE' | 'NPROC' | 'FSIZE' | 'CORE';

export type Mount =
  /** A file or directory of the machine, without symbolic links in `from`; one that is not there is left out if `optional`. */
  | {
      readonly kind: 'bind';
      readonly from: string;
      readonly at: string;
      readonly writable?: boolean;
      readonly optional?: boolean;
    }
  | { readonly kind: 'link'; readonly to: string; readonly at: string }
  /** An empty directory in memory. */
  | { readonly kind: 'tmpfs'; readonly at: string; readonly writable?: boolean; readonly options?: string }
  | { readonly kind: 'proc'; readonly at: string };
