/** Looks now and then at what a process stands on and does not hold open: its code and its libraries. */
export interface StandingOptions {
  /** Why the plugin should be started anew; undefined while there is no reason. May reject. */
  readonly problem: () => Promise<string | undefined>;
  readonly everyMs: number;
}

export class StandingWatch {
  readonly #timer: NodeJS.Timeout;

  /** @param onGone called once, when the same is found twice in a row: something may be just about to be replaced */
  constructor({ problem, everyMs }: StandingOptions, onGone: (reason: string) => void) {
    let looking = false;
    let found: string | undefined;
    this.#timer = setInterval(async () => {
      if (looking) return;
      looking = true;
      const before = found;
      found = await problem().catch(() => undefined); // what cannot be looked at is no reason
      looking = false;
      if (found === undefined || before === undefined) return;
      this.stop();
      onGone(found);
    }, everyMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
