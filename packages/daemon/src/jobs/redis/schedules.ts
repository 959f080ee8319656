import type { Queue } from 'bullmq';
import type { QueueClient } from '../../cache/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { recurringKinds } from '../job-kinds.ts';
import { evictionPolicy, named } from './library.ts';
import { ask } from './questions.ts';

/** Recurring work that was lost with the server is put there again by the first node that looks. */
const SCHEDULE_LOOK_MS = 15_000;

interface SchedulesParts {
  readonly client: QueueClient;
  readonly queue: Queue;
  readonly log: Log;
  readonly onTrouble: (error: unknown) => void;
}

/** Recurring work in Redis: looked after by every node, put there by whoever finds it missing. */
export class Schedules {
  readonly #parts: SchedulesParts;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;
  #looked = false;

  constructor(parts: SchedulesParts) {
    this.#parts = parts;
  }

  begin(): void {
    const look = () => {
      this.#looking = this.#looking.then(() => this.#schedule()).then(() => this.#lookAtServer());
    };
    look();
    this.#timer = setInterval(look, SCHEDULE_LOOK_MS).unref();
  }

  /** No further look; resolves when the one that was begun has ended. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
  }

  /** Puts recurring work there unless it stands there already: putting it there anew would move its next round. */
  async #schedule(): Promise<void> {
    const { queue: recurring } = this.#parts;
    for (const { kind, everyMs } of recurringKinds) {
      if (this.#stopped) return;
      try {
        const known = await ask(this.#parts.client, 'be asked for schedules', () => recurring.getJobScheduler(kind));
        if (known?.every === everyMs) continue;
        await ask(this.#parts.client, 'be given a schedule', () =>
          recurring.upsertJobScheduler(
            kind,
            { every: everyMs },
            { name: kind, data: named(kind), opts: { removeOnComplete: true, removeOnFail: true } },
          ),
        );
      } catch (error) {
        this.#parts.onTrouble(error);
        return;
      }
    }
  }

  /** Told once, in our log: a server that throws keys away to make room throws jobs away. */
  async #lookAtServer(): Promise<void> {
    if (this.#looked) return;
    try {
      const policy = evictionPolicy(
        await ask(this.#parts.client, 'be asked for its policy', () => this.#parts.client.info('memory')),
      );
      this.#looked = true;
      if (policy === 'noeviction') return;
      this.#parts.log.warn(
        { policy, remedy: 'set maxmemory-policy noeviction' },
        'Redis may throw jobs away when its memory is full; they are found again, later',
      );
    } catch (error) {
      this.#parts.onTrouble(error);
    }
  }
}
