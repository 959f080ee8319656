/** Where a process that has a view of its own finds its home. */
export const HOME_IN_VIEW = '/home/plugin';

/** Home and temporary files of one process. */
export interface Scratch {
  readonly home: string;
  readonly temporary: string;
  /** A file of accounts that knows the process's user. */
  readonly accounts: { readonly passwd: string; readonly group: string };
  /** Removes it with all that is inside; its process must have ended. */
  remove(): Promise<void>;
}
