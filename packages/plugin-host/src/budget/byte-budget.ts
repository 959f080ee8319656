import { DaemonError } from '../errors/index.ts';
import { type Account, type Books, CountedRoom, type Exceeded, type Room } from './room.ts';

export interface BudgetSpec {
  /** What is counted, as it reads in "there is no room for …": `bodies of webhooks`. */
  readonly what: string;
  /** Bytes of all owners together. */
  readonly total: number;
  /** Bytes of one owner; default: all of them. */
  readonly perOwner?: number;
  /** The setting that `total` comes from, for the one who has to change it. */
  readonly setting?: string;
}

interface Waiter {
  readonly account: Account;
  readonly bytes: number;
  readonly admit: () => void;
}

/** Those without a name share one account that is limited by the total only. */
const NOBODY = '';

/** Bytes of one kind that may be held in memory together. */
export class ByteBudget {
  readonly #spec: BudgetSpec;
  readonly #accounts = new Map<string, Account & { users: number }>();
  readonly #waiting: Waiter[] = [];
  #used = 0;
  readonly #books: Books = {
    join: (owner) => this.#join(owner),
    leave: (owner) => this.#leave(owner),
    take: (account, bytes) => this.#take(account, bytes),
    give: (account, bytes) => this.#give(account, bytes),
    exceeded: (account, bytes, owner) => this.#exceeded(account, bytes, owner !== NOBODY),
    exceededAlone: (limit) => this.#exceededBy('one', limit),
  };

  constructor(spec: BudgetSpec) {
    this.#spec = spec;
  }

  get used(): number {
    return this.#used;
  }

  get total(): number {
    return this.#spec.total;
  }

  usedBy(owner: string): number {
    return this.#accounts.get(owner)?.used ?? 0;
  }

  /**
   * Waits for room, first come first served; who has used up its own share does not hold up the others. What is larger than a whole
   * limit waits until it is alone. Acquire once for everything that is to be read: two that each wait for a second part wait for ever.
   * @returns gives the bytes back; calling it again does nothing
   * @throws the signal's reason when it is aborted first
   */
  async acquire(bytes: number, signal: AbortSignal, owner = NOBODY): Promise<() => void> {
    signal.throwIfAborted();
    const account = this.#join(owner);
    try {
      if (!this.#mayPass(account, bytes)) await this.#wait(account, bytes, signal);
      else this.#take(account, bytes);
    } catch (error) {
      this.#leave(owner);
      throw error;
    }
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#give(account, bytes);
      this.#leave(owner);
    };
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Room for what comes piece by piece and cannot be made to wait. Release it when it is no longer needed.
   * @param limit bytes of this room alone
   */
  room(owner = NOBODY, limit = Number.POSITIVE_INFINITY): Room {
    return new CountedRoom(this.#books, owner, limit);
  }

  /** The error for a caller who cannot wait and may try again. `what` is what could not be kept: `the body of this request`. */
  refusal(what: string, { text, limitBytes }: Exceeded): DaemonError {
    const { setting } = this.#spec;
    return new DaemonError('over-budget', `there is no room for ${what}: ${text}`, {
      remedy: setting === undefined ? 'Try again later' : `Try again later, or raise ${setting}`,
      args: { limit_bytes: limitBytes, ...(setting !== undefined && { setting }) },
    });
  }

  #exceeded(account: Account, bytes: number, named: boolean): Exceeded | undefined {
    const { total, perOwner = total } = this.#spec;
    if (named && account.used + bytes > perOwner && perOwner < total) return this.#exceededBy('owner', perOwner);
    return this.#used + bytes > total ? this.#exceededBy('all', total) : undefined;
  }

  #exceededBy(limitOf: Exceeded['limitOf'], limitBytes: number): Exceeded {
    const { total, what, setting } = this.#spec;
    const from = setting === undefined ? '' : ` (${setting})`;
    const whose = { one: 'one call', owner: 'one owner', all: 'all together' }[limitOf];
    const part = limitOf === 'all' ? '' : `, a part of ${total} for all`;
    return { limitOf, limitBytes, text: `${what} of ${whose} may hold ${limitBytes} bytes${part}${from}` };
  }

  #mayPass(account: Account, bytes: number): boolean {
    return this.#fits(account, bytes) && !this.#waiting.some((waiter) => this.#hasShare(waiter.account, waiter.bytes));
  }

  #fits(account: Account, bytes: number): boolean {
    return this.#hasShare(account, bytes) && (this.#used === 0 || this.#used + bytes <= this.#spec.total);
  }

  #hasShare(account: Account, bytes: number): boolean {
    const { total, perOwner = total } = this.#spec;
    return account === this.#accounts.get(NOBODY) || account.used === 0 || account.used + bytes <= perOwner;
  }

  #take(account: Account, bytes: number): void {
    account.used += bytes;
    this.#used += bytes;
  }

  #give(account: Account, bytes: number): void {
    account.used -= bytes;
    this.#used -= bytes;
    this.#admit();
  }

  #wait(account: Account, bytes: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      reject(signal.reason);
      this.#admit();
    };
    const waiter: Waiter = {
      account,
      bytes,
      admit: () => {
        signal.removeEventListener('abort', leave);
        resolve();
      },
    };
    this.#waiting.push(waiter);
    signal.addEventListener('abort', leave, { once: true });
    return promise;
  }

  #admit(): void {
    for (let at = 0; at < this.#waiting.length; ) {
      const next = this.#waiting[at];
      if (next === undefined) return;
      if (this.#fits(next.account, next.bytes)) {
        this.#waiting.splice(at, 1);
        this.#take(next.account, next.bytes);
        next.admit();
        // Whoever was held back by nothing but its own share stays where it is.
      } else if (this.#hasShare(next.account, next.bytes)) return;
      else at++;
    }
  }

  /** Accounts live as long as somebody holds or awaits bytes of theirs. */
  #join(owner: string): Account {
    const known = this.#accounts.get(owner);
    if (known !== undefined) {
      known.users++;
      return known;
    }
    const account = { used: 0, users: 1 };
    this.#accounts.set(owner, account);
    return account;
  }

  #leave(owner: string): void {
    const account = this.#accounts.get(owner);
    if (account !== undefined && --account.users === 0) this.#accounts.delete(owner);
  }
}
