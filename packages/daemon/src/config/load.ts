import { resolve } from 'node:path';
import { crossCheck } from './cross-check.ts';
import { readEnvFile } from './env-file.ts';
import { executableProblems } from './executables.ts';
import { nearestName } from './near-names.ts';
import { InvalidValue, type Setting, type SettingsTable } from './setting.ts';
import type { SettingWarning } from './setting-warning.ts';
import { type SettingProblem, SettingsError } from './settings-error.ts';
import { type SettingName, type SettingValues, settingsTable } from './table.ts';

/**
 * Every variable of the table with its parsed value, in the unit of the table; and what was noticed while reading.
 * `SERVER_KEY` and `DIFY_INNER_API_KEY` are undefined when they are to be generated: `openDataDirectory` does that.
 */
export interface Settings extends SettingValues {
  /** Names that were set to something (environment or `.env`). */
  readonly configured: ReadonlySet<SettingName>;
  readonly warnings: readonly SettingWarning[];
}

export type Environment = { readonly [variable: string]: string | undefined };

/** Settings as far as they can be read: what is wrong has its default, and is named. */
export interface ReadSettings {
  readonly settings: Omit<Settings, 'warnings'>;
  readonly problems: readonly SettingProblem[];
}

/**
 * Reads the whole environment. A variable that is unset or empty takes its value from `.env` in `cwd`, else its default.
 * @param cwd absolute; relative paths in the settings are resolved against it
 * @throws SettingsError with every problem found
 */
export function loadSettings(env: Environment, { cwd }: { readonly cwd: string }): Settings {
  const { settings, problems, warnings } = read(env, cwd);
  if (problems.length > 0) throw new SettingsError(problems);
  return { ...settings, warnings: warnings() };
}

/** The same for who only wants to know what a daemon started in `cwd` would do. Never throws. */
export function readSettings(env: Environment, { cwd }: { readonly cwd: string }): ReadSettings {
  const { settings, problems } = read(env, cwd);
  return { settings, problems };
}

function read(env: Environment, cwd: string): ReadSettings & { readonly warnings: () => readonly SettingWarning[] } {
  const problems: SettingProblem[] = [];
  const file = readEnvFile(resolve(cwd, '.env'));
  problems.push(...file.problems);
  const lookUp = (variable: string): string | undefined => nonEmpty(env[variable]) ?? nonEmpty(file.values[variable]);

  const values: Record<string, unknown> = {};
  const configured = new Set<string>();
  const table: SettingsTable = settingsTable;
  for (const [name, setting] of Object.entries(table)) {
    values[name] = setting.default;
    const raw = firstOf([name, ...setting.aliases], lookUp);
    if (raw === undefined) continue;
    try {
      const value = setting.parse(raw);
      if (setting.zeroIsDefault && value === 0) continue;
      values[name] = value;
      configured.add(name);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      problems.push({ variable: name, value: show(setting, raw), problem: error.message, remedy: error.remedy });
    }
  }
  for (const [name, setting] of Object.entries(table)) {
    const value = values[name];
    if (setting.type === 'path' && typeof value === 'string') values[name] = resolve(cwd, value);
  }

  // The loops above gave every name of the table a value of its setting's kind; the compiler cannot follow that.
  const parsed = values as SettingValues;
  const names = configured as ReadonlySet<SettingName>;
  const checked = crossCheck(parsed, names);
  problems.push(...checked.problems, ...executableProblems(parsed, names));
  return {
    settings: { ...parsed, ...checked.derived, configured: names },
    problems,
    warnings: () => [
      ...checked.warnings,
      ...misspelt([...Object.keys(env), ...Object.keys(file.values)], lookUp),
      ...withoutEffect(table, values, configured),
    ],
  };
}

/** Names that are no setting but nearly one, unless that one is set as well: then it was not meant. */
function misspelt(names: readonly string[], lookUp: (name: string) => string | undefined): readonly SettingWarning[] {
  const known = knownNames();
  return [...new Set(names)]
    .filter((name) => !known.has(name) && lookUp(name) !== undefined)
    .flatMap((name) => {
      const meant = nearestName(name, known);
      if (meant === undefined || lookUp(meant) !== undefined) return [];
      return [{ variables: [name], message: `${name} is no setting and changes nothing: ${meant} is one` }];
    });
}

function knownNames(): ReadonlySet<string> {
  const table: SettingsTable = settingsTable;
  return new Set(Object.entries(table).flatMap(([name, { aliases }]) => [name, ...aliases]));
}

const nonEmpty = (value: string | undefined): string | undefined =>
  value === undefined || value.trim() === '' ? undefined : value;

function firstOf(names: readonly string[], lookUp: (name: string) => string | undefined): string | undefined {
  for (const name of names) {
    const value = lookUp(name);
    if (value !== undefined) return value;
  }
  return undefined;
}

function show(setting: Setting<unknown>, raw: string): string {
  if (setting.secret) return '(hidden)';
  return raw.length > 200 ? `${raw.slice(0, 200)}…` : raw;
}

function withoutEffect(
  table: SettingsTable,
  values: Readonly<Record<string, unknown>>,
  configured: ReadonlySet<string>,
): readonly SettingWarning[] {
  const variables = [...configured].filter((name) => {
    const setting = table[name];
    return setting?.status === 'no-effect' && values[name] !== setting.default;
  });
  if (variables.length === 0) return [];
  return [{ variables, message: 'these settings are known but have no effect here (see docs/configuration.md)' }];
}
