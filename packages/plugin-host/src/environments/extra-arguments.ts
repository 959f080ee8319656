export const splitArguments = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '');

/** What upstream's `uv sync` understands and `uv pip install` does not, without a value … */
const SYNC_ONLY = new Set([
  '--frozen',
  '--locked',
  '--no-dev',
  '--inexact',
  '--active',
  '--no-editable',
  '--no-install-project',
  '--no-install-workspace',
  '--no-default-groups',
]);
/** … and what chooses among the lock's dependencies, with and without one. */
const CHOOSING = new Set(['--all-extras', '--all-groups']);
const CHOOSING_VALUE = new Set(['--extra', '--no-extra', '--group', '--no-group']);

export interface ExtraArguments {
  readonly install: readonly string[];
  /** For reading the lock file. */
  readonly lock: readonly string[];
}

/** PIP_EXTRA_ARGS as the two commands understand it: upstream hands it to `uv sync` or `uv pip install`, as it happens. */
export function extraArguments(text: string): ExtraArguments {
  const install: string[] = [];
  const lock: string[] = [];
  const words = splitArguments(text);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? '';
    const [name = ''] = word.split('=', 1);
    if (SYNC_ONLY.has(word)) continue;
    if (CHOOSING.has(word) || (CHOOSING_VALUE.has(name) && word !== name)) lock.push(word);
    else if (CHOOSING_VALUE.has(word)) lock.push(word, words[++i] ?? '');
    else install.push(word);
  }
  return { install, lock };
}
