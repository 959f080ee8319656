import { posix } from 'node:path';
import { type Requirement, readRequirement } from './requirement.ts';

export interface RequirementsFile {
  readonly requirements: readonly Requirement[];
  readonly constraints: readonly Requirement[];
  /** Lines without an address that change how uv resolves: they are passed on. */
  readonly options: readonly string[];
  /** Indexes and pages of links that the package names. */
  readonly sources: readonly string[];
  /** The package itself is among its requirements (`.`, `-e .`). */
  readonly itself: boolean;
  /** What is left out, for the log. */
  readonly ignored: readonly string[];
  /** What nobody can install: file, line, reason. */
  readonly problems: readonly string[];
}

/** Reads a file of the package: its text, or in words why not. */
export type ReadText = (path: string) => { text: string } | { problem: string };

const MAX_FILES = 20;
const MAX_LINES = 20_000;
const MAX_KEPT = 5_000;
const SOURCES = ['-i', '--index-url', '--extra-index-url', '-f', '--find-links', '--index', '--default-index'];
const PASSED = /^(?:--pre|--require-hashes|--prefer-binary|(?:--no-binary|--only-binary)[\s=][\w\s.,:-]{1,500})$/;

/** Reads a requirements file with those it includes, without asking anybody and without pattern that is not linear. */
export function readRequirementsFile(path: string, read: ReadText): RequirementsFile {
  const result = {
    requirements: [] as Requirement[],
    constraints: [] as Requirement[],
    options: [] as string[],
    sources: [] as string[],
    itself: false,
    ignored: [] as string[],
    problems: [] as string[],
  };
  const waiting: { path: string; into: 'requirements' | 'constraints' }[] = [{ path, into: 'requirements' }];
  const seen = new Set<string>();
  let lines = 0;
  for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
    if (seen.has(`${file.into}:${file.path}`)) continue;
    seen.add(`${file.into}:${file.path}`);
    const content = seen.size > MAX_FILES ? { problem: `more than ${MAX_FILES} files` } : read(file.path);
    if ('problem' in content) {
      result.problems.push(`${file.path}: ${content.problem}`);
      continue;
    }
    for (const { text, number } of logicalLines(content.text)) {
      if (++lines > MAX_LINES || result.requirements.length + result.constraints.length > MAX_KEPT) {
        result.problems.push(`${file.path}: more than ${MAX_KEPT} requirements or ${MAX_LINES} lines`);
        return result;
      }
      const name = /^--?[a-z-]+/.exec(text)?.[0];
      if (name === undefined) {
        take(text, file.into, `${file.path}:${number}`);
        continue;
      }
      const value = text.slice(name.length).replace(/^[\s=]/, '');
      if (name === '-r' || name === '--requirement' || name === '-c' || name === '--constraint') {
        const into = name.endsWith('c') || name.endsWith('constraint') ? 'constraints' : file.into;
        waiting.push({ path: posix.join(posix.dirname(file.path), value.trim()), into });
      } else if (name === '-e' || name === '--editable') take(value.trim(), file.into, `${file.path}:${number}`);
      else if (SOURCES.includes(name)) result.sources.push(value.trim());
      else if (PASSED.test(text)) result.options.push(text);
      else result.ignored.push(`${file.path}:${number}: ${text.slice(0, 200)}`);
    }
  }
  return result;

  function take(text: string, into: 'requirements' | 'constraints', where: string): void {
    if (/^\.\/?(?:\[[^\]]*\])?$/.test(text)) {
      result.itself = true;
      return;
    }
    const requirement = readRequirement(text);
    if (typeof requirement === 'string') result.problems.push(`${where}: ${requirement.slice(0, 300)}`);
    else result[into].push(requirement);
  }
}

/** Lines without comments and blank ones, those ending in a backslash joined, as pip and uv read them. */
export function* logicalLines(text: string): Generator<{ text: string; number: number }> {
  let joined: string[] = [];
  let number = 0;
  let first = 1;
  const lines = (text.startsWith('\uFEFF') ? text.slice(1) : text).split('\n');
  for (const raw of lines) {
    number++;
    if (joined.length === 0) first = number;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const comment = line.startsWith('#') ? 0 : line.search(/\s#/);
    const code = comment === -1 ? line : line.slice(0, comment);
    if (comment === -1 && code.endsWith('\\')) {
      joined.push(code.slice(0, -1));
      continue;
    }
    joined.push(code);
    const whole = joined.join('').trim();
    joined = [];
    if (whole !== '') yield { text: whole, number: first };
  }
  const rest = joined.join('').trim();
  if (rest !== '') yield { text: rest, number: first };
}
