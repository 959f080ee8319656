import { isDeepStrictEqual } from 'node:util';
import { countedUpTo } from '@plugin-daemon/plugin-host/collections';
import { DaemonError, sessionError, sessionErrorJson } from '@plugin-daemon/plugin-host/errors';
import { LRUCache } from 'lru-cache';
import type { SessionOutcome } from '../session-contract.ts';
import { CallRate } from './call-rate.ts';
import { CircuitBreaker } from './circuit-breaker.ts';

export type RefusalReason = 'rate' | 'breaker';

export interface CallLimits {
  /** Calls that a tenant may make of one plugin in a minute; 0 = as many as it likes. */
  readonly callsPerMinute: number;
  /** Calls of a tenant that fail in a row before the plugin is left alone; 0 = it never is. */
  readonly failuresToOpen: number;
  /** How long it is left alone; then one call tries. */
  readonly openSeconds: number;
}

export interface AdmissionOptions {
  /** Those of a plugin. */
  readonly limitsOf: (pluginId: string) => CallLimits;
  /** Whether any plugin has some. */
  readonly isAny: () => boolean;
  readonly onRefused: (pluginId: string, reason: RefusalReason) => void;
  /** Milliseconds of a clock that does not go back. */
  readonly now?: () => number;
}

/** Pairs of tenant and plugin that are known at once; who comes back after that begins anew. */
const MAX_PAIRS = 20_000;

interface Pair {
  readonly limits: CallLimits;
  readonly rate: CallRate;
  readonly breaker: CircuitBreaker;
}

/** One refuses because of its own calls only: what one tenant does, or what fails for it, is not the others'. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #now: () => number;
  readonly #pairs = new LRUCache<string, Pair>(countedUpTo(MAX_PAIRS));

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get enabled(): boolean {
    return this.#options.isAny();
  }

  /**
   * Lets a call in, whose end is to be told.
   * @throws DaemonError `rate-limited` or `circuit-open`, with when to come back
   */
  admit(tenantId: string, pluginId: string): { readonly ended: (outcome: SessionOutcome) => void } {
    const { limitsOf, onRefused } = this.#options;
    const limits = limitsOf(pluginId);
    const { callsPerMinute, failuresToOpen } = limits;
    const { rate, breaker } = this.#pair(`${tenantId}/${pluginId}`, limits);
    const rateMs = callsPerMinute > 0 ? rate.take(this.#now()) : 0;
    if (rateMs > 0) {
      onRefused(pluginId, 'rate');
      throw rateLimited(pluginId, callsPerMinute, seconds(rateMs));
    }
    const call = {};
    const openMs = failuresToOpen > 0 ? breaker.take(this.#now(), call) : 0;
    if (openMs > 0) {
      onRefused(pluginId, 'breaker');
      throw circuitOpen(pluginId, failuresToOpen, seconds(openMs));
    }
    return { ended: (outcome) => breaker.ended(this.#now(), call, meanings[outcome]) };
  }

  /** Counting begins anew when the limits change. */
  #pair(key: string, limits: CallLimits): Pair {
    const known = this.#pairs.get(key);
    if (known !== undefined && (known.limits === limits || isDeepStrictEqual(known.limits, limits))) return known;
    const { callsPerMinute, failuresToOpen, openSeconds } = limits;
    const made = {
      limits,
      rate: new CallRate(callsPerMinute, this.#now()),
      breaker: new CircuitBreaker(failuresToOpen, openSeconds * 1000),
    };
    this.#pairs.set(key, made);
    return made;
  }
}

/** A client that leaves says nothing about the plugin. */
const meanings: Readonly<Record<SessionOutcome, 'success' | 'failure' | 'neither'>> = {
  success: 'success',
  error: 'failure',
  timeout: 'failure',
  client_disconnect: 'neither',
};

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000));

/** In the form of a plugin's own rate limit, which Dify knows what to do with. */
function rateLimited(pluginId: string, limit: number, retryAfterSeconds: number): DaemonError {
  const text = `more than ${limit} calls of ${pluginId} in a minute (PLUGIN_CALLS_PER_MINUTE): try again in ${retryAfterSeconds} s`;
  const args = { limit, setting: 'PLUGIN_CALLS_PER_MINUTE', retry_after_seconds: retryAfterSeconds };
  const json = sessionErrorJson(sessionError('InvokeRateLimitError', text, args));
  return new DaemonError('rate-limited', json, { retryAfterSeconds });
}

const circuitOpen = (pluginId: string, failures: number, retryAfterSeconds: number): DaemonError =>
  new DaemonError(
    'circuit-open',
    `no available node: ${pluginId} failed ${failures} calls in a row and is left alone for ${retryAfterSeconds} s`,
    {
      remedy: 'Its log says why; PLUGIN_BREAKER_FAILURES is the limit, 0 switches it off',
      args: { limit: failures, setting: 'PLUGIN_BREAKER_FAILURES' },
      retryAfterSeconds,
    },
  );
