import type { Wire } from '../ipc/index.ts';

/** A process that was started to work. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  readonly wire: Wire;
  /** How it ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}
