import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { EventBus } from '../events/index.ts';
import { fingerprint, type Member, type Membership } from '../nodes/index.ts';
import type { LaunchControl } from './version-installer.ts';

export interface ReadyNodesOptions {
  /** Nodes that have to be ready before an installation is acknowledged; INSTALL_READY_NODES. */
  readonly count: number;
  readonly events: Pick<EventBus, 'publish' | 'on'>;
  readonly nodes: Pick<Membership, 'list' | 'watch'>;
  /** Between two times the others are asked; they may not have heard. */
  readonly askEveryMs?: number;
}

/** A node that said why it cannot, by its id. */
type Refusals = ReadonlyMap<string, string>;

/**
 * Has other nodes make a version ready that was made ready here, until as many are as were asked for, or all that there are. Which are
 * is seen in what nodes tell of themselves.
 */
export class ReadyNodes {
  readonly #options: Required<ReadyNodesOptions>;

  constructor(options: ReadyNodesOptions) {
    this.#options = { askEveryMs: 2000, ...options };
  }

  /** @throws DaemonError when too few nodes can be ready; the reason of the signal */
  async wait(identifier: string, { signal, progress }: LaunchControl): Promise<void> {
    const { count, events, nodes, askEveryMs } = this.#options;
    if (count <= 1) return;
    const refusals = new Map<string, string>();
    const changes = new EventTarget();
    const changed = () => void changes.dispatchEvent(new Event('change'));
    const endings = [
      nodes.watch(changed),
      events.on('version-refused', ({ identifier: refused, node, reason }) => {
        if (refused !== identifier) return;
        refusals.set(node, reason);
        changed();
      }),
    ];
    try {
      for (let askedAt = Number.NEGATIVE_INFINITY; ; ) {
        signal.throwIfAborted();
        if (this.#judge(identifier, refusals, progress)) return;
        if (performance.now() - askedAt >= askEveryMs) {
          events.publish('version-wanted', { identifier });
          askedAt = performance.now();
        }
        const looked = new AbortController();
        const either = AbortSignal.any([signal, looked.signal]);
        const soon = [once(changes, 'change', { signal: either }), pause(askEveryMs, undefined, { signal: either })];
        // What was not waited for ends with the other; the loop looks at the signal.
        await Promise.race(soon).catch(() => undefined);
        looked.abort();
        await Promise.allSettled(soon);
      }
    } finally {
      for (const end of endings) end();
    }
  }

  /** Whether enough are ready. @throws DaemonError when they cannot be */
  #judge(identifier: string, refusals: Refusals, progress: LaunchControl['progress']): boolean {
    const mark = fingerprint(identifier);
    const others = this.#options.nodes.list().filter(runsPlugins);
    // This one is ready.
    const ready = 1 + others.filter(({ warm }) => warm.includes(mark)).length;
    const wanted = Math.min(this.#options.count, 1 + others.length);
    if (ready >= wanted) return true;
    const unable = others.filter(({ id, warm }) => refusals.has(id) && !warm.includes(mark));
    if (1 + others.length - unable.length < wanted) {
      const causes = unable.map(({ id, name }) => `${name}: ${refusals.get(id)}`).join('; ');
      throw new DaemonError(
        'internal',
        `it is ready on ${ready} of the ${wanted} nodes that INSTALL_READY_NODES asks for, and the others cannot run it: ${causes}`,
      );
    }
    progress(`ready on ${ready} of ${wanted} nodes, waiting for the others...`);
    return false;
  }
}

const runsPlugins = ({ role, state, foreign }: Member): boolean => role !== 'front' && state === 'serving' && !foreign;
