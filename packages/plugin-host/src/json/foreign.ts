/**
 * The way in for JSON of strangers. What lies deeper than anybody means it is refused here, so that no walk over the value runs out of
 * stack: neither ours nor that of the libraries and runtimes behind us (Python's parsers stop near this depth too). And what has more parts
 * than anybody means it is refused before it becomes objects: `{},{},…` takes twenty times its text in memory.
 */
import { skipString } from './slice.ts';

/** Lists and objects within each other. */
export const MAX_JSON_DEPTH = 1000;
/** Lists, objects and members of objects in one text. */
export const MAX_JSON_PARTS = 1_000_000;

/** `syntax`: no JSON. `depth`, `parts`: more than MAX_JSON_DEPTH, MAX_JSON_PARTS. */
export type JsonProblem = 'syntax' | 'depth' | 'parts';

export type ForeignJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problem: JsonProblem };

/** What to say of it, after "because". */
export const jsonProblemText: Readonly<Record<JsonProblem, string>> = {
  syntax: 'it is no JSON',
  depth: `it is nested deeper than ${MAX_JSON_DEPTH} levels`,
  parts: `it has more than ${MAX_JSON_PARTS} lists, objects and members`,
};

/** Parses JSON text of a stranger. Never throws. @param maxParts where a stranger has less to say than any */
export function parseForeign(text: string, maxParts: number = MAX_JSON_PARTS): ForeignJson {
  const problem = excessOf(text, maxParts);
  if (problem !== undefined) return { ok: false, problem };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // What is wrong with it does not help anybody who may see it.
    return { ok: false, problem: 'syntax' };
  }
}

/** What a text has too much of. Of text that is no JSON it says nothing certain. */
export function excessOf(text: string, maxParts: number = MAX_JSON_PARTS): 'depth' | 'parts' | undefined {
  // Each level and each part takes two characters; and looking for few is much faster than reading all.
  const hasFewParts = text.length <= 2 * maxParts;
  if (hasFewParts && (text.length <= 2 * MAX_JSON_DEPTH || !opensMany(text))) return undefined;
  let open = 0;
  let parts = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = skipString(text, at);
        if (end < 0) return undefined;
        at = end - 1;
        break;
      }
      case 0x7b:
      case 0x5b:
        if (++open > MAX_JSON_DEPTH) return 'depth';
        if (++parts > maxParts) return 'parts';
        break;
      case 0x3a:
        if (++parts > maxParts) return 'parts';
        break;
      case 0x7d:
      case 0x5d:
        open--;
        break;
    }
  }
  return undefined;
}

function opensMany(text: string): boolean {
  let left = MAX_JSON_DEPTH;
  for (const opening of ['[', '{']) {
    for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, at + 1)) if (left-- === 0) return true;
  }
  return false;
}
