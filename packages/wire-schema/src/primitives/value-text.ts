/** JSON values as upstream's messages show them: keys sorted, neither quotes nor commas. */

const MAX_SHOWN = 256;
/** Nobody can read more, and whoever nests deeper wants us to run out of stack. */
const MAX_DEPTH = 32;
/** Of an object with more keys only so many, as they come, are put in order. */
const MAX_KEYS = 1000;

/**
 * The text of a value, cut to what is enough to find it. Takes values of any kind, depth and size, and does no more than its text needs.
 * @param marksTypes in texts made for strings, other scalars inside are marked with their type
 */
export function valueText(value: unknown, marksTypes = false): string {
  const out = new ShortText();
  render(value, marksTypes, out, 0);
  return out.text;
}

/** A text that takes no more once it is long enough. */
class ShortText {
  #text = '';

  get full(): boolean {
    return this.#text.length > MAX_SHOWN;
  }

  get text(): string {
    return this.full ? `${this.#text.slice(0, MAX_SHOWN)}…` : this.#text;
  }

  add(part: string): void {
    if (!this.full) this.#text += part.slice(0, MAX_SHOWN + 1);
  }
}

function render(value: unknown, marksTypes: boolean, out: ShortText, depth: number): void {
  if (out.full) return;
  if (value === null || value === undefined) out.add('<nil>');
  else if (typeof value === 'object') {
    if (depth >= MAX_DEPTH) out.add('…');
    else if (Array.isArray(value)) renderList(value, marksTypes, out, depth + 1);
    else renderMap(value, marksTypes, out, depth + 1);
  } else if (typeof value === 'string') out.add(value);
  else if (typeof value === 'function' || typeof value === 'symbol') out.add(typeof value);
  else if (!marksTypes) out.add(String(value));
  else out.add(`%!s(${typeof value === 'number' ? 'float64' : 'bool'}=${String(value)})`);
}

function renderList(list: readonly unknown[], marksTypes: boolean, out: ShortText, depth: number): void {
  out.add('[');
  for (let i = 0; i < list.length && !out.full; i++) {
    if (i > 0) out.add(' ');
    render(list[i], marksTypes, out, depth);
  }
  out.add(']');
}

function renderMap(map: object, marksTypes: boolean, out: ShortText, depth: number): void {
  const members = new Map<string, unknown>(firstEntries(map));
  out.add('map[');
  let first = true;
  for (const key of [...members.keys()].sort()) {
    if (out.full) return;
    if (!first) out.add(' ');
    first = false;
    out.add(key);
    out.add(':');
    render(members.get(key), marksTypes, out, depth);
  }
  out.add(']');
}

function* firstEntries(map: object): Generator<[string, unknown]> {
  let left = MAX_KEYS;
  for (const key of Object.keys(map)) {
    if (left-- === 0) return;
    yield [key, Object.getOwnPropertyDescriptor(map, key)?.value];
  }
}
