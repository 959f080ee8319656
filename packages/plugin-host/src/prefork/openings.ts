import type { OpenOptions } from '../launcher/index.ts';

/** What is opened. */
interface Openable {
  close(): Promise<void>;
}

export interface OpeningsOptions {
  /** How many processors there are. */
  readonly processors: number;
  /** How long an import may stand still for others; default 10 s. */
  readonly longestHoldMs?: number;
}

/** A parent that is being opened, or waits for its turn. */
export interface Opening<Parent> {
  /** The parent when it is ready. @throws as `open` does; the reason of `close` */
  readonly ready: Promise<Parent>;
  /** Whether its import goes on now. */
  readonly isRunning: boolean;
  /** Somebody waits for it from now on. @returns to be called when they do not any more */
  want(): () => void;
}

/** Of an `Opening` what only its owner knows. */
interface Turn<Parent> {
  readonly open: (options: OpenOptions) => Promise<Parent>;
  readonly ready: PromiseWithResolvers<Parent>;
  wanted: number;
  send: ((signal: 'SIGSTOP' | 'SIGCONT') => void) | undefined;
  isRunning: boolean;
  /** It has stood still for long enough. */
  isDue: boolean;
}

const LONGEST_HOLD_MS = 10_000;

/**
 * Opens parents, one at a time: an import of the SDK takes a processor for a second, and calls that wait for a plain start are not to lose
 * it to them. While such starts take the processors an import stands still, unless somebody waits for it as well.
 */
export class Openings<Parent extends Openable> {
  readonly #room: number;
  readonly #longestHoldMs: number;
  readonly #queue: Turn<Parent>[] = [];
  readonly #closed = new AbortController();
  #current: Turn<Parent> | undefined;
  /** Plain starts that calls wait for. */
  #plain = 0;

  constructor({ processors, longestHoldMs = LONGEST_HOLD_MS }: OpeningsOptions) {
    // One is for the daemon, which has calls.
    this.#room = Math.max(1, processors - 1);
    this.#longestHoldMs = longestHoldMs;
  }

  add(open: (options: OpenOptions) => Promise<Parent>): Opening<Parent> {
    const ready = Promise.withResolvers<Parent>();
    const turn: Turn<Parent> = { open, ready, wanted: 0, send: undefined, isRunning: false, isDue: false };
    // Whoever waits sees how it ends; without one its owner does.
    ready.promise.catch(() => undefined);
    if (this.#closed.signal.aborted) ready.reject(this.#closed.signal.reason);
    else this.#queue.push(turn);
    this.#arrange();
    return {
      ready: ready.promise,
      get isRunning() {
        return turn.isRunning;
      },
      want: () => {
        turn.wanted++;
        this.#arrange();
        let given = false;
        return () => {
          if (!given) turn.wanted--;
          given = true;
          this.#arrange();
        };
      },
    };
  }

  /** A plain start begins that a call waits for. @returns to be called when it is over */
  giveWay(): () => void {
    this.#plain++;
    this.#arrange();
    let over = false;
    return () => {
      if (!over) this.#plain--;
      over = true;
      this.#arrange();
    };
  }

  /** Gives up what is not ready. Resolves when it has ended. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the daemon is shutting down'));
    for (const { ready } of this.#queue.splice(0)) ready.reject(this.#closed.signal.reason);
    await this.#current?.ready.promise.catch(() => undefined);
  }

  #arrange(): void {
    const isFree = this.#plain < this.#room;
    if (this.#current === undefined) {
      const wanted = this.#queue.findIndex((one) => one.wanted > 0);
      const [next] = wanted >= 0 ? this.#queue.splice(wanted, 1) : isFree ? this.#queue.splice(0, 1) : [];
      if (next !== undefined) void this.#run(next);
      return;
    }
    this.#let(this.#current, isFree || this.#current.wanted > 0 || this.#current.isDue);
  }

  #let(turn: Turn<Parent>, run: boolean): void {
    if (turn.send === undefined || turn.isRunning === run) return;
    turn.isRunning = run;
    turn.send(run ? 'SIGCONT' : 'SIGSTOP');
    if (run || turn.isDue) return;
    const due = () => {
      turn.isDue = true;
      this.#arrange();
    };
    setTimeout(due, this.#longestHoldMs).unref();
  }

  async #run(turn: Turn<Parent>): Promise<void> {
    this.#current = turn;
    turn.isRunning = true;
    try {
      const onSpawned: OpenOptions['onSpawned'] = (send) => {
        turn.send = send;
        this.#arrange();
      };
      turn.ready.resolve(await turn.open({ signal: this.#closed.signal, onSpawned }));
    } catch (error) {
      turn.ready.reject(error);
    } finally {
      turn.send = undefined;
      turn.isRunning = false;
      this.#current = undefined;
      this.#arrange();
    }
  }
}
