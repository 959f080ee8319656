import type { PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import type { Log } from '../telemetry/index.ts';

export interface HousekeepingOptions {
  readonly environments: Pick<PythonEnvironments, 'collectGarbage'>;
  /** Identifiers whose environments stay: installed, being installed, running. */
  readonly inUse: () => Promise<readonly string[]>;
  /** Environments that nobody has used for this long are removed; hours, 0 keeps them for ever. */
  readonly retentionHours: number;
  readonly log: Log;
  /** Between two rounds; the first one comes after the same time. */
  readonly everyMs?: number;
}

const SIX_HOURS_MS = 6 * 3_600_000;

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
    const { environments, inUse, retentionHours, log } = this.#options;
    try {
      const keep = await inUse();
      const report = await environments.collectGarbage({
        keep,
        dryRun: false,
        minimumAgeSeconds: retentionHours * 3600,
      });
      const removed = report.directories.filter((directory) => directory.removed);
      if (removed.length === 0) return;
      const bytes = removed.reduce((sum, directory) => sum + directory.bytes, report.bytecodeBytes);
      log.info(
        { environments: removed.map((directory) => directory.name), bytes },
        'environments of uninstalled plugins were removed',
      );
    } catch (error) {
      log.warn({ error }, 'environments of uninstalled plugins could not be removed');
    }
  }

  /** Stops; a round under way ends first. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#round;
  }
}
