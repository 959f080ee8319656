import { styleText } from 'node:util';
import { visible } from './visible.ts';

type Line = { readonly [key: string]: unknown };

const isLine = (value: unknown): value is Line => typeof value === 'object' && value !== null && !Array.isArray(value);
/** What stands in a place of its own, or not at all in text. */
const placed = new Set([
  'ts',
  'severity',
  'service',
  'component',
  'message',
  'trace_id',
  'span_id',
  'identity',
  'attributes',
  'stack_trace',
]);

export interface TextLineOptions {
  /** Of the time in a line, which is ISO-8601 in UTC. */
  readonly timestamp: (time: string) => string;
  /** For a terminal: the time of day alone, without the name of the service, in colours. */
  readonly forTerminal?: boolean;
}

const colors: Readonly<Record<string, Parameters<typeof styleText>[0]>> = {
  DEBUG: 'gray',
  INFO: 'green',
  WARN: 'yellow',
  ERROR: 'red',
};

/**
 * A JSON line as text for people: `<ts> <SEVERITY> dify-plugin-daemon [component] [trace_id=…] [tenant_id=…] [user_id=…]
 * <message> [key=value …]`, a stack on indented lines after it. Checksums are cut to their first digits.
 *
 * Each call of a plugin is a line: it is put together as one text, without lists of words and of entries.
 */
export function textLine(json: string, { timestamp, forTerminal = false }: TextLineOptions): string {
  const line: unknown = JSON.parse(json);
  if (!isLine(line)) return json;
  const time = timestamp(String(line.ts));
  const severity = String(line.severity);
  const component = line.component === undefined ? '' : visible(String(line.component));
  const message = withShortChecksums(visible(String(line.message ?? '')));
  let text = forTerminal
    ? `${paint('gray', time.slice(11, 23))} ${paint(colors[severity] ?? 'reset', severity.padEnd(5))}`
    : `${time} ${severity} ${String(line.service)}`;
  if (line.component !== undefined) text += ` ${forTerminal ? paint('cyan', component) : component}`;
  text += forTerminal ? ` ${message}${context(line, true)}` : `${context(line, false)} ${message}`;
  for (const key in line) if (!placed.has(key)) text += field(key, line[key], forTerminal);
  if (isLine(line.attributes)) {
    for (const key in line.attributes) text += field(key, line.attributes[key], forTerminal);
  }
  return `${text}\n${typeof line.stack_trace === 'string' ? indented(line.stack_trace) : ''}`;
}

const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
  styleText(format, text, { validateStream: false });

function field(key: string, value: unknown, forTerminal: boolean): string {
  const name = `${visible(key)}=`;
  return ` ${forTerminal ? paint('gray', name) : name}${show(value)}`;
}

/** Whom and what a line is about. */
function context({ trace_id, identity }: Line, forTerminal: boolean): string {
  const { tenant_id, user_id } = isLine(identity) ? identity : NOBODY;
  return (
    (isGiven(trace_id) ? field('trace_id', trace_id, forTerminal) : '') +
    (isGiven(tenant_id) ? field('tenant_id', tenant_id, forTerminal) : '') +
    (isGiven(user_id) ? field('user_id', user_id, forTerminal) : '')
  );
}

const NOBODY: Line = {};
const isGiven = (value: unknown): boolean => value !== undefined && value !== '';

/** The digits of a SHA-256, of which the first ones tell apart what one daemon has. */
const CHECKSUM = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;
const CHECKSUM_LENGTH = 64;
const withShortChecksums = (text: string): string =>
  text.length < CHECKSUM_LENGTH ? text : text.replace(CHECKSUM, (checksum) => `${checksum.slice(0, 8)}…`);

/** No line of it begins as a line of the log does. */
const indented = (stack: string): string =>
  stack
    .split('\n')
    .map((line) => `  ${visible(line)}\n`)
    .join('');

/** What is shown in quotes or as an escape, or perhaps is. */
const ODD = /[^!#-<>-~]/;

function show(value: unknown): string {
  // Nearly every field is such a number or word.
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string' && value.length < CHECKSUM_LENGTH && !ODD.test(value)) return value;
  const text = withShortChecksums(typeof value === 'string' ? value : JSON.stringify(value));
  if (typeof value === 'string' && /[\s"=]/.test(text)) return visible(JSON.stringify(text));
  return visible(text);
}
