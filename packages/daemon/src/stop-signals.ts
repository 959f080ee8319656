import type { Log } from './telemetry/index.ts';

/** What a program serves with: the daemon, or another role of it. */
export interface Stoppable {
  readonly log: Log;
  readonly openCalls: number;
  /** Lets what is open finish until `signal` aborts, then closes everything. */
  stop(signal: AbortSignal): Promise<void>;
}

/** Where the wish to stop comes from, with what it is called. */
export type StopSource = (stop: (signal: string) => void) => void;

const ofTheSystem: StopSource = (stop) => {
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
};

/** SIGINT and SIGTERM: the first one gives up a start, or lets open calls finish; the second one ends them. */
export class StopSignals {
  readonly #starting: AbortController;
  readonly #drain = new AbortController();
  #daemon: Stoppable | undefined;
  #stopping = false;
  #limitMs = 0;

  constructor(starting: AbortController, source: StopSource = ofTheSystem) {
    this.#starting = starting;
    source((signal) => this.#stop(signal));
  }

  /** @param limitMs how long open calls may finish after the first signal, a balancer's time included */
  started(daemon: Stoppable, limitMs: number): void {
    this.#daemon = daemon;
    this.#limitMs = limitMs;
    if (this.#starting.signal.aborted) this.#stop('SIGTERM');
  }

  #stop(signal: string): void {
    // What is waited for before there is a daemon is given up; a start under way comes to its end first.
    const daemon = this.#daemon;
    if (daemon === undefined && this.#starting.signal.aborted) process.exit(1);
    this.#starting.abort();
    const drain = this.#drain;
    if (daemon === undefined || drain.signal.aborted) return;
    if (this.#stopping) {
      daemon.log.warn({ signal, open_calls: daemon.openCalls }, 'second signal: open calls are ended now');
      return drain.abort();
    }
    this.#stopping = true;
    const fields = { signal, open_calls: daemon.openCalls, limit_seconds: this.#limitMs / 1000 };
    daemon.log.info(fields, 'stopping: open calls may finish within the limit; a second signal ends them');
    setTimeout(() => {
      if (daemon.openCalls > 0)
        daemon.log.warn({ open_calls: daemon.openCalls }, 'the limit is over: open calls are ended');
      drain.abort();
    }, this.#limitMs).unref();
    daemon.stop(drain.signal).then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(
          `this server could not stop cleanly: ${error instanceof Error ? error.stack : String(error)}\n`,
        );
        process.exit(1);
      },
    );
  }
}
