/**
 * Events in a line that is more than one event: text of a `print` without line end, bytes of a native library, several events.
 *
 * A `{` that opens well-formed JSON is taken with everything in it, so texts inside a message that look like events stay what they are.
 * Every character is looked at a few times at most, whatever the line: see `Scan`.
 */
import { isObject } from '@plugin-daemon/values';
import { MAX_JSON_DEPTH, skipSpace, skipString } from '../../json/index.ts';

export interface FoundEvent {
  /** An object with a text as `event`. */
  readonly value: Readonly<Record<string, unknown>>;
  /** Its own text. */
  readonly text: string;
}

export interface LineContent {
  readonly events: readonly FoundEvent[];
  /** What lies before, between and behind them; never only white space. */
  readonly stray: readonly string[];
  /** Sessions of which a message lies in the line, broken in its middle, and no whole one follows. One that is cut off is stray text. */
  readonly damaged: readonly string[];
}

/** Where an object may begin. */
const openings = /\{(?=\s*")/g;
const messageHead = /\{\s*"event"\s*:\s*"session"\s*,\s*"session_id"\s*:\s*"([^"\\]{1,64})"/y;
const scalar = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a JSON string may not contain.
const control = /[\x00-\x1f]/;
/** Looks at each character, on average. Two suffice for any line we could think of; more, and somebody plays with us. */
const MAX_LOOKS = 6;

/**
 * @param text a line that is not one JSON value
 * @param isOpen whether a session is open. Inside of broken JSON only messages of open sessions are believed: others do not know the ids
 */
export function eventsInLine(text: string, isOpen: (sessionId: string) => boolean): LineContent {
  const events: FoundEvent[] = [];
  const stray: string[] = [];
  const damaged = new Set<string>();
  const scan = new Scan(text);
  // Once for the line: it may end in millions of blanks and hold many broken heads.
  const isCutOff = !text.trimEnd().endsWith('}');
  let rest = 0;
  const take = (value: Readonly<Record<string, unknown>>, start: number, end: number): void => {
    addStray(stray, text.slice(rest, start));
    events.push({ value, text: text.slice(start, end) });
    if (typeof value.session_id === 'string') damaged.delete(value.session_id);
    rest = end;
  };
  let at = text.includes('"event"') ? next(text, 0) : -1;
  while (at >= 0 && scan.looks <= MAX_LOOKS * text.length) {
    if (scan.seen(at)) {
      at = next(text, at + 1);
      continue;
    }
    const end = scan.object(at);
    if (end > 0) {
      const event = eventOf(text, at, end);
      if (event !== undefined) take(event, at, end);
      at = next(text, end);
      continue;
    }
    const broken = headOf(text, at);
    if (broken !== undefined && scan.brokenAt < text.length && !isCutOff && isOpen(broken)) damaged.add(broken);
    let after = at + 1;
    for (const [from, to] of scan.inner) {
      const event = eventOf(text, from, to);
      if (event?.event !== 'session' || typeof event.session_id !== 'string' || !isOpen(event.session_id)) continue;
      take(event, from, to);
      after = to;
    }
    at = next(text, after);
  }
  addStray(stray, text.slice(rest));
  return { events, stray, damaged: [...damaged] };
}

function next(text: string, from: number): number {
  openings.lastIndex = from;
  return openings.exec(text)?.index ?? -1;
}

function headOf(text: string, at: number): string | undefined {
  messageHead.lastIndex = at;
  return messageHead.exec(text)?.[1];
}

function addStray(stray: string[], text: string): void {
  if (text.trim() !== '') stray.push(text);
}

function eventOf(text: string, start: number, end: number): Readonly<Record<string, unknown>> | undefined {
  const own = text.slice(start, end);
  if (!own.includes('"event"')) return undefined;
  try {
    const value: unknown = JSON.parse(own);
    return isObject(value) && typeof value.event === 'string' ? value : undefined;
  } catch {
    // Brackets match, yet it is no JSON: text like any other.
    return undefined;
  }
}

type Expected = 'value' | 'first-key' | 'key' | 'colon' | 'more' | 'first-item';

const afterString = (expected: Expected): Expected =>
  expected === 'key' || expected === 'first-key' ? 'colon' : 'more';

interface Container {
  readonly start: number;
  readonly isList: boolean;
  /** Whole objects directly in it. */
  readonly objects: (readonly [start: number, end: number])[];
}

/**
 * Reads JSON until it ends or turns out to be none. When an object turns out to be broken, so do all that were open inside it, for they
 * were read the same way: they are remembered and not tried again. What is left are openings inside what was taken for strings; those
 * read the line with its quotes the other way round, and the same holds for them. So each character is read about twice.
 */
class Scan {
  readonly #text: string;
  /** Openings that were read as part of something. */
  #seen: Uint8Array | undefined;
  /** Characters read so far. */
  looks = 0;
  /** Where the last broken object broke; the end of the text if it only has no end. */
  brokenAt = 0;
  /** After a broken object: the whole objects inside it, in order, without those inside of whole ones. */
  inner: readonly (readonly [start: number, end: number])[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  seen(at: number): boolean {
    return this.#seen?.[at] === 1;
  }

  /** Index after the object that opens at `start`; -1 if it is broken. */
  object(start: number): number {
    const stack: Container[] = [];
    const at = this.#read(start, stack);
    this.looks += Math.abs(at) - start + 1;
    if (at > 0) return at;
    this.brokenAt = -at;
    this.inner = stack.flatMap(({ objects }) => objects).sort(([a], [b]) => a - b);
    return -1;
  }

  /** The end, or minus the place where it broke. */
  #read(start: number, stack: Container[]): number {
    const text = this.#text;
    let expected: Expected = 'value';
    for (let at = start; at < text.length; at = skipSpace(text, at)) {
      const c = text.charCodeAt(at);
      const top = stack.at(-1);
      if (c === 0x22) {
        if (expected === 'colon' || expected === 'more') return -at;
        const end = skipString(text, at);
        if (end < 0 || control.test(text.slice(at, end))) return end < 0 ? -text.length : -end;
        at = end;
        expected = afterString(expected);
      } else if (c === 0x7b || c === 0x5b) {
        if ((expected !== 'value' && expected !== 'first-item') || stack.length >= MAX_JSON_DEPTH) return -at;
        if (c === 0x7b) this.#remember(at);
        stack.push({ start: at, isList: c === 0x5b, objects: [] });
        expected = c === 0x5b ? 'first-item' : 'first-key';
        at++;
      } else if (c === 0x7d || c === 0x5d) {
        const fits = expected === 'more' || expected === (c === 0x5d ? 'first-item' : 'first-key');
        if (top === undefined || top.isList !== (c === 0x5d) || !fits) return -at;
        stack.pop();
        at++;
        const outer = stack.at(-1);
        if (outer === undefined) return at;
        // Of a list that has ended nothing inside is of interest any more; neither of an object, but itself.
        if (!top.isList) outer.objects.push([top.start, at]);
        expected = 'more';
      } else if (c === 0x3a) {
        if (expected !== 'colon') return -at;
        expected = 'value';
        at++;
      } else if (c === 0x2c) {
        if (expected !== 'more' || top === undefined) return -at;
        expected = top.isList ? 'value' : 'key';
        at++;
      } else {
        if (expected !== 'value' && expected !== 'first-item') return -at;
        scalar.lastIndex = at;
        if (!scalar.test(text)) return -at;
        at = scalar.lastIndex;
        expected = 'more';
      }
    }
    return -text.length;
  }

  #remember(at: number): void {
    this.#seen ??= new Uint8Array(this.#text.length);
    this.#seen[at] = 1;
  }
}
