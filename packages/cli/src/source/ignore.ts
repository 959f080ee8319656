/**
 * Which files of a plugin's folder stay out of its package: the patterns of .difyignore (or .gitignore when there is
 * none) with gitignore's meaning, negation included, and what never belongs into a package (docs/wire/packages.md#ignore-files).
 */
import { matches, parseGlob } from '@plugin-daemon/plugin-package/schema';

export interface IgnoreRule {
  pattern: string;
  /** Name of the ignore file, or 'default'. */
  from: string;
  negated: boolean;
  matches: (path: readonly string[], directory: boolean) => boolean;
}

/** Left out of every package unless --no-default-excludes: nothing here is ever read by an installed plugin. */
export const DEFAULT_EXCLUDES: readonly string[] = [
  '.git/',
  '.hg/',
  '.svn/',
  '.venv/',
  'venv/',
  '.uv-cache/',
  '__pycache__/',
  '*.pyc',
  '.mypy_cache/',
  '.pytest_cache/',
  '.ruff_cache/',
  'node_modules/',
  '.idea/',
  '.vscode/',
  '.DS_Store',
  'Thumbs.db',
  '*.difypkg',
];

/** One path component as a matcher; a malformed pattern never matches. */
function component(pattern: string): (name: string) => boolean {
  const tokens = parseGlob(pattern);
  return tokens === null ? () => false : (name) => matches(tokens, [...name]);
}

type Part = '**' | ((name: string) => boolean);

/** Whether the parts match a beginning of the path: a rule that names a folder covers everything below it. */
function matchAnchored(
  parts: readonly Part[],
  path: readonly string[],
  directoryOnly: boolean,
  directory: boolean,
): boolean {
  const step = (part: number, at: number): boolean => {
    if (part === parts.length) return at < path.length || !directoryOnly || directory;
    const current = parts[part];
    if (current === '**') {
      if (part === parts.length - 1) return true;
      for (let next = at; next <= path.length; next++) if (step(part + 1, next)) return true;
      return false;
    }
    const name = path[at];
    return current !== undefined && name !== undefined && current(name) && step(part + 1, at + 1);
  };
  return step(0, 0);
}

export function compileRule(line: string, from: string): IgnoreRule {
  const negated = line.startsWith('!');
  let pattern = negated ? line.slice(1) : line;
  const directoryOnly = pattern.endsWith('/');
  if (directoryOnly) pattern = pattern.slice(0, -1);
  if (!pattern.includes('/')) {
    const matches = component(pattern);
    return {
      pattern: line,
      from,
      negated,
      matches: (path, directory) =>
        path.some((name, index) => matches(name) && (!directoryOnly || index < path.length - 1 || directory)),
    };
  }
  const names = pattern
    .replace(/^\//, '')
    .split('/')
    .filter((part) => part !== '');
  // `**` together with other text inside an anchored pattern never matches.
  const impossible = names.some((name) => name.includes('**') && name !== '**');
  const parts: Part[] = names.map((name) => (name === '**' ? '**' : component(name)));
  return {
    pattern: line,
    from,
    negated,
    matches: (path, directory) => !impossible && matchAnchored(parts, path, directoryOnly, directory),
  };
}

export function parseIgnoreFile(text: string, from: string): IgnoreRule[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => compileRule(line, from));
}

/** The last rule that says anything about a path decides; undefined = the file is packed. */
export function ignoredBy(
  rules: readonly IgnoreRule[],
  path: readonly string[],
  directory: boolean,
): IgnoreRule | undefined {
  for (let index = rules.length - 1; index >= 0; index--) {
    const rule = rules[index];
    if (rule?.matches(path, directory) === true) return rule.negated ? undefined : rule;
  }
  return undefined;
}
