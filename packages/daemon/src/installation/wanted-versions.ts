import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import type { EventBus } from '../events/index.ts';
import type { Claim, LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';
import { ProgressWriter } from './progress-writer.ts';

export interface WantedVersionsOptions {
  readonly events: Pick<EventBus, 'publish' | 'on'>;
  /** The id of this node. */
  readonly nodeId: string;
  readonly plugins: LocalPlugins;
  readonly log: Log;
  /** How long a version is kept that nobody asked for again and no tenant has. */
  readonly keepMs?: number;
}

interface Wanted {
  readonly claim: Claim;
  readonly timer: NodeJS.Timeout;
  ready: boolean;
}

/** What is told of a start: its steps not more often than this, in ms, and neither they nor what it failed with at any length. */
const PROGRESS_MS = 250;
const LONGEST_TEXT = 2000;
/** Asked for by other nodes at the same time; more is a mistake of somebody. */
const MOST = 256;

/** Versions that other nodes are installing and want to be ready here as well before they say that they are installed. */
export class WantedVersions {
  readonly #options: Required<WantedVersionsOptions>;
  readonly #wanted = new Map<string, Wanted>();
  readonly #closed = new AbortController();
  readonly #ends: readonly (() => void)[];

  constructor(options: WantedVersionsOptions) {
    this.#options = { keepMs: 10_000, ...options };
    this.#ends = [
      options.events.on('version-wanted', ({ identifier, nodes }) => {
        if (nodes === undefined || nodes.includes(options.nodeId)) this.#want(identifier);
      }),
    ];
  }

  /** Gives up what is wanted; what tenants have stays until the plugins are stopped. */
  async close(): Promise<void> {
    for (const end of this.#ends) end();
    this.#closed.abort(new Error('the daemon is stopping'));
    await Promise.all([...this.#wanted.keys()].map((identifier) => this.#forget(identifier)));
  }

  #want(identifier: string): void {
    const known = this.#wanted.get(identifier);
    if (known !== undefined) {
      known.timer.refresh();
      // Who asks again may not have heard.
      if (known.ready) this.#options.events.publish('version-ready', { identifier, node: this.#options.nodeId });
      return;
    }
    if (this.#closed.signal.aborted || this.#wanted.size >= MOST) return;
    const claim = this.#options.plugins.claim(identifier);
    const timer = setTimeout(() => void this.#forget(identifier), this.#options.keepMs).unref();
    const wanted: Wanted = { claim, timer, ready: false };
    this.#wanted.set(identifier, wanted);
    void this.#start(identifier, wanted);
  }

  async #start(identifier: string, wanted: Wanted): Promise<void> {
    const { events, nodeId, log } = this.#options;
    const isWanted = () => !this.#closed.signal.aborted && this.#wanted.get(identifier) === wanted;
    const progress = new ProgressWriter(async (step) => {
      if (isWanted())
        events.publish('version-progress', { identifier, node: nodeId, step: step.slice(0, LONGEST_TEXT) });
    }, PROGRESS_MS);
    try {
      await wanted.claim.ready({ signal: this.#closed.signal, onProgress: (step) => progress.show(step) });
      await progress.stop();
      if (!isWanted()) return;
      wanted.ready = true;
      events.publish('version-ready', { identifier, node: nodeId });
    } catch (error) {
      await progress.stop();
      if (!isWanted()) return;
      log.warn({ err: error, identifier }, 'a version that another node installs cannot run here');
      const reason = error instanceof DaemonError ? error.wireMessage : messageOf(error);
      events.publish('version-refused', { identifier, node: nodeId, reason: reason.slice(0, LONGEST_TEXT) });
      // Asked once more, it is tried once more.
      await this.#forget(identifier);
    }
  }

  async #forget(identifier: string): Promise<void> {
    const known = this.#wanted.get(identifier);
    if (known === undefined) return;
    this.#wanted.delete(identifier);
    clearTimeout(known.timer);
    try {
      await known.claim.release();
    } catch (error) {
      this.#options.log.warn({ err: error, identifier }, 'a version may run here for nobody for a while');
    }
  }
}
