import { type Member, membershipTimes, type NodeEntry } from '@plugin-daemon/daemon/decisions';
import type { Clock } from './clock.ts';
import type { Directory } from './directory.ts';

export interface MembershipParts {
  readonly id: string;
  readonly clock: Clock;
  readonly directory: Directory;
  readonly reachesRedis: () => boolean;
  readonly entry: () => NodeEntry;
  readonly load: () => number;
}

/** What one node knows of the others, renewed when and as the daemon's membership renews it. */
export class SimulatedMembership {
  readonly #parts: MembershipParts;
  #members: readonly Member[] = [];
  #known = 0;
  /** The entry has to be told. */
  #untold = true;
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

  /** The entry is not as it was; what changes soon after is told with it. */
  changed(): void {
    const waits = this.#untold;
    this.#untold = true;
    if (!waits) this.#schedule();
  }

  /** The same, and the others are told to look now. */
  changedNow(): void {
    this.#untold = true;
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
    const { id, clock, directory, reachesRedis, entry, load } = this.#parts;
    this.#lookedAt = clock.now;
    if (!reachesRedis()) {
      this.#known = 0;
      this.#untold = true;
      this.#detached ||= clock.now >= this.#until;
      return this.#schedule();
    }
    const told = this.#untold ? entry() : undefined;
    const renewed = directory.renew(id, told, load(), membershipTimes.lease, this.#known);
    if (renewed === undefined) {
      this.#known = 0;
      this.#untold = true;
    } else {
      this.#untold = false;
      this.#detached = false;
      this.#until = clock.now + membershipTimes.lease;
      this.#members = renewed.members;
      this.#known = renewed.revision;
    }
    this.#schedule();
  }

  #schedule(): void {
    const soon = this.#untold && !this.#detached;
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
