import { type Member, membershipTimes, type NodeEntry, partOf } from '@plugin-daemon/daemon/decisions';
import type { Clock } from './clock.ts';
import type { Directory, Telling } from './directory.ts';

export interface MembershipParts {
  readonly id: string;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly reachesRedis: () => boolean;
  readonly entry: () => NodeEntry;
  /** Fingerprints of what is ready. */
  readonly warm: ReadonlySet<string>;
  readonly load: () => number;
}

/** What one node knows of the others, renewed when and as the daemon's membership renews it. */
export class SimulatedMembership {
  readonly #parts: MembershipParts;
  #members: readonly Member[] = [];
  #known = 0;
  /** What has to be told: all, or these parts. */
  #all = true;
  readonly #changed = new Set<string>();
  #until = 0;
  #detached = false;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #cancel = () => {};
  #unwatch = () => {};
  #left = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  join(): void {
    this.#unwatch = this.#parts.directory.watch(this.#parts.id, () => this.#look());
    this.#renew();
    this.#parts.directory.announce();
  }

  /** A part of the entry is not as it was; what changes soon after is told with it. */
  changed(part: string): void {
    const waits = this.#waits;
    this.#changed.add(part);
    if (!waits) this.#schedule();
  }

  /** The same, and the others are told to look now. */
  changedNow(): void {
    this.#changed.add('');
    this.#renew();
    if (this.#parts.reachesRedis()) this.#parts.directory.announce();
  }

  /** Signs off. */
  leave(): void {
    this.vanish();
    if (!this.#parts.reachesRedis()) return;
    this.#parts.directory.leave(this.#parts.id);
    this.#parts.directory.announce();
  }

  /** Goes without a word. */
  vanish(): void {
    this.#left = true;
    this.#cancel();
    this.#unwatch();
  }

  #renew(): void {
    const { id, clock, directory, reachesRedis, load } = this.#parts;
    this.#lookedAt = clock.now;
    if (!reachesRedis()) {
      this.#known = 0;
      this.#all = true;
      this.#detached ||= clock.now >= this.#until;
      return this.#schedule();
    }
    const renewed = directory.renew(id, this.#telling(), load(), membershipTimes.lease, this.#known);
    this.#all = renewed === undefined;
    this.#changed.clear();
    if (renewed === undefined) this.#known = 0;
    else {
      this.#detached = false;
      this.#until = clock.now + membershipTimes.lease;
      this.#members = renewed.members;
      this.#known = renewed.revision;
    }
    this.#schedule();
  }

  get #waits(): boolean {
    return this.#all || this.#changed.size > 0;
  }

  #telling(): Telling | undefined {
    if (!this.#waits) return undefined;
    const { entry, warm } = this.#parts;
    const counts = new Map<string, number>();
    for (const print of warm) counts.set(partOf(print), (counts.get(partOf(print)) ?? 0) + 1);
    const whole = this.#all;
    const parts = whole ? counts.set('', 0) : new Map([...this.#changed].map((part) => [part, counts.get(part) ?? 0]));
    // As it is now: what happens later is told later.
    return { entry: entry(), warm: new Set(warm), whole, parts };
  }

  #schedule(): void {
    const soon = this.#waits && !this.#detached;
    this.#next(soon ? membershipTimes.gather : membershipTimes.renewal);
  }

  #look(): void {
    if (!this.#detached && this.#parts.reachesRedis())
      this.#next(Math.max(0, this.#lookedAt + membershipTimes.look - this.#parts.clock.now));
  }

  #next(ms: number): void {
    if (this.#left) return;
    this.#cancel();
    this.#cancel = this.#parts.clock.after(ms, () => this.#renew());
  }
}
