/** Makes text safe for readers that split on more than LF (docs/wire/runtime-protocol.md#json-rules). */

/** Whether bytes-as-latin1 text is plain ASCII. */
const hasHighBytes = /[\x80-\xff]/;
/** NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR, which Python's splitlines takes for line ends. */
const lineEnds = /[\u0085\u2028\u2029]/g;
const escapes: Readonly<Record<string, string>> = { '\u0085': '\\u0085', '\u2028': '\\u2028', '\u2029': '\\u2029' };

/** JSON text with the characters escaped that some readers take for line ends. */
export const escapeLineEnds = (json: string): string => json.replace(lineEnds, (c) => escapes[c] ?? c);

/** In JSON text a raw carriage return can only stand between tokens, where it means nothing; readers take it for a line end. */
const withoutReturns = (json: string): string => (json.includes('\r') ? json.replaceAll('\r', ' ') : json);

/** JSON text (ordinary string) as UTF-8 bytes in a latin1 string, with line ends escaped. */
export const toLatin1 = (json: string): string =>
  Buffer.from(escapeLineEnds(withoutReturns(json)), 'utf8').toString('latin1');

/** Bytes-as-latin1 JSON text: invalid UTF-8 replaced, line ends escaped; unchanged where there is nothing to do. */
export function safeLatin1(json: string): string {
  if (!hasHighBytes.test(json)) return withoutReturns(json);
  return toLatin1(Buffer.from(json, 'latin1').toString('utf8'));
}
