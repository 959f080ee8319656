/**
 * Finds parts of a JSON text without decoding them, so that they can be passed on byte for byte: no digits and no unknown fields are
 * lost (docs/wire/runtime-protocol.md#json-rules). All functions expect text that JSON.parse accepts or report -1/undefined; none of them
 * throws.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Index after the white space that starts at `at`. */
export function skipSpace(text: string, at: number): number {
  let i = at;
  for (let c = text.charCodeAt(i); c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text.charCodeAt(i)) i++;
  return i;
}

/** Index after the string whose opening quote is at `at`; -1 if it does not end. */
export function skipString(text: string, at: number): number {
  for (let i = at + 1; ; ) {
    const quote = text.indexOf('"', i);
    if (quote < 0) return -1;
    let slashes = 0;
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes++;
    if (slashes % 2 === 0) return quote + 1;
    i = quote + 1;
  }
}

/** Index after the JSON value that starts at `at` (no white space before it); -1 if it does not end. */
export function skipValue(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; ) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      i = skipString(text, i);
      if (i < 0) return -1;
      if (depth === 0) return i;
    } else if (c === 0x7b || c === 0x5b) {
      depth++;
      i++;
    } else if (c === 0x7d || c === 0x5d) {
      depth--;
      i++;
      if (depth === 0) return i;
      if (depth < 0) return i - 1;
    } else if (depth === 0) {
      return skipScalar(text, i);
    } else i++;
  }
  return -1;
}

function skipScalar(text: string, at: number): number {
  let i = at;
  while (i < text.length && !/[\s,\]}:[{"]/.test(text.charAt(i))) i++;
  return i > at ? i : -1;
}

/** Where the value of `key` stands in the object text `text` (of duplicates the last one); undefined if there is none. */
export function findMember(
  text: string,
  key: string,
  from = 0,
): { readonly start: number; readonly end: number } | undefined {
  let found: { start: number; end: number } | undefined;
  let i = skipSpace(text, from);
  if (text.charCodeAt(i) !== 0x7b) return undefined;
  i = skipSpace(text, i + 1);
  while (text.charCodeAt(i) === QUOTE) {
    const nameEnd = skipString(text, i);
    if (nameEnd < 0) return undefined;
    const name = text.slice(i + 1, nameEnd - 1);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = skipValue(text, start);
    if (end < 0) return undefined;
    if (name === key) found = { start, end };
    i = skipSpace(text, end);
    if (text.charCodeAt(i) !== 0x2c) break;
    i = skipSpace(text, i + 1);
  }
  return found;
}

/** The text of the value of `key` in the object text; undefined if there is none. */
export function sliceMember(text: string, key: string): string | undefined {
  const at = findMember(text, key);
  return at === undefined ? undefined : text.slice(at.start, at.end);
}
