import { LRUCache } from 'lru-cache';

/** A webhook that failed, as those with a key may read it. */
export interface WebhookFailure {
  readonly error_id: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly endpoint_id: string;
  /** The plugin unique identifier. */
  readonly plugin_unique_identifier: string;
  /** What went wrong, with what the plugin said. */
  readonly error: string;
}

/** Callers are strangers: what they can make us remember is bounded in number, length and time. */
const MAX_FAILURES = 1000;
const MAX_ERROR_CHARS = 4096;
const KEPT_MS = 10 * 60_000;

/** What failed lately, by error id and for its tenant alone. In memory: the log has the same, and for longer. */
export class RecentFailures {
  readonly #failures = new LRUCache<string, { readonly tenantId: string; readonly failure: WebhookFailure }>({
    max: MAX_FAILURES,
    ttl: KEPT_MS,
  });

  add(tenantId: string, failure: WebhookFailure): void {
    const { error } = failure;
    const cut = error.length > MAX_ERROR_CHARS ? `${error.slice(0, MAX_ERROR_CHARS)}…` : error;
    // A slice keeps the whole text alive; a copy does not.
    const kept = Buffer.from(cut, 'utf8').toString('utf8');
    this.#failures.set(failure.error_id, { tenantId, failure: { ...failure, error: kept } });
  }

  /** Undefined when it is another tenant's, too old, or never was. */
  find(tenantId: string, errorId: string): WebhookFailure | undefined {
    const found = this.#failures.get(errorId);
    return found?.tenantId === tenantId ? found.failure : undefined;
  }
}
