import { styleText } from 'node:util';
import { visible } from './visible.ts';

type Line = { readonly [key: string]: unknown };

const isLine = (value: unknown): value is Line => typeof value === 'object' && value !== null && !Array.isArray(value);
const known = new Set(['ts', 'severity', 'service', 'component', 'message', 'trace_id', 'span_id', 'identity']);

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
 */
export function textLine(json: string, { timestamp, forTerminal = false }: TextLineOptions): string {
  const line: unknown = JSON.parse(json);
  if (!isLine(line)) return json;
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    forTerminal ? styleText(format, text, { validateStream: false }) : text;
  const identity = isLine(line.identity) ? line.identity : {};
  const { attributes, stack_trace: stack, ...rest } = line;
  const time = timestamp(String(line.ts));
  const severity = String(line.severity);
  const words = forTerminal
    ? [paint('gray', time.slice(11, 23)), paint(colors[severity] ?? 'reset', severity.padEnd(5))]
    : [time, severity, String(line.service)];
  const field = (key: string, value: unknown) => void words.push(paint('gray', `${visible(key)}=`) + show(value));
  if (line.component !== undefined) words.push(paint('cyan', visible(String(line.component))));
  const contextFields = () => {
    const context = { trace_id: line.trace_id, tenant_id: identity.tenant_id, user_id: identity.user_id };
    for (const [key, value] of Object.entries(context)) if (value !== undefined && value !== '') field(key, value);
  };
  if (!forTerminal) contextFields();
  words.push(withShortChecksums(visible(String(line.message ?? ''))));
  if (forTerminal) contextFields();
  for (const key in rest) if (!known.has(key)) field(key, rest[key]);
  if (isLine(attributes)) for (const key in attributes) field(key, attributes[key]);
  return `${words.join(' ')}\n${typeof stack === 'string' ? indented(stack) : ''}`;
}

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

function show(value: unknown): string {
  const text = withShortChecksums(typeof value === 'string' ? value : JSON.stringify(value));
  if (typeof value === 'string' && /[\s"=]/.test(text)) return visible(JSON.stringify(text));
  return visible(text);
}
