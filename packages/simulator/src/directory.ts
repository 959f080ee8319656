import type { Member, NodeEntry } from '@plugin-daemon/daemon/decisions';
import type { Clock } from './clock.ts';

interface Row {
  readonly entry: NodeEntry;
  readonly bytes: number;
  readonly revision: number;
  readonly load: number;
  readonly until: number;
}

/** Around a script call: its digest, the five keys, numbers. */
const CALL_BYTES = 420;
/** A node id (a UUID), a number, and how Redis frames both. */
const ALIVE_BYTES = 56;
const SMALL_BYTES = 120;
/** A fingerprint of 16 digits in JSON. */
const WARM_BYTES = 19;
/** The entry of a node that runs nothing. */
const ENTRY_BYTES = 220;
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
  readonly #listeners = new Map<string, () => void>();
  #revision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get ids(): readonly string[] {
    return [...this.#rows.keys()];
  }

  /** @param entry when it is new or changed @param known the revision of what the asker knows @returns undefined: nothing is known of it */
  renew(id: string, entry: NodeEntry | undefined, load: number, leaseMs: number, known: number): Renewed | undefined {
    const now = this.#clock.now;
    for (const [other, row] of this.#rows) if (row.until <= now) this.#rows.delete(other);
    const before = this.#rows.get(id);
    const bytes = entry === undefined ? 0 : ENTRY_BYTES + entry.warm.length * WARM_BYTES;
    this.#count(CALL_BYTES + bytes);
    const until = now + leaseMs;
    if (entry !== undefined) this.#rows.set(id, { entry, bytes, revision: ++this.#revision, load, until });
    else if (before !== undefined) this.#rows.set(id, { ...before, load, until });
    else return undefined;
    const members: Member[] = [];
    let told = 0;
    for (const [other, row] of this.#rows) {
      if (row.revision > known) told += row.bytes + ALIVE_BYTES;
      if (other !== id) members.push({ ...row.entry, id: other, load: row.load, foreign: false });
    }
    this.traffic.bytes += this.#rows.size * ALIVE_BYTES + told;
    return { members, revision: this.#revision };
  }

  leave(id: string): void {
    this.#count(SMALL_BYTES);
    this.#rows.delete(id);
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
