import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import type { PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import type { FunctionClient } from './function-client.ts';

/** What came of one attempt at a call. */
export type AttemptOutcome = 'answered' | 'tried-again' | 'function-failed' | 'unanswered';

/** What the calls of one function are made with. */
export interface FunctionRuntimeOptions {
  readonly identifier: string;
  readonly pluginId: string;
  /** As stored. */
  readonly url: string;
  readonly client: Pick<FunctionClient, 'ready' | 'load'>;
  /** Attempts of one call; MAX_SERVERLESS_RETRY_TIMES. */
  readonly attempts: number;
  /** MAX_SERVERLESS_REQUEST_BYTES. */
  readonly maxRequestBytes: number;
  readonly maxMessageBytes: number;
  /** Absent: one message is the only limit. */
  readonly budgets?: PluginBudgets | undefined;
  readonly said: PluginOutput;
  readonly onAttempt: (outcome: AttemptOutcome) => void;
}
