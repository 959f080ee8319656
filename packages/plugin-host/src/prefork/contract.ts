/** What supervision asks of parents, and what it is told. */
import type { ProcessLauncher } from '../launcher/index.ts';

/** How a plugin process came about. */
export interface StartedBy {
  /** `templated`: forked from a process of its own that had imported the plugin. */
  readonly way: 'forked' | 'templated' | 'plain';
  /** Why it was started plainly. */
  readonly reason?: string;
  /** Forked, and further processes of it are not forked from this one; why. Known when it is ready, or a moment later. */
  alone?: string;
}

/** How a plugin is to be started. */
export interface Way {
  /** Directories that its cage has to show. */
  readonly shows: readonly string[];
  /** Whether it is tried from a parent. */
  readonly forks: boolean;
  /** Launches the plugin's process, in its cage. `by` is asked when it has been launched. */
  readonly launcher: Pick<ProcessLauncher, 'launch'>;
  readonly by: () => StartedBy;
  /** Whether what it forks from has ended: a start that failed with it says nothing about the plugin. */
  readonly sourceEnded: () => boolean;
  /** The start is over, however it went; whoever has chosen a way says so. */
  over(): void;
}

export interface StartRequest {
  readonly identifier: string;
  /** The working directory. */
  readonly directory: string;
  /** The interpreter of its environment. */
  readonly python: string;
  readonly entrypoint: string;
  /** There may be more than one process of it. */
  readonly several?: boolean;
}

/** Whether a call waits for a start. */
export interface Haste {
  readonly urgent: boolean;
  /** Settles when one does. */
  readonly raised: Promise<void>;
}

/** What supervision asks of parents. */
export interface Parents {
  /**
   * How to start a plugin now. Starts that nobody waits for wait for their parent; a call does not: it gets a plain start, or the parent
   * if that is ready first. Never rejects: what stands in the way is the reason for a plain start.
   * @param signal ends the waiting
   */
  choose(request: StartRequest, haste: Haste, signal: AbortSignal): Promise<Way>;
  /** A plugin that a parent could not start and a plain start could: it is not tried again for a while. */
  refuse(identifier: string, reason: string, way?: StartedBy['way']): void;
  /** A plugin is not wanted any more. */
  forget(identifier: string): void;
  /** There is time to make what a plugin's next start can use: it runs. */
  prepare(request: StartRequest): void;
}
