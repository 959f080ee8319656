import type { SettingName, SettingValues } from './table.ts';

/** A configured value that is accepted but changes nothing, or needs care. Logged once at start. */
export interface SettingWarning {
  readonly variable: string;
  readonly message: string;
}

/**
 * Every variable of the table with its parsed value, in the unit of the table; and what was noticed while reading.
 * `SERVER_KEY` and `DIFY_INNER_API_KEY` are undefined when they are to be generated: `openDataDirectory` does that.
 */
export interface Settings extends SettingValues {
  /** Names that were set to something (environment or `.env`). */
  readonly configured: ReadonlySet<SettingName>;
  readonly warnings: readonly SettingWarning[];
}
