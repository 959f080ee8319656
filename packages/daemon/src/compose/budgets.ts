/** Every budget of bytes, made from its setting. */

import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import type { CallBackBudgets } from '../backwards-invocation/index.ts';
import type { Settings } from '../config/index.ts';

export interface Budgets extends PluginBudgets, CallBackBudgets {
  readonly agentFiles: ByteBudget;
}

export function budgetsOf(settings: Settings): Budgets {
  const message = settings.PLUGIN_MAX_MESSAGE_BYTES;
  const lines = Math.max(settings.UNFINISHED_LINES_BUDGET_BYTES, message);
  return {
    unfinishedLines: new ByteBudget({
      what: 'unfinished lines',
      total: lines,
      perOwner: Math.max(lines / 4, message),
      setting: 'UNFINISHED_LINES_BUDGET_BYTES',
    }),
    input: shared('lines that wait for plugins', settings.PLUGIN_INPUT_BUDGET_BYTES, 'PLUGIN_INPUT_BUDGET_BYTES'),
    agentFiles: shared('files of agents', settings.AGENT_FILES_BUDGET_BYTES, 'AGENT_FILES_BUDGET_BYTES'),
    requests: shared('calls back into Dify', settings.CALL_BACK_BUDGET_BYTES, 'CALL_BACK_BUDGET_BYTES'),
    storageReads: shared('values of storage', settings.STORAGE_READ_BUDGET_BYTES, 'STORAGE_READ_BUDGET_BYTES'),
  };
}

/** One plugin may have half: the other plugins never wait for it alone. */
const shared = (what: string, total: number, setting: string): ByteBudget =>
  new ByteBudget({ what, total, perOwner: total / 2, setting });

/** One plugin of one tenant has a share that leaves room for others. */
export function webhookBudgets(settings: Settings) {
  const total = settings.MAX_ENDPOINT_BODIES_BYTES;
  const setting = 'MAX_ENDPOINT_BODIES_BYTES';
  const answers = Math.max(4 * total, settings.SESSION_BUFFER_BYTES);
  return {
    bodies: new ByteBudget({ what: 'bodies of webhooks', total, perOwner: Math.ceil(total / 4), setting }),
    answers: new ByteBudget({
      what: 'answers of webhooks that wait for slow clients',
      total: answers,
      perOwner: Math.max(Math.ceil(answers / 4), settings.SESSION_BUFFER_BYTES),
      setting,
    }),
  };
}
