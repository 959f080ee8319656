import type { Line } from '@plugin-daemon/plugin-host/runtimes';

/** Six bytes is what the longest spelling of one character of ours takes there: nothing shorter than a sixth can be over the limit. */
const LONGEST_SPELLING = 6;
const ESCAPED = /[<>&\u2028\u2029]/g;

/**
 * The size of a request as upstream counts it: in UTF-8, with `<`, `>`, `&`, U+2028 and U+2029 as six bytes each
 * (docs/wire/runtime-protocol.md#functions). What we send is shorter or equal.
 */
export function requestBytes(text: string): number {
  let size = Buffer.byteLength(text);
  for (const [found] of text.matchAll(ESCAPED)) size += LONGEST_SPELLING - Buffer.byteLength(found);
  return size;
}

/** Whether a request of so many characters may be over the limit at all, so that its bytes have to be counted. */
export const mayExceed = (text: string, limit: number): boolean => text.length * LONGEST_SPELLING > limit;

export const textOf = (line: Line): string => (typeof line === 'string' ? line : line.map(String).join(''));
