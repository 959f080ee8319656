import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface QuietHeapOptions {
  /** Whether somebody would notice a pause: calls under way. */
  readonly isBusy: () => boolean;
  /** How often to look, in ms; quiet is who was so at two looks in a row. */
  readonly lookMs?: number;
}

const LOOK_MS = 2500;
const QUIET_LOOKS = 2;
/** Of the time between two looks, what a quiet daemon works at most. */
const QUIET_UTILIZATION = 0.05;
/** Less garbage than this is left alone. */
const WORTH_BYTES = 4 * 1024 * 1024;
/** A collection takes about 2 ms per MB that lives; with more than this the engine's own ways are gentler. */
const MOST_LIVE_BYTES = 128 * 1024 * 1024;

/**
 * Gives memory back to the system once the daemon has become quiet. The engine collects when somebody allocates: after a load of
 * calls it would keep its garbage, and the room for it, as long as nobody calls.
 */
export class QuietHeap {
  readonly #isBusy: () => boolean;
  readonly #timer: NodeJS.Timeout;
  #before = performance.eventLoopUtilization();
  #quietLooks = 0;
  /** Size of the heap after the last collection. */
  #settledBytes = 0;

  constructor({ isBusy, lookMs = LOOK_MS }: QuietHeapOptions) {
    this.#isBusy = isBusy;
    // Holds no process up that has nothing else to do.
    this.#timer = setInterval(() => this.#look(), lookMs).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#before);
    this.#before = now;
    this.#quietLooks = this.#isBusy() || utilization > QUIET_UTILIZATION ? 0 : this.#quietLooks + 1;
    if (this.#quietLooks < QUIET_LOOKS) return;
    const { total_heap_size: size, used_heap_size: used } = getHeapStatistics();
    if (size < this.#settledBytes + WORTH_BYTES || used > MOST_LIVE_BYTES) return;
    collect();
    this.#settledBytes = getHeapStatistics().total_heap_size;
    this.#before = performance.eventLoopUtilization();
  }
}

/** A full collection that gives free pages back; what a flag of the engine would have shown under the name `gc` from the start. */
function collect(): void {
  setFlagsFromString('--expose-gc');
  try {
    const gc: (how: { type: 'major'; flavor: 'last-resort' }) => void = runInNewContext('gc');
    gc({ type: 'major', flavor: 'last-resort' });
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
