/**
 * Who wants which version to run on this node: jobs that install it, and the tenants that have it installed, as the database said when
 * it was asked last. Whatever is claimed by neither may be stopped.
 */
export class Claims {
  readonly #jobs = new Map<string, number>();
  /** The claim of the tenants, with the number of looks in a row that did not find the version installed. */
  readonly #tenants = new Map<string, number>();

  take(identifier: string): void {
    this.#jobs.set(identifier, (this.#jobs.get(identifier) ?? 0) + 1);
  }

  give(identifier: string): void {
    const left = (this.#jobs.get(identifier) ?? 1) - 1;
    if (left > 0) this.#jobs.set(identifier, left);
    else this.#jobs.delete(identifier);
  }

  byJobs(identifier: string): boolean {
    return this.#jobs.has(identifier);
  }

  /** The tenants have it. */
  installed(identifier: string): void {
    this.#tenants.set(identifier, 0);
  }

  /** The tenants do not have it any more. */
  uninstalled(identifier: string): void {
    this.#tenants.delete(identifier);
  }

  /**
   * One look at the whole list of installed versions.
   * @param patience the looks in a row that a version has to be missing from
   * @returns the versions that nobody claims now
   */
  look(installed: ReadonlySet<string>, patience: number): readonly string[] {
    for (const identifier of installed) this.installed(identifier);
    const released: string[] = [];
    for (const [identifier, missed] of this.#tenants) {
      if (installed.has(identifier)) continue;
      // A version that is being installed is not missed.
      if (this.byJobs(identifier)) this.#tenants.set(identifier, 0);
      else if (missed + 1 < patience) this.#tenants.set(identifier, missed + 1);
      else {
        this.#tenants.delete(identifier);
        released.push(identifier);
      }
    }
    return released;
  }
}
