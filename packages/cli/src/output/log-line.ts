/**
 * Messages on stderr: for scripts in the form they grep for, `2026/01/31 09:05:00 INFO text key=value` (docs/wire/cli.md#output); for
 * a person at a terminal a mark, the sentence, and what belongs to it.
 */
export type Level = 'INFO' | 'WARN' | 'ERROR';

export interface Colors {
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

export type LogFields = Record<string, string | number | boolean>;

const two = (value: number): string => String(value).padStart(2, '0');

function quoteIfNeeded(value: string): string {
  if (value !== '' && !/[\s"=\\\p{Cc}]/u.test(value)) return value;
  return JSON.stringify(value);
}

export function formatLogLine(at: Date, level: string, message: string, fields: LogFields): string {
  const day = `${at.getFullYear()}/${two(at.getMonth() + 1)}/${two(at.getDate())}`;
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const pairs = Object.entries(fields).map(([key, value]) => ` ${key}=${quoteIfNeeded(String(value))}`);
  return `${day} ${time} ${level} ${message}${pairs.join('')}`;
}

export function formatTerminalLine(level: Level, message: string, fields: LogFields, colors: Colors): string {
  const mark = { INFO: colors.green('✓'), WARN: colors.yellow('!'), ERROR: colors.red('✗') }[level];
  const pairs = Object.entries(fields).map(([key, value]) => colors.dim(`  ${key}=${quoteIfNeeded(String(value))}`));
  return `${mark} ${message}${pairs.join('')}`;
}
