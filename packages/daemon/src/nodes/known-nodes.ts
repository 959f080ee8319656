import type { Renewed } from './directory.ts';
import { readEntry, readPrints, type ToldEntry } from './entry-text.ts';
import type { Member } from './node.ts';

interface Known {
  told: ToldEntry | undefined;
  readonly parts: Map<string, readonly string[]>;
  /** Of all parts together; what members show, changed in place. */
  readonly warm: Set<string>;
}

/** What is known of other nodes, kept up to date by what changed of it. */
export class KnownNodes {
  readonly #self: string;
  readonly #known = new Map<string, Known>();
  #members: readonly Member[] = [];
  #revision = 0;

  constructor(self: string) {
    this.#self = self;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Of what is known; 0: nothing is, and everything has to be told. */
  get revision(): number {
    return this.#revision;
  }

  /** Whoever answers next may know less than we were told: the members stay until it does. */
  doubt(): void {
    this.#revision = 0;
  }

  /** @returns whether somebody came, went or changed; loads do not count */
  read({ alive, changed, revision }: Renewed): boolean {
    // Everything is told to who knew nothing, and by who has lost everything.
    if (this.#revision === 0 || revision < this.#revision) this.#known.clear();
    const others = changed.filter(({ id }) => id !== this.#self);
    // What a node says of itself comes before its parts: it may make those of before void.
    for (const { id, part, text } of others) if (part === '') this.#readMain(id, text);
    for (const { id, part, text } of others) if (part !== '') this.#readPart(id, part, text);
    const ids = new Set(alive.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!ids.has(id)) this.#known.delete(id);
    const before = new Set(this.#members.map(({ id }) => id));
    this.#members = alive.flatMap(({ id, load }) => {
      const known = this.#known.get(id);
      if (known?.told === undefined) return [];
      return [{ ...known.told.entry, warm: known.warm, id, load, foreign: false }];
    });
    this.#revision = revision;
    const same = this.#members.length === before.size && this.#members.every(({ id }) => before.has(id));
    return !same || others.length > 0;
  }

  #readMain(id: string, text: string): void {
    const told = readEntry(text);
    const known = this.#known.get(id);
    if (known === undefined || known.told?.edition !== told?.edition)
      this.#known.set(id, { told, parts: new Map(), warm: new Set() });
    else known.told = told;
  }

  #readPart(id: string, part: string, text: string): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    for (const print of known.parts.get(part) ?? []) known.warm.delete(print);
    const prints = readPrints(part, text);
    known.parts.set(part, prints);
    for (const print of prints) known.warm.add(print);
  }
}
