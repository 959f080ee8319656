import type { GarbageReport, PythonEnvironments, StoredReport } from '@plugin-daemon/plugin-host/environments';
import type { Log } from '../telemetry/index.ts';

export interface HousekeepingOptions {
  readonly environments: Pick<PythonEnvironments, 'collectGarbage' | 'list'>;
  /** Identifiers whose environments stay: installed, being installed, running. */
  readonly inUse: () => Promise<readonly string[]>;
  /** Told when something may have been removed. */
  readonly onCollected?: () => Promise<void>;
  /** Environments that nobody has used for this long are removed; hours, 0 keeps them for ever. */
  readonly retentionHours: number;
  readonly log: Log;
  /** Between two rounds; the first one comes after the same time. */
  readonly everyMs?: number;
}

const SIX_HOURS_MS = 6 * 3_600_000;
/** Of what nobody uses, where nothing is removed without being asked. */
const WEEK_HOURS = 168;

/** What operators can ask about environments. */
export type EnvironmentCare = Pick<Housekeeping, 'list' | 'collect'>;

/**
 * Removes the environments of versions that no tenant has installed any more: left alone they fill disks
 * (docs/wire/lifecycle.md#working-directories).
 */
export class Housekeeping {
  readonly #options: HousekeepingOptions;
  readonly #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    if (options.retentionHours === 0) return;
    this.#timer = setInterval(() => {
      this.#round = this.#round.then(() => this.run());
    }, options.everyMs ?? SIX_HOURS_MS);
    this.#timer.unref();
  }

  /** One round. Failures are logged: the next round tries again. */
  async run(): Promise<void> {
    const { retentionHours, log } = this.#options;
    try {
      const report = await this.#collect(false, retentionHours);
      const removed = [...report.directories, ...report.environments].filter((one) => one.removed);
      if (removed.length === 0) return;
      const bytes = removed.reduce((sum, one) => sum + one.bytes, report.bytecodeBytes);
      log.info(
        { environments: removed.map(({ name }) => name), bytes },
        'environments of uninstalled plugins were removed',
      );
    } catch (error) {
      log.warn({ error }, 'environments of uninstalled plugins could not be removed');
    }
  }

  /** The environments that plugins share. */
  list(): Promise<StoredReport[]> {
    return this.#options.environments.list();
  }

  /** A round that somebody asks for, after the one that is under way. @param hours younger things stay; as the rounds do unless given */
  async collect({ dryRun, hours }: { readonly dryRun: boolean; readonly hours?: number }): Promise<GarbageReport> {
    const asked = this.#round.then(() => this.#collect(dryRun, hours ?? (this.#options.retentionHours || WEEK_HOURS)));
    this.#round = asked.then(
      () => undefined,
      () => undefined, // the one who asked is told
    );
    return await asked;
  }

  async #collect(dryRun: boolean, hours: number): Promise<GarbageReport> {
    const { environments, inUse, onCollected } = this.#options;
    const report = await environments.collectGarbage({ keep: inUse, dryRun, minimumAgeSeconds: hours * 3600 });
    if (!dryRun) await onCollected?.();
    return report;
  }

  /** Stops; a round under way ends first. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }
}
