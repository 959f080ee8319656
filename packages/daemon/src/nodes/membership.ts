import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../telemetry/index.ts';
import type { NodeDirectory } from './directory.ts';
import { KnownNodes } from './known-nodes.ts';
import type { Member, NodeEntry } from './node.ts';
import { OwnEntry } from './own-entry.ts';

export interface MembershipOptions {
  readonly nodeId: string;
  readonly directory: NodeDirectory;
  /** Our first entry. */
  readonly entry: NodeEntry;
  /** Calls open now. */
  readonly load: () => number;
  /** Nodes that other means tell of. */
  readonly foreign?: () => readonly Member[];
  /**
   * What others told was missed: this process was stopped for longer than its lease, or could not reach them. Whatever is kept because of
   * what they tell has to be forgotten before anything is done. Called synchronously.
   */
  readonly onMissed: () => void;
  readonly log: Log;
  readonly leaseMs?: number;
  /** A clock that does not jump and goes on while the process is stopped, in ms. */
  readonly now?: () => number;
}

/** How long others believe in a node that went silent. */
const LEASE_MS = 6000;
/** Of the lease, between two renewals: three may be lost. */
const RENEWALS = 4;
/** How long a call waits for a node that has to catch up. */
const PATIENCE_MS = 2000;
/** Changes that come together are told together. */
const GATHER_MS = 50;
/** Looks that others ask for are this far apart. */
const LOOK_MS = 100;

/** For models of it, in ms. */
export const membershipTimes = {
  lease: LEASE_MS,
  renewal: LEASE_MS / RENEWALS,
  gather: GATHER_MS,
  look: LOOK_MS,
} as const;

export type MembershipState =
  /** Not written down yet. */
  | 'joining'
  /** The others believe in us. */
  | 'member'
  /** They cannot be told, nor asked: what is known of them is what was known last. */
  | 'detached';

/**
 * That this node is there, written down where the others see it, and what they have written. A lease is renewed and judged by a clock that
 * does not jump, counted from before the asking: a node that was stopped knows that its lease is over before it acts.
 */
export class Membership {
  readonly #options: Required<Pick<MembershipOptions, 'leaseMs' | 'now'>> & MembershipOptions;
  readonly #listeners = new Set<() => void>();
  readonly #others: KnownNodes;
  readonly #own: OwnEntry;
  #state: MembershipState = 'joining';
  #until = 0;
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #renewing: Promise<void> | undefined;
  #catchingUp: Promise<void> | undefined;
  #unwatch: (() => void) | undefined;
  #left = false;
  /** The others are told to look when they can see it. */
  #urgent = true;

  constructor(options: MembershipOptions) {
    this.#options = { leaseMs: LEASE_MS, now: () => performance.now(), ...options };
    this.#others = new KnownNodes(options.nodeId);
    this.#own = new OwnEntry(options.entry);
  }

  get nodeId(): string {
    return this.#options.nodeId;
  }

  get self(): NodeEntry {
    return this.#own.value;
  }

  /**
   * Writes us down and goes on renewing. Resolves also when that is not possible now: it is tried until it is.
   * @param change what became known since we were made
   */
  async join(change: Partial<NodeEntry> = {}): Promise<void> {
    this.#own.change(change);
    this.#unwatch = this.#options.directory.watch(() => this.#lookSoon());
    await this.#renew();
  }

  /** Every other node that is believed in. */
  list(): readonly Member[] {
    const foreign = this.#options.foreign?.() ?? [];
    const { members } = this.#others;
    return foreign.length === 0 ? members : [...members, ...foreign];
  }

  /** Told when others came, went or changed; not of loads. @returns ends it */
  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Changes what the others are told of us.
   * @param urgent they are told to look now
   */
  update(change: Partial<NodeEntry>, urgent = false): void {
    const waits = !this.#own.isTold;
    if (this.#left || !this.#own.change(change)) return;
    this.#urgent ||= urgent;
    this.#tellSoon(waits);
  }

  /** A plugin became ready here, or is not any more. @param print the fingerprint of its identifier */
  ready(print: string, isReady: boolean): void {
    const waits = !this.#own.isTold;
    if (!this.#left && this.#own.ready(print, isReady)) this.#tellSoon(waits);
  }

  #tellSoon(waits: boolean): void {
    // A renewal under way schedules the next one; one that waits for its time already is not put off by further changes.
    if (this.#unwatch !== undefined && this.#renewing === undefined && !waits) this.#schedule();
  }

  /** The same, once the others have been told, or could not be. */
  async updateNow(change: Partial<NodeEntry>): Promise<void> {
    this.#own.change(change);
    this.#urgent = true;
    // One under way may have read what was before.
    await this.#renewing;
    await this.#renew();
  }

  /**
   * Whether something has to be made up for before anything is done; then the promise of that. To be asked whenever work begins: our
   * timers may tell later than it.
   */
  catchUp(): Promise<void> | undefined {
    if (this.#catchingUp === undefined && this.#state === 'member' && this.#options.now() >= this.#until)
      this.#lapsed();
    return this.#catchingUp;
  }

  /** What keeps the others from knowing us, for those who ask whether we are ready. */
  problem(): string | undefined {
    if (this.#catchingUp !== undefined) return 'this node was stopped for a while and catches up with the others';
    if (this.#state === 'joining') return 'the other nodes have not been told of this one yet';
    return this.#state === 'detached' ? 'the other nodes cannot be told that this one lives' : undefined;
  }

  /** Signs another node off, of which it is known that it has died. */
  async bury(nodeId: string): Promise<void> {
    await this.#options.directory.leave(nodeId);
    this.#options.directory.announce();
    this.#lookSoon();
  }

  /** Signs off. The others go on knowing us for the time of a lease when they cannot be told. */
  async leave(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    clearTimeout(this.#timer);
    this.#unwatch?.();
    await this.#renewing;
    try {
      await this.#options.directory.leave(this.nodeId);
      this.#options.directory.announce();
    } catch (error) {
      this.#options.log.warn({ error }, 'this node could not sign off; the others forget it in a few seconds');
    }
  }

  #lapsed(): void {
    this.#options.log.warn(
      'this process was stopped for a while: it catches up with the other nodes before it goes on',
    );
    this.#options.onMissed();
    this.#others.doubt();
    this.#own.forgotten();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE_MS);
    const renewed = (this.#renewing ?? Promise.resolve()).then(() => this.#renew());
    this.#catchingUp = Promise.race([renewed, late.promise]).then(() => {
      clearTimeout(timer);
      this.#catchingUp = undefined;
      if (this.#state === 'member' && this.#options.now() >= this.#until) this.#detach('Redis did not answer in time');
    });
  }

  /** Never rejects. Renewals do not overlap; whoever asks during one gets that one. */
  #renew(): Promise<void> {
    if (this.#left) return Promise.resolve();
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = undefined;
      this.#schedule();
    });
    return this.#renewing;
  }

  #schedule(): void {
    if (this.#left) return;
    clearTimeout(this.#timer);
    const ms = this.#own.isTold || this.#state === 'detached' ? this.#options.leaseMs / RENEWALS : GATHER_MS;
    this.#timer = setTimeout(() => {
      // After a long stop the timer may be the first to notice.
      if (this.catchUp() === undefined) void this.#renew();
    }, ms);
    this.#timer.unref();
  }

  async #renewOnce(): Promise<void> {
    const { directory, leaseMs, load, now, nodeId } = this.#options;
    const askedAt = now();
    this.#lookedAt = askedAt;
    const told = this.#own.take();
    try {
      const known = this.#others.revision;
      const renewed = await directory.renew({ id: nodeId, entry: told, load: load(), leaseMs, known });
      if (!renewed.accepted) {
        // Flushed, or our lease was over: written down anew at once.
        this.#others.doubt();
        this.#own.forgotten();
        return;
      }
      this.#until = askedAt + leaseMs;
      if (this.#state === 'detached') {
        this.#options.log.info('the other nodes know this one again');
        this.#options.onMissed();
      }
      this.#state = 'member';
      if (this.#others.read(renewed)) for (const listener of this.#listeners) listener();
      if (told !== undefined && this.#urgent) {
        this.#urgent = false;
        directory.announce();
      }
    } catch (error) {
      // Whoever answers next may know less than we were told.
      this.#others.doubt();
      this.#own.forgotten();
      if (this.#state === 'joining') this.#detach(error);
      else if (this.#state === 'member' && now() >= this.#until && this.#catchingUp === undefined) this.#detach(error);
    }
  }

  #detach(reason: unknown): void {
    this.#state = 'detached';
    this.#options.log.warn(
      { reason: messageOf(reason) },
      'the other nodes cannot be told that this one lives; what runs here goes on',
    );
  }

  /** Somebody says that there is something to see. */
  #lookSoon(): void {
    if (this.#left || this.#state !== 'member') return;
    const wait = Math.max(0, this.#lookedAt + LOOK_MS - this.#options.now());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#renew(), wait);
    this.#timer.unref();
  }
}
