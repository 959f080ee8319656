/** What was opened is closed in reverse order: nobody outlives what they stand on. */

/** Remembers how to close a part. @returns the part */
export type Closing = <T>(part: T, close: (part: T) => void | Promise<void>) => T;

export class OpenedParts {
  readonly #closers: (() => void | Promise<void>)[] = [];

  readonly closing: Closing = (part, close) => {
    this.#closers.push(() => close(part));
    return part;
  };

  /** Closes all parts, in the reverse order of their opening. @throws AggregateError of those that could not be closed; the others are */
  async closeAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        // The others still have to be closed: processes would stay, or a lock.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('\n'));
  }
}
