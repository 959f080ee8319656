import type { Readable, Writable } from 'node:stream';
import type { Cage } from './cage.ts';

/** How a process ended: exactly one of `code` and `signal` is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when the kernel ended it because a limit of its cage was reached. */
  readonly limit?: 'memory';
}

/** What a process and its descendants use at this moment. */
export interface ProcessUsage {
  /** User and system time since the start, in seconds. */
  readonly cpuSeconds: number;
  /** Resident memory, in bytes. */
  readonly rssBytes: number;
}

/**
 * One running plugin process, leader of its own process group. The three streams carry bytes, never text.
 * A failed write shows up as the error of that write's callback and as an `error` event on `stdin`; the event has a
 * listener already, so that a plugin that dies while it is being written to cannot take the daemon along.
 */
export interface PluginProcess {
  /** Becomes another one when the process turns into a template and the plugin goes on in a child of it. */
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /**
   * Settles once, after the leader has exited and what remained of its group has been killed; of a caged process, everything that
   * descends from it. Never rejects.
   */
  readonly exited: Promise<ProcessExit>;
  /** Settles when nothing uses its cage any more: with its end, or with that of the template that it has left. Never rejects. */
  readonly left?: Promise<void>;
  /**
   * After the end: how many of the bytes written to `stdin` the process never read, however they were written. Undefined when nobody can
   * tell; absent where nobody ever can. Never rejects.
   */
  readonly unread?: Promise<number | undefined>;
  /** Signals the whole process group. False when it has ended already. */
  kill(signal: NodeJS.Signals): boolean;
  /** Read from `/proc`; undefined after the exit and on systems without it. */
  usage(): Promise<ProcessUsage | undefined>;
}

export interface LaunchSpec {
  /** Absolute path of the executable. */
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The complete environment: nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** What holds the process in; without it, it is started as the daemon's equal. */
  readonly cage?: Cage;
}

/** What a parent is asked for: instead of the command, a module is run in a child of it. */
export interface Fork {
  /** The module that is run. */
  readonly entrypoint: string;
  /** Where the distributions of its own environment are. */
  readonly sitePackages: string;
  /** Whether it becomes a template once it has imported everything, if that took so much processor time. */
  readonly template?: { readonly afterMs: number };
}

export interface ProcessLauncher {
  /** Resolves as soon as the process exists; rejects when it could not be started (no such file, not executable …). */
  launch(spec: LaunchSpec): Promise<PluginProcess>;
  /** Begins in this turn of the event loop what a first launch would have to wait for; absent where there is nothing. */
  prepare?(): void;
  /** Kills whatever still runs and releases everything. Later launches are refused. */
  close(): Promise<void>;
}
