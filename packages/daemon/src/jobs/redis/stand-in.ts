export interface StandInOptions {
  /** Whether nodes are there whose work this is. */
  readonly others: () => boolean;
  /** Takes the work on, or leaves it again. */
  readonly turn: (on: boolean) => void;
  readonly lookMs?: number;
}

const LOOK_MS = 5000;
/** Looks in a row that found nobody: a node that has just started does not know the others yet. */
const LOOKS_ALONE = 2;

/** Has a node do what others are for, as long as there are none of them. */
export class StandIn {
  readonly #options: StandInOptions;
  readonly #timer: NodeJS.Timeout;
  #alone = 0;
  #on = false;

  constructor(options: StandInOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), options.lookMs ?? LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    this.#alone = this.#options.others() ? 0 : this.#alone + 1;
    const on = this.#alone >= LOOKS_ALONE;
    if (on === this.#on) return;
    this.#on = on;
    this.#options.turn(on);
  }
}
