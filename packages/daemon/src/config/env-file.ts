import { readFileSync } from 'node:fs';
import { messageOf } from '@plugin-daemon/values';
import type { SettingProblem } from './settings-error.ts';

/** A file of settings, read in full or with what is wrong in it. */
export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  readonly problems: readonly SettingProblem[];
}

/**
 * Reads `.env`: `NAME=value` a line, `export` before it or not, comments after `#` (within a line only behind white space), values in
 * quotes over several lines. UTF-8 and UTF-16, with or without byte order mark. A line that is none of this is a problem, never
 * skipped: a setting that somebody wrote would be ignored in silence.
 */
export function readEnvFile(path: string): EnvFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { values: {}, problems: [] };
    const text = messageOf(error);
    const remedy = 'make it a readable text file, or remove it';
    return { values: {}, problems: [problem(path, undefined, `cannot be read (${text})`, remedy)] };
  }
  const text = decoded(bytes);
  if (text === undefined) {
    const remedy = 'save it as UTF-8';
    return { values: {}, problems: [problem(path, undefined, 'is neither UTF-8 nor UTF-16', remedy)] };
  }
  return parseEnvText(text, path);
}

/** UTF-16 is told by its mark, or by the zero byte that every ASCII character has in it. */
function decoded(bytes: Buffer): string | undefined {
  const [first, second] = bytes;
  const little = (first === 0xff && second === 0xfe) || (first !== 0 && second === 0);
  const big = (first === 0xfe && second === 0xff) || (first === 0 && second !== 0);
  const encoding = little ? 'utf-16le' : big ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*/;

/** @param path for the problems */
export function parseEnvText(text: string, path: string): EnvFile {
  const values: Record<string, string> = {};
  const problems: SettingProblem[] = [];
  const lines = text.split(/\r\n|\n|\r/);
  for (let n = 0; n < lines.length; n++) {
    const number = n + 1;
    const line = (lines[n] ?? '').trim();
    if (line === '' || line.startsWith('#')) continue;
    const head = ASSIGNMENT.exec(line);
    if (head === null) {
      problems.push(problem(path, number, 'is no setting', 'write NAME=value, or # before a comment'));
      continue;
    }
    const [begin, name = ''] = head;
    const rest = line.slice(begin.length);
    const quote = rest.charAt(0);
    if (quote !== '"' && quote !== "'" && quote !== '`') {
      values[name] = withoutComment(rest);
      continue;
    }
    let quoted = rest.slice(1);
    while (endOf(quoted, quote) < 0 && n + 1 < lines.length) quoted += `\n${lines[++n] ?? ''}`;
    const end = endOf(quoted, quote);
    if (end < 0) {
      // The lines behind it were looked through for the end of the quotation; they may hold settings.
      problems.push(problem(path, number, `has no closing ${quote}`, 'close the quotation'));
      n = number - 1;
      continue;
    }
    if (!/^\s*(?:#.*)?$/.test(quoted.slice(end + 1)))
      problems.push(problem(path, n + 1, 'goes on behind the closing quote', 'put the whole value in quotes'));
    values[name] = quote === '"' ? unescaped(quoted.slice(0, end)) : quoted.slice(0, end);
  }
  return { values, problems };
}

/** Where the quotation ends; in double quotes a backslash keeps a quote. */
function endOf(text: string, quote: string): number {
  for (let at = text.indexOf(quote); at >= 0; at = text.indexOf(quote, at + 1))
    if (quote !== '"' || text.charAt(at - 1) !== '\\') return at;
  return -1;
}

const unescaped = (text: string): string => text.replaceAll('\\n', '\n').replaceAll('\\"', '"');

function withoutComment(text: string): string {
  const at = text.startsWith('#') ? 0 : text.search(/\s#/);
  return (at < 0 ? text : text.slice(0, at)).trim();
}

const problem = (path: string, line: number | undefined, what: string, remedy: string): SettingProblem => ({
  variable: '.env',
  value: line === undefined ? path : `${path}:${line}`,
  problem: what,
  remedy,
});
