import type { EntryChange, EntryPart } from './directory.ts';
import { entryText } from './entry-text.ts';
import { partOf } from './fingerprint.ts';
import type { NodeEntry } from './node.ts';

/** Plugins that a node tells the others to be ready on it; those beyond are found by their placement. */
const MOST_WARM = 10_000;

/** What we have to tell of ourselves, and what of it was not told yet: only parts that changed are told again. */
export class OwnEntry {
  readonly #warm = new Map<EntryPart, Set<string>>();
  #entry: NodeEntry;
  #text: string;
  #count = 0;
  /** Counted up with each telling of everything: who reads a new one forgets what was told before. */
  #edition = 0;
  #untold: { whole: boolean; main: boolean; readonly parts: Set<EntryPart> } = none();

  constructor(entry: NodeEntry) {
    this.#entry = entry;
    this.#text = JSON.stringify(entry);
    this.#untold.whole = true;
  }

  get value(): NodeEntry {
    return this.#entry;
  }

  get isTold(): boolean {
    const { whole, main, parts } = this.#untold;
    return !whole && !main && parts.size === 0;
  }

  /** @returns false when it says what was said already */
  change(change: Partial<NodeEntry>): boolean {
    const entry = { ...this.#entry, ...change };
    const text = JSON.stringify(entry);
    if (text === this.#text) return false;
    this.#entry = entry;
    this.#text = text;
    this.#untold.main = true;
    return true;
  }

  /** A plugin became ready here, or is not any more. @returns false when that was known */
  ready(print: string, isReady: boolean): boolean {
    const part = partOf(print);
    const known = this.#warm.get(part) ?? new Set<string>();
    if (known.has(print) === isReady || (isReady && this.#count >= MOST_WARM)) return false;
    if (isReady) known.add(print);
    else known.delete(print);
    this.#warm.set(part, known);
    this.#count += isReady ? 1 : -1;
    this.#untold.parts.add(part);
    return true;
  }

  /** Nobody may know anything of us any more. */
  forgotten(): void {
    this.#untold.whole = true;
  }

  /** What has to be told; counts as told from now on. */
  take(): EntryChange | undefined {
    if (this.isTold) return undefined;
    const { whole, main, parts: changed } = this.#untold;
    this.#untold = none();
    if (whole) this.#edition++;
    const parts = new Map<EntryPart, string>();
    if (whole || main) parts.set('', entryText(this.#entry, this.#edition));
    for (const [part, prints] of this.#warm) {
      const told = whole ? prints.size > 0 : changed.has(part);
      if (told) parts.set(part, [...prints].join(' '));
      // An empty one was told once: then it is as if it had never been.
      if (prints.size === 0) this.#warm.delete(part);
    }
    return { whole, parts };
  }
}

const none = () => ({ whole: false, main: false, parts: new Set<EntryPart>() });
