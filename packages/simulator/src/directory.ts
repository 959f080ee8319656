import { entryParts, type Member, type NodeEntry } from '@plugin-daemon/daemon/decisions';
import type { Clock } from './clock.ts';

interface Row {
  readonly entry: NodeEntry;
  readonly warm: ReadonlySet<string>;
  readonly load: number;
  readonly until: number;
}

/** What a node tells: the lengths of the parts of its entry that changed. */
export interface Telling {
  readonly entry: NodeEntry;
  readonly warm: ReadonlySet<string>;
  readonly whole: boolean;
  /** By part, how many plugins are ready; `''` for what the node tells of itself. */
  readonly parts: ReadonlyMap<string, number>;
}

interface Change {
  readonly revision: number;
  readonly key: string;
  readonly bytes: number;
}

/** Around a script call: its digest, the five keys, numbers. */
const CALL_BYTES = 420;
/** A node id (a UUID), a number, and how Redis frames both. */
const ALIVE_BYTES = 56;
const SMALL_BYTES = 120;
/** A fingerprint of 11 digits and the space behind it. */
const WARM_BYTES = 12;
/** The name of a part (a UUID and a letter), and how Redis frames it and its text. */
const PART_BYTES = 52;
/** What a node tells of itself. */
const ENTRY_BYTES = 230;
/** How often the existing daemon's hashes are refreshed, and with how many scripts. */
const UPSTREAM = { everyMs: 5000, scripts: 2, rowBytes: 150 };

export interface Traffic {
  /** Commands that nodes send, and what is published to them. */
  messages: number;
  bytes: number;
}

/** What nodes have written down in Redis, with what the daemon's script does, and what it costs. Entries are not made into text and back. */
export class Directory {
  readonly traffic: Traffic = { messages: 0, bytes: 0 };
  readonly #clock: Clock;
  readonly #rows = new Map<string, Row>();
  /** In the order of their revisions; of each part the last one counts. */
  #changes: Change[] = [];
  readonly #last = new Map<string, number>();
  readonly #listeners = new Map<string, () => void>();
  #revision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ids(): readonly string[] {
    return [...this.#rows.keys()];
  }

  /** @param telling what is new or changed @param known the revision of what the asker knows @returns undefined: nothing is known of it */
  renew(id: string, telling: Telling | undefined, load: number, leaseMs: number, known: number): Renewed | undefined {
    const now = this.#clock.now;
    for (const [other, row] of this.#rows) if (row.until <= now) this.#forget(other);
    const before = this.#rows.get(id);
    this.#count(CALL_BYTES);
    if (before === undefined && telling?.whole !== true) return undefined;
    if (telling !== undefined) this.#tell(id, telling);
    const said = telling ?? before;
    if (said !== undefined) this.#rows.set(id, { entry: said.entry, warm: said.warm, load, until: now + leaseMs });
    const members: Member[] = [];
    for (const [other, row] of this.#rows)
      if (other !== id) members.push({ ...row.entry, warm: row.warm, id: other, load: row.load, foreign: false });
    this.traffic.bytes += this.#rows.size * ALIVE_BYTES + this.#bytesSince(known);
    return { members, revision: this.#revision };
  }

  #tell(id: string, { whole, parts }: Telling): void {
    if (whole) this.#forget(id);
    for (const [part, prints] of parts) {
      const bytes = PART_BYTES + (part === '' ? ENTRY_BYTES : prints * WARM_BYTES);
      const key = `${id}/${part}`;
      this.traffic.bytes += bytes;
      this.#last.set(key, ++this.#revision);
      this.#changes.push({ revision: this.#revision, key, bytes });
    }
    if (this.#changes.length > 2 * this.#last.size + 1000)
      this.#changes = this.#changes.filter(({ key, revision }) => this.#last.get(key) === revision);
  }

  #bytesSince(known: number): number {
    let bytes = 0;
    for (let at = this.#changes.length - 1; at >= 0; at--) {
      const change = this.#changes[at];
      if (change === undefined || change.revision <= known) break;
      if (this.#last.get(change.key) === change.revision) bytes += change.bytes;
    }
    return bytes;
  }

  #forget(id: string): void {
    this.#rows.delete(id);
    for (const part of ['', ...entryParts]) this.#last.delete(`${id}/${part}`);
  }

  leave(id: string): void {
    this.#count(SMALL_BYTES);
    this.#forget(id);
  }

  watch(id: string, listener: () => void): () => void {
    this.#listeners.set(id, listener);
    return () => this.#listeners.delete(id);
  }

  /** Each node is told to look now. */
  announce(): void {
    this.#count(SMALL_BYTES);
    for (const listener of this.#listeners.values()) {
      this.#count(SMALL_BYTES);
      listener();
    }
  }

  /** An event that is told to each node and concerns one. */
  announceTo(id: string, act: () => void): void {
    this.#count(SMALL_BYTES);
    for (const listening of this.#listeners.keys()) {
      this.#count(SMALL_BYTES);
      if (listening === id) act();
    }
  }

  /** What a node does in the existing daemon's hashes. @returns ends it */
  besideUpstream(reaches: () => boolean, first: number): () => void {
    return this.#clock.every(
      UPSTREAM.everyMs,
      () => {
        if (!reaches()) return;
        this.traffic.messages += UPSTREAM.scripts;
        this.traffic.bytes += this.#rows.size * UPSTREAM.rowBytes + UPSTREAM.scripts * SMALL_BYTES;
      },
      first % UPSTREAM.everyMs,
    );
  }

  #count(bytes: number): void {
    this.traffic.messages++;
    this.traffic.bytes += bytes;
  }
}

export interface Renewed {
  /** Every other node. */
  readonly members: readonly Member[];
  readonly revision: number;
}
