/**
 * The way in for JSON of strangers. What lies deeper than anybody means it is refused here, so that no walk over the value runs out of
 * stack: neither ours nor that of the libraries and runtimes behind us (Python's parsers stop near this depth too).
 */
import { skipString } from './slice.ts';

/** Lists and objects within each other. */
export const MAX_JSON_DEPTH = 1000;

export type ForeignJson =
  | { readonly ok: true; readonly value: unknown }
  /** `syntax`: no JSON. `depth`: nested deeper than MAX_JSON_DEPTH. */
  | { readonly ok: false; readonly problem: 'syntax' | 'depth' };

const syntax: ForeignJson = { ok: false, problem: 'syntax' };
const depth: ForeignJson = { ok: false, problem: 'depth' };

/** Parses JSON text of a stranger. Never throws. */
export function parseForeign(text: string): ForeignJson {
  if (isTooDeep(text)) return depth;
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    // What is wrong with it does not help anybody who may see it.
    return syntax;
  }
}

/** Whether a text opens more than MAX_JSON_DEPTH lists and objects at a time. Of text that is no JSON it says nothing certain. */
export function isTooDeep(text: string): boolean {
  // Each level takes two characters; and looking for few is much faster than reading all.
  if (text.length <= 2 * MAX_JSON_DEPTH || !opensMany(text)) return false;
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = skipString(text, at);
        if (end < 0) return false;
        at = end - 1;
        break;
      }
      case 0x7b:
      case 0x5b:
        if (++open > MAX_JSON_DEPTH) return true;
        break;
      case 0x7d:
      case 0x5d:
        open--;
        break;
    }
  }
  return false;
}

function opensMany(text: string): boolean {
  let left = MAX_JSON_DEPTH;
  for (const opening of ['[', '{']) {
    for (let at = text.indexOf(opening); at >= 0; at = text.indexOf(opening, at + 1)) if (left-- === 0) return true;
  }
  return false;
}

/** What to say of it. */
export const tooDeepText = `it is nested deeper than ${MAX_JSON_DEPTH} levels`;
