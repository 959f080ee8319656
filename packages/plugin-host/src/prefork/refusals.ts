const REFUSED_MS = 3_600_000;
const MOST_REFUSED = 1000;

/** Plugins that a way of starting is not for, for an hour, with the reasons. */
export class Refusals {
  readonly #refused = new Map<string, { readonly at: number; readonly reason: string }>();

  add(identifier: string, reason: string): void {
    if (this.#refused.size >= MOST_REFUSED) this.#refused.clear();
    this.#refused.set(identifier, { at: Date.now(), reason });
  }

  /** undefined for who is not refused. */
  reasonFor(identifier: string): string | undefined {
    const refused = this.#refused.get(identifier);
    return refused !== undefined && Date.now() - refused.at < REFUSED_MS ? refused.reason : undefined;
  }
}
