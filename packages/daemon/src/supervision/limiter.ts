import type { Haste } from '@plugin-daemon/plugin-host/prefork';

/** Who waits for a start: a call, for which each moment counts, or a task such as an installation, which takes seconds anyway. */
export type Asker = 'call' | 'task';

/** Whether anybody waits for a task. It may become urgent while it waits for its turn. */
export class Urgency {
  #urgent = false;
  #called = false;
  #onUrgent: (() => void) | undefined;
  readonly #raised = Promise.withResolvers<void>();

  /** Of calls alone. */
  get ofCalls(): Haste {
    return { urgent: this.#called, raised: this.#raised.promise };
  }

  get urgent(): boolean {
    return this.#urgent;
  }

  /** Somebody waits for it from now on. */
  raise(asker: Asker): void {
    if (asker === 'call') {
      this.#called = true;
      this.#raised.resolve();
    }
    if (this.#urgent) return;
    this.#urgent = true;
    this.#onUrgent?.();
  }

  /** Whoever keeps it waiting is told when it becomes urgent; there is one at a time. */
  set onUrgent(listener: (() => void) | undefined) {
    this.#onUrgent = listener;
  }
}

interface Waiting {
  readonly urgency: Urgency;
  readonly go: (urgent: boolean) => void;
}

/**
 * Lets at most `limit` tasks run at once; the others wait in order. Urgent ones do not wait for what nobody waits for: they have `limit`
 * places whatever else runs, and nothing else begins while they need them.
 */
export class Limiter {
  readonly #limit: number;
  #urgent = 0;
  #others = 0;
  readonly #waiting: Waiting[] = [];

  constructor(limit: number) {
    this.#limit = Math.max(1, limit);
  }

  /** Runs `task` when there is room. Rejects with the signal's reason if it aborts before. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>, urgency: Urgency = new Urgency()): Promise<T> {
    signal.throwIfAborted();
    const ahead = this.#waiting.some((one) => one.urgency.urgent || !urgency.urgent);
    // As what it is counted: it may become urgent while it runs.
    const counted = ahead || !this.#hasRoom(urgency.urgent) ? await this.#turn(signal, urgency) : this.#begin(urgency);
    try {
      return await task();
    } finally {
      this.#count(counted, -1);
      this.#next();
    }
  }

  #hasRoom(urgent: boolean): boolean {
    return this.#urgent + (urgent ? 0 : this.#others) < this.#limit;
  }

  #begin({ urgent }: Urgency): boolean {
    this.#count(urgent, 1);
    return urgent;
  }

  #count(urgent: boolean, change: 1 | -1): void {
    if (urgent) this.#urgent += change;
    else this.#others += change;
  }

  /** Gives places that are free to those who wait: to urgent ones first, to each kind in order. */
  #next(): void {
    for (const urgent of [true, false]) {
      while (this.#hasRoom(urgent)) {
        const at = this.#waiting.findIndex((one) => one.urgency.urgent === urgent);
        const [one] = at < 0 ? [] : this.#waiting.splice(at, 1);
        if (one === undefined) break;
        one.go(this.#begin(one.urgency));
      }
    }
  }

  /** Resolves when a place was taken for it, with what it was counted as. */
  #turn(signal: AbortSignal, urgency: Urgency): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const done = () => {
        signal.removeEventListener('abort', giveUp);
        urgency.onUrgent = undefined;
      };
      const waiting: Waiting = {
        urgency,
        go: (urgent) => {
          done();
          resolve(urgent);
        },
      };
      const giveUp = () => {
        const at = this.#waiting.indexOf(waiting);
        if (at >= 0) this.#waiting.splice(at, 1);
        done();
        reject(signal.reason);
      };
      signal.addEventListener('abort', giveUp, { once: true });
      urgency.onUrgent = () => this.#next();
      this.#waiting.push(waiting);
    });
  }
}
