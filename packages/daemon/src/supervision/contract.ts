/** What installation asks of supervision (docs/wire/lifecycle.md#installing). */

/** Somebody wants a plugin version to run here. A version that nobody claims any more is stopped, and for no other reason. */
export interface Claim {
  /**
   * Makes the version run: environment, process, first heartbeat. Joins a start that is under way, which goes on while anybody claims it.
   * @param onProgress gets the real step, for the install task's message; first the one that the start is in.
   * @returns when the plugin is ready.
   * @throws DaemonError with cause and remedy; the signal's reason
   */
  ready(options: { readonly signal: AbortSignal; readonly onProgress?: (step: string) => void }): Promise<void>;
  /**
   * Gives the claim up. The last one stops the version in the background, unless some tenant has it installed: open sessions finish (up
   * to the execution timeout), then its processes end.
   * @returns whether the version is let go
   * @throws what the database failed with; whether the version stays is then found out later
   */
  release(): Promise<boolean>;
}

export interface LocalPlugins {
  /** A claim on a version; taking one starts nothing. */
  claim(identifier: string): Claim;
  /** Whether it should run here and does not, because it ended or did not start. Absent where that is not known. */
  isFailing?(identifier: string): boolean;
}
