/** Foreign text in lines of the log: nothing in it may end a line, move the cursor, turn the writing round or go on for ever. */

/** Longest text of one message or field, in bytes of UTF-8. */
export const MAX_TEXT_BYTES = 4096;

/** Controls (C0, DEL, C1), separators of lines, marks and overrides of direction, and halves of characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const escapeOf = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** What nearly every text is free of, and found sooner. */
const BEYOND_ASCII = /[^ -~]/;
const BEYOND_ASCII_LINE = /[^ -~\n]/;

/** The text on one line, with what cannot be seen written as escapes. */
export const visible = (text: string): string => (BEYOND_ASCII.test(text) ? allVisible(text) : text);

const allVisible = (text: string): string =>
  text.replace(UNSAFE, (character) => short[character] ?? escapeOf(character));

/** A line of JSON with such characters written as its escapes; its own line break stays. */
export const visibleJson = (line: string): string => (BEYOND_ASCII_LINE.test(line) ? allVisibleJson(line) : line);

const allVisibleJson = (line: string): string =>
  line.replace(UNSAFE, (character) => (character === '\n' ? character : escapeOf(character)));

/** At most `MAX_TEXT_BYTES` of a text, and how much is missing. */
export function cut(text: string): string {
  // A character of UTF-16 takes three bytes at most.
  if (text.length * 3 <= MAX_TEXT_BYTES) return text;
  const bytes = Buffer.from(text);
  if (bytes.length <= MAX_TEXT_BYTES) return text;
  let end = MAX_TEXT_BYTES;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}… (${bytes.length - end} bytes more)`;
}
