import type { ByteBudget } from '../budget/index.ts';

/** What the channels of all plugins may hold in memory together. */
export interface PluginBudgets {
  /** Lines that have begun and not ended. */
  readonly unfinishedLines: ByteBudget;
  /** Lines that wait for plugins which read slowly. */
  readonly input: ByteBudget;
}
