/** What every role of this program does with its process: nothing escapes unseen, signals stop it, and a start that fails says why. */
import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { releaseAfterStart } from './heap/index.ts';
import { spreadLastNet } from './last-net.ts';
import type { Stoppable, StopSignals } from './stop-signals.ts';
import type { Metrics } from './telemetry/index.ts';

/** @param limitMs how long open calls may finish after the first signal, a balancer's time included */
export function nowServes(
  role: Stoppable & { readonly metrics: Pick<Metrics, 'escaped_errors_total'> },
  signals: StopSignals,
  limitMs: number,
): void {
  spreadLastNet({
    log: role.log,
    onEscape: (origin) => role.metrics.escaped_errors_total.inc({ origin }),
    stop: () => role.stop(AbortSignal.abort()),
    exit: (code) => process.exit(code),
  });
  signals.started(role, limitMs);
  releaseAfterStart();
}

/** Ends the process. @param what this is, to stand before "cannot start" @param starting aborted when somebody gave the start up */
export function cannotStart(what: string, error: unknown, starting: AbortSignal): never {
  if (starting.aborted && error === starting.reason) process.exit(0);
  process.stderr.write(`${what} cannot start.\n\n${toDaemonError(error).wireMessage}\n`);
  process.exit(1);
}
