import { accessSync, constants, statSync } from 'node:fs';
import type { SettingProblem } from './settings-error.ts';
import type { SettingName, SettingValues } from './table.ts';

/** Programs that settings name and that are not there: found at start, not with the first plugin. */
export function executableProblems(
  values: SettingValues,
  configured: ReadonlySet<SettingName>,
): readonly SettingProblem[] {
  if (values.PLATFORM !== 'local') return [];
  const named = [
    {
      variable: 'PYTHON_INTERPRETER_PATH',
      path: values.PYTHON_INTERPRETER_PATH,
      remedy: 'name a Python from 3.11 on with its whole path, or unset it to have one found',
    },
    {
      variable: 'UV_PATH',
      path: values.UV_PATH,
      remedy: 'name the uv executable with its whole path, or unset it to have one found or fetched',
    },
  ] as const;
  return named.flatMap(({ variable, path, remedy }) => {
    if (!configured.has(variable) || path === undefined) return [];
    const problem = problemOf(path);
    return problem === undefined ? [] : [{ variable, value: path, problem, remedy }];
  });
}

function problemOf(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return 'is a folder';
    accessSync(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    return code === 'EACCES' ? 'is not executable for this user' : 'does not exist';
  }
}
