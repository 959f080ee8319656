/** Dependencies: an SDK that is there and new enough, and two lists that agree. */
import type { Finding } from './finding.ts';
import type { RuleContext } from './rule-context.ts';

export interface Requirement {
  name: string;
  /** Everything behind the name: versions, extras, URL. */
  rest: string;
  line: number;
}

export function parseRequirements(text: string): Requirement[] {
  const found: Requirement[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = withoutComment(raw).trim();
    if (line === '' || line.startsWith('-')) continue;
    const match = /^[A-Za-z0-9][\w.-]*/.exec(line);
    if (match === null) continue;
    found.push({
      name: match[0].toLowerCase().replace(/[-_.]+/g, '-'),
      rest: line
        .slice(match[0].length)
        .trimStart()
        .replace(/^\[[^\]]*\]\s*/, ''),
      line: index + 1,
    });
  }
  return found;
}

function withoutComment(line: string): string {
  const at = line.startsWith('#') ? 0 : line.search(/\s#/);
  return at === -1 ? line : line.slice(0, at);
}

/** The `dependencies` array of a pyproject.toml, read without a TOML parser: one string per entry. */
export function parsePyproject(text: string): Requirement[] {
  const start = /^[ \t]*dependencies[ \t]*=[ \t]*\[/m.exec(text);
  if (start === null) return [];
  const from = start.index + start[0].length;
  let depth = 1;
  let end = from;
  let quote = '';
  for (; end < text.length && depth > 0; end++) {
    const character = text[end] ?? '';
    if (quote !== '') {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === '[') depth++;
    else if (character === ']') depth--;
  }
  const found: Requirement[] = [];
  for (const match of text.slice(from, end).matchAll(/(["'])(.*?)\1/g)) {
    const line = text.slice(0, from + match.index).split('\n').length;
    for (const requirement of parseRequirements(match[2] ?? '')) found.push({ ...requirement, line });
  }
  return found;
}

function lowerBound(rest: string): readonly number[] | undefined {
  const match = /(?:>=|==|~=|>)\s*(\d+(?:\.\d+)*)/.exec(rest);
  return match?.[1]?.split('.').map(Number);
}

function below(version: readonly number[], limit: readonly number[]): boolean {
  for (let index = 0; index < limit.length; index++) {
    const difference = (version[index] ?? 0) - (limit[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

const MINIMUM_SDK = [0, 9, 0];

export function checkDependencies(context: RuleContext, marketplace: boolean): void {
  const { files, findings } = context;
  const add = (
    severity: Finding['severity'],
    rule: string,
    message: string,
    remedy: string,
    file: string,
    line?: number,
  ): void =>
    findings.add({ severity, rule, message, remedy, file, ...(line === undefined ? {} : { line, column: 1 }) });
  const text = (name: string): string | undefined =>
    files.has(name) ? Buffer.from(files.read(name)).toString('utf8') : undefined;
  const requirements = text('requirements.txt');
  const pyproject = text('pyproject.toml');
  const lists: [string, Requirement[]][] = [];
  if (requirements !== undefined) lists.push(['requirements.txt', parseRequirements(requirements)]);
  if (pyproject !== undefined) lists.push(['pyproject.toml', parsePyproject(pyproject)]);
  if (lists.length === 0) return;

  for (const [file, list] of lists) {
    const sdk = list.find((requirement) => requirement.name === 'dify-plugin');
    if (sdk === undefined) {
      if (file === 'requirements.txt' || requirements === undefined)
        add(
          'error',
          'dependencies/sdk',
          `dify_plugin is not among the dependencies of ${file}`,
          'add dify_plugin>=0.9.0',
          file,
        );
      continue;
    }
    const bound = lowerBound(sdk.rest);
    if (bound === undefined || below(bound, MINIMUM_SDK)) {
      add(
        marketplace ? 'error' : 'warning',
        'dependencies/sdk-version',
        `dify_plugin ${sdk.rest || 'without a version'} allows an SDK older than 0.9.0`,
        'require dify_plugin>=0.9.0, which needs Python 3.12 (meta.runner.version and requires-python say so)',
        file,
        sdk.line,
      );
    }
  }
  const [first, second] = lists;
  if (first !== undefined && second !== undefined) {
    const names = new Set(first[1].map((requirement) => requirement.name));
    const others = new Set(second[1].map((requirement) => requirement.name));
    // An exported requirements.txt holds the whole closure: only what is missing from it is a drift.
    for (const requirement of second[1]) {
      if (!names.has(requirement.name))
        add(
          'warning',
          'dependencies/drift',
          `${requirement.name} is in pyproject.toml but not in requirements.txt`,
          'keep both lists in step',
          'pyproject.toml',
          requirement.line,
        );
    }
    if (first[1].length <= second[1].length + 3) {
      for (const requirement of first[1]) {
        if (!others.has(requirement.name))
          add(
            'warning',
            'dependencies/drift',
            `${requirement.name} is in requirements.txt but not in pyproject.toml`,
            'keep both lists in step',
            'requirements.txt',
            requirement.line,
          );
      }
    }
  }
  if (!marketplace) return;
  for (const [file, list] of lists) {
    for (const requirement of list) {
      if (/^@|:\/\//.test(requirement.rest))
        add(
          'error',
          'marketplace/dependency',
          `${requirement.name} is installed from an address`,
          'use a released version from the package index',
          file,
          requirement.line,
        );
      else if (requirement.rest === '' || requirement.rest.startsWith(';'))
        add(
          'error',
          'marketplace/dependency',
          `${requirement.name} has no version`,
          'say which versions work, such as >=1.2,<2',
          file,
          requirement.line,
        );
      else if (/^>=?[^,<]*$/.test(requirement.rest))
        add(
          'warning',
          'marketplace/dependency',
          `${requirement.name} has no upper limit`,
          'add one, such as <2',
          file,
          requirement.line,
        );
      if (['torch', 'transformers', 'tensorflow', 'jax'].includes(requirement.name))
        add(
          'warning',
          'marketplace/heavy',
          `${requirement.name} is very large`,
          'call a service instead, if you can',
          file,
          requirement.line,
        );
    }
  }
}
