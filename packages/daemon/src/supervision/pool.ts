import type { PluginInstance } from '@plugin-daemon/plugin-host/runtimes';
import { InstanceSlot, type InstanceSlotOptions, type PluginState } from './instance-slot.ts';

export interface PoolOptions extends Omit<InstanceSlotOptions, 'onState'> {
  /** How many instances run. */
  readonly instances: number;
  /** The state of the whole. */
  readonly onState: (state: PluginState) => void;
}

/** Of the whole the best that one of its instances is in. */
const best: readonly PluginState[] = ['running', 'starting', 'waiting', 'stopped'];

/**
 * The instances of one plugin version: a new session goes to the one with the least to do, one that ended is replaced. There is one pool
 * for each identifier; it alone starts and stops this version's instances.
 */
export class Pool {
  readonly #slots: readonly InstanceSlot[];
  readonly #onState: (state: PluginState) => void;
  #state: PluginState = 'stopped';

  constructor({ instances, onState, ...options }: PoolOptions) {
    this.#onState = onState;
    this.#slots = Array.from(
      { length: instances },
      () => new InstanceSlot({ ...options, onState: () => this.#stateChanged() }),
    );
  }

  get state(): PluginState {
    return this.#state;
  }

  /** Text of the last failure while the whole waits for a next start. */
  get problem(): string | undefined {
    if (this.#state !== 'waiting') return undefined;
    return this.#slots.find((slot) => slot.problem !== undefined)?.problem;
  }

  /** The ready instance with the fewest open sessions. */
  pick(): PluginInstance | undefined {
    let least: PluginInstance | undefined;
    for (const { instance } of this.#slots) {
      if (instance !== undefined && (least === undefined || instance.load < least.load)) least = instance;
    }
    return least;
  }

  /**
   * A ready instance; those that do not run are started. Starts under way are joined; they go on when the asker leaves, as others may
   * wait.
   * @throws the error of a start when all have failed; the signal's reason
   */
  async ensure(signal: AbortSignal, onProgress?: (step: string) => void): Promise<PluginInstance> {
    const ready = this.pick();
    if (ready !== undefined) return ready;
    signal.throwIfAborted();
    try {
      return await Promise.any(this.#slots.map((slot) => slot.ensure(signal, onProgress)));
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    }
  }

  /** Starts what does not run, for nobody in particular: the slots log what fails and start again by themselves. */
  fill(signal: AbortSignal): void {
    for (const slot of this.#slots) if (slot.state === 'stopped') slot.ensure(signal).catch(() => undefined);
  }

  /**
   * Stops for good: no new sessions, open ones may finish, then the instances end. Resolves when they have.
   * @param signal aborts the waiting for open sessions
   */
  async retire(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.retire(signal)));
  }

  #stateChanged(): void {
    const state = best.find((one) => this.#slots.some((slot) => slot.state === one)) ?? 'stopped';
    if (state === this.#state) return;
    this.#state = state;
    this.#onState(state);
  }
}
