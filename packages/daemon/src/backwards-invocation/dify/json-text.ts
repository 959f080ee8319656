/**
 * Work on JSON text without decoding and encoding it again: numbers keep their digits and unknown members stay.
 * All functions expect valid JSON.
 */

/** Where the value of a member stands in the text of an object. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** The text of the value of a top-level member, or undefined. Of members that appear twice the last counts, as in `JSON.parse`. */
export function memberText(json: string, key: string): string | undefined {
  const span = memberSpan(json, key);
  return span === undefined ? undefined : json.slice(span.start, span.end);
}

/** The object with one top-level member set to `valueText`: in place where it stands, else appended. */
export function withMember(json: string, key: string, valueText: string): string {
  const span = memberSpan(json, key);
  if (span !== undefined) return json.slice(0, span.start) + valueText + json.slice(span.end);
  const head = json.slice(0, json.lastIndexOf('}')).trimEnd();
  return `${head}${head.endsWith('{') ? '' : ','}${JSON.stringify(key)}:${valueText}}`;
}

function memberSpan(json: string, key: string): Span | undefined {
  let found: Span | undefined;
  let at = json.indexOf('{') + 1;
  for (;;) {
    const open = json.indexOf('"', at);
    if (open < 0) return found;
    const close = endOfString(json, open);
    const name = json.slice(open, close);
    const start = skipSpace(json, json.indexOf(':', close) + 1);
    const end = endOfValue(json, start);
    if (name === `"${key}"` || (name.includes('\\') && JSON.parse(name) === key)) found = { start, end };
    at = end;
  }
}

/** The index after the closing quote of the string that opens at `open`. */
function endOfString(json: string, open: number): number {
  for (let at = open; ; ) {
    const quote = json.indexOf('"', at + 1);
    if (quote < 0) return json.length;
    let backslashes = 0;
    while (json.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
    at = quote;
  }
}

function endOfValue(json: string, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at++) {
    switch (json[at]) {
      case '"':
        at = endOfString(json, at) - 1;
        break;
      case '{':
      case '[':
        depth++;
        break;
      case '}':
      case ']':
        if (depth === 0) return at;
        depth--;
        break;
      case ',':
        if (depth === 0) return at;
        break;
    }
  }
  return json.length;
}

function skipSpace(json: string, at: number): number {
  let next = at;
  while (json.charCodeAt(next) <= 0x20) next++;
  return next;
}

const unsafeInLine = /[\n\r\u0085\u2028\u2029]|\\u[dD][89a-fA-F]/;
const unsafePart =
  /[\n\r\u0085\u2028\u2029]|\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u[\da-fA-F]{4}|\\./g;

/**
 * The same JSON as one line that every reader accepts: no line break (also none of those that only some readers know,
 * docs/wire/runtime-protocol.md#json-rules) and no lone surrogate, which Python's strict parsers refuse.
 */
export function singleLine(json: string): string {
  return unsafeInLine.test(json) ? json.replace(unsafePart, safePart) : json;
}

function safePart(part: string): string {
  if (part === '\n' || part === '\r') return ' ';
  if (part.length === 1) return `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return part.length === 6 && /^\\u[dD][89a-fA-F]/.test(part) ? '\\ufffd' : part;
}
