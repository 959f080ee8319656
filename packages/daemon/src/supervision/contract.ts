/** What installation and the HTTP layer ask of supervision (docs/wire/lifecycle.md#installing). */

export interface LocalPlugins {
  /**
   * Makes a plugin run here: environment, process, first heartbeat. Joins a start that is under way.
   * @param onProgress gets the real step, for the install task's message.
   * @returns when the plugin is ready.
   * @throws DaemonError with cause and remedy; the plugin is then not running.
   */
  ensure(
    identifier: string,
    options: { readonly signal: AbortSignal; readonly onProgress?: (step: string) => void },
  ): Promise<void>;
  /** Stops a plugin in the background: open sessions finish (up to the execution timeout), then its processes end. */
  retire(identifier: string): void;
}
