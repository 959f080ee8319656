import { countedAddress, isLoopbackAddress } from './addresses.ts';

export interface FailedAttemptsOptions {
  /** Wrong or missing keys of one address within a minute, before it has to wait. */
  readonly perMinute: number;
  readonly now?: () => number;
  /** Called when an address reaches the limit, once for each time. */
  readonly onBlocked?: (address: string) => void;
}

const WINDOW_MS = 60_000;
/** Addresses remembered at most; the ones heard of longest ago are forgotten. */
const MAX_ADDRESSES = 10_000;
/** How long an address that had the key is not locked out by others who share it. */
const KNOWN_MS = 24 * 60 * 60_000;

/**
 * Counts failed authentications per address. An address beyond the limit is not listened to until its minute is over, so that keys
 * cannot be guessed by trying; except that one which had the right key before, and the loopback, always get in with it: they may be
 * a proxy or a gateway behind which somebody else guesses.
 */
export class FailedAttempts {
  readonly #options: FailedAttemptsOptions;
  readonly #failed = new Map<string, { count: number; since: number }>();
  readonly #known = new Map<string, number>();
  readonly #now: () => number;

  constructor(options: FailedAttemptsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Seconds until this address is listened to again; undefined when it is now. */
  waitOf(address: string): number | undefined {
    const counted = countedAddress(address);
    const entry = this.#entry(counted);
    if (entry === undefined || entry.count < this.#options.perMinute) return undefined;
    return Math.max(1, Math.ceil((entry.since + WINDOW_MS - this.#now()) / 1000));
  }

  /** Whether a right key counts although the address is beyond its limit. */
  isKnown(address: string): boolean {
    if (isLoopbackAddress(address)) return true;
    const at = this.#known.get(countedAddress(address));
    return at !== undefined && this.#now() - at < KNOWN_MS;
  }

  failed(address: string): void {
    const counted = countedAddress(address);
    const entry = this.#entry(counted) ?? { count: 0, since: this.#now() };
    entry.count++;
    remember(this.#failed, counted, entry);
    if (entry.count === this.#options.perMinute) this.#options.onBlocked?.(address);
  }

  succeeded(address: string): void {
    // Once a minute is often enough; this is on the way of every call.
    const counted = countedAddress(address);
    const at = this.#known.get(counted);
    if (at === undefined || this.#now() - at > WINDOW_MS) remember(this.#known, counted, this.#now());
  }

  #entry(counted: string) {
    const entry = this.#failed.get(counted);
    if (entry === undefined || this.#now() - entry.since < WINDOW_MS) return entry;
    this.#failed.delete(counted);
    return undefined;
  }
}

/** Puts an entry last; beyond the limit the first one goes. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= MAX_ADDRESSES) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
