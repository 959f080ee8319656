import type { EntryPart, NodeDirectory, Renewal, Renewed } from '../directory.ts';

interface Part {
  readonly text: string;
  readonly revision: number;
}

interface Row {
  readonly parts: Map<EntryPart, Part>;
  readonly load: number;
  readonly until: number;
}

export class MemoryNodeDirectory implements NodeDirectory {
  readonly #rows = new Map<string, Row>();
  readonly #listeners = new Set<() => void>();
  readonly #now: () => number;
  #revision = 0;

  /** @param now a clock that does not jump, in ms */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  async renew({ id, entry, load, leaseMs, known }: Renewal): Promise<Renewed> {
    const now = this.#now();
    for (const [other, row] of this.#rows) if (row.until <= now) this.#rows.delete(other);
    const before = this.#rows.get(id);
    const accepted = before !== undefined || entry?.whole === true;
    if (accepted) {
      const parts = (entry?.whole === true ? undefined : before?.parts) ?? new Map<EntryPart, Part>();
      for (const [part, text] of entry?.parts ?? []) parts.set(part, { text, revision: ++this.#revision });
      this.#rows.set(id, { parts, load, until: now + leaseMs });
    }
    const rows = [...this.#rows];
    const since = known > this.#revision ? 0 : known;
    return {
      accepted,
      revision: this.#revision,
      alive: rows.map(([other, row]) => ({ id: other, load: row.load })),
      changed: rows.flatMap(([other, row]) =>
        [...row.parts]
          .filter(([, { revision }]) => revision > since)
          .map(([part, { text }]) => ({ id: other, part, text })),
      ),
      now: Date.now(),
    };
  }

  async leave(id: string): Promise<void> {
    this.#rows.delete(id);
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  announce(): void {
    for (const listener of this.#listeners) queueMicrotask(listener);
  }
}
