import { messageOf } from '@plugin-daemon/values';
import type { EventBus } from '../events/index.ts';
import type { Claim, LocalPlugins } from '../supervision/index.ts';
import type { Log } from '../telemetry/index.ts';

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
}

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
    this.#ends = [options.events.on('version-wanted', ({ identifier }) => this.#want(identifier))];
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
      return;
    }
    if (this.#closed.signal.aborted || this.#wanted.size >= MOST) return;
    const claim = this.#options.plugins.claim(identifier);
    const timer = setTimeout(() => void this.#forget(identifier), this.#options.keepMs).unref();
    this.#wanted.set(identifier, { claim, timer });
    void this.#start(identifier, claim);
  }

  async #start(identifier: string, claim: Claim): Promise<void> {
    const { events, nodeId, log } = this.#options;
    try {
      await claim.ready({ signal: this.#closed.signal });
    } catch (error) {
      if (this.#closed.signal.aborted || this.#wanted.get(identifier)?.claim !== claim) return;
      log.warn({ err: error, identifier }, 'a version that another node installs cannot run here');
      events.publish('version-refused', { identifier, node: nodeId, reason: messageOf(error).slice(0, 500) });
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
