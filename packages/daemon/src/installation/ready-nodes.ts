import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { EventBus } from '../events/index.ts';
import type { Membership } from '../nodes/index.ts';
import type { Home, NodePlacement } from '../routing/index.ts';
import type { Claim, LocalPlugins } from '../supervision/index.ts';

export interface ReadyNodesOptions {
  /** Nodes that have to be ready before an installation is acknowledged; INSTALL_READY_NODES. */
  readonly count: number;
  /** This node's. */
  readonly plugins: LocalPlugins;
  readonly events: Pick<EventBus, 'publish' | 'on'>;
  readonly nodes: Pick<Membership, 'watch' | 'problem'>;
  readonly placement: Pick<NodePlacement, 'homes'>;
  /** Between two times the others are asked; they may not have heard, and give up what is not asked for any more. */
  readonly askEveryMs?: number;
}

type Wanted = Parameters<Claim['ready']>[0];

/** A version that this many nodes could not make ready is not tried on another one: it is the version's fault. */
const MOST_REFUSALS = 3;

/**
 * Makes versions ready where they are to run, whichever node does the installing: on this node, or on those that the placement rule names,
 * as many as were asked for, or all that there are. Other nodes are asked, and go on as long as they are: they are let go with the claim.
 */
export class ReadyNodes implements LocalPlugins {
  readonly #options: Required<ReadyNodesOptions>;

  constructor(options: ReadyNodesOptions) {
    this.#options = { askEveryMs: 2000, ...options };
  }

  isFailing(identifier: string): boolean {
    return this.#options.plugins.isFailing?.(identifier) === true;
  }

  claim(identifier: string): Claim {
    const here = this.#options.plugins.claim(identifier);
    let wish: Wish | undefined;
    return {
      ready: async (control) => {
        wish ??= new Wish(identifier, here, this.#options);
        await wish.fulfil(control);
      },
      release: async () => {
        wish?.end();
        return await here.release();
      },
    };
  }
}

/** One version that is to be ready. */
class Wish {
  readonly #identifier: string;
  readonly #here: Claim;
  readonly #options: Required<ReadyNodesOptions>;
  /** Why a node cannot, by its id; and what it is called. */
  readonly #refusals = new Map<string, string>();
  /** Nodes that said that they are ready; that they are is also seen in what they tell of themselves. */
  readonly #ready = new Set<string>();
  readonly #changes = new EventTarget();
  readonly #endings: readonly (() => void)[];
  /** Other nodes that are asked for it. */
  #asked: readonly Home[] = [];
  #asking: NodeJS.Timeout | undefined;
  #said: string | undefined;
  #own: 'idle' | 'starting' | 'ready' | { readonly failed: unknown } = 'idle';

  constructor(identifier: string, here: Claim, options: Required<ReadyNodesOptions>) {
    this.#identifier = identifier;
    this.#here = here;
    this.#options = options;
    const { events, nodes } = options;
    this.#endings = [
      nodes.watch(() => this.#changed()),
      events.on('version-refused', ({ identifier: refused, node, reason }) => {
        if (refused !== identifier || !this.#isAsked(node)) return;
        this.#refusals.set(node, `${this.#asked.find(({ id }) => id === node)?.name}: ${reason}`);
        this.#ready.delete(node);
        this.#changed();
      }),
      events.on('version-ready', ({ identifier: ready, node }) => {
        if (ready !== identifier || !this.#isAsked(node)) return;
        this.#ready.add(node);
        this.#changed();
      }),
    ];
  }

  /** @throws DaemonError when too few nodes can be ready; what it failed with here; the reason of the signal */
  async fulfil({ signal, onProgress = () => undefined }: Wanted): Promise<void> {
    const unheard = this.#options.events.on('version-progress', ({ identifier, node, step }) => {
      if (identifier === this.#identifier && this.#isAsked(node) && this.#own !== 'starting') onProgress(step);
    });
    try {
      for (;;) {
        signal.throwIfAborted();
        const homes = this.#homes();
        if (homes.some(({ here }) => here)) this.#startHere({ signal, onProgress });
        if (typeof this.#own === 'object') throw this.#own.failed;
        const ready = homes.filter((home) => this.#isReady(home)).length;
        this.#giveUp(ready, homes.length);
        this.#ask(homes.filter(({ here }) => !here));
        if (homes.length > 0 && ready === homes.length) return;
        this.#say(homes, ready, onProgress);
        await this.#change(signal);
      }
    } finally {
      unheard();
    }
  }

  end(): void {
    clearInterval(this.#asking);
    for (const end of this.#endings) end();
  }

  /** Where it is to be ready now. What was begun here goes on here. */
  #homes(): readonly Home[] {
    const homes = this.#places(new Set(this.#refusals.keys()));
    const begun = this.#own === 'starting' || this.#own === 'ready';
    return begun && !homes.some(({ here }) => here) ? [{ id: '', name: '', here: true, warm: false }, ...homes] : homes;
  }

  #places(without: ReadonlySet<string>): readonly Home[] {
    const { placement, nodes, count } = this.#options;
    return placement.homes(this.#identifier, {
      count,
      without,
      // While the others cannot be asked they are not counted on.
      alone: nodes.problem() !== undefined,
      readyHere: this.#own === 'ready',
    });
  }

  #startHere(control: Wanted): void {
    if (this.#own !== 'idle') return;
    this.#own = 'starting';
    this.#here
      .ready(control)
      .then(
        () => {
          this.#own = 'ready';
        },
        (failed: unknown) => {
          this.#own = { failed };
        },
      )
      .finally(() => this.#changed());
  }

  #ask(others: readonly Home[]): void {
    const known = this.#asked.map(({ id }) => id).join();
    this.#asked = others;
    if (others.map(({ id }) => id).join() === known) return;
    clearInterval(this.#asking);
    if (others.length === 0) return;
    const ask = () =>
      this.#options.events.publish('version-wanted', {
        identifier: this.#identifier,
        nodes: this.#asked.map(({ id }) => id),
      });
    ask();
    this.#asking = setInterval(ask, this.#options.askEveryMs).unref();
  }

  #isReady({ id, here, warm }: Home): boolean {
    return here ? this.#own === 'ready' : warm || this.#ready.has(id);
  }

  #say(homes: readonly Home[], ready: number, onProgress: (step: string) => void): void {
    const step = this.#waitingFor(homes, ready);
    // Steps that another node tells meanwhile are not written over by what was said before.
    if (step !== undefined && step !== this.#said) onProgress(step);
    this.#said = step;
  }

  #waitingFor(homes: readonly Home[], ready: number): string | undefined {
    if (homes.length === 0)
      return 'no node that may run this plugin is there: waiting for one (NODE_ROLE, PLACEMENT_PINS)...';
    if (homes.length > 1 && ready > 0) return `ready on ${ready} of ${homes.length} nodes, waiting for the others...`;
    return this.#own === 'idle' ? `waiting for ${homes[0]?.name}, where it is to run...` : undefined;
  }

  /** @throws DaemonError when those that refused leave too few, or are enough to tell that others would as well */
  #giveUp(ready: number, possible: number): void {
    if (this.#refusals.size === 0) return;
    const wanted = this.#places(new Set()).length;
    if (possible >= wanted && (ready > 0 || this.#refusals.size < MOST_REFUSALS)) return;
    const causes = [...this.#refusals.values()].join('; ');
    const text =
      wanted === 1
        ? `it cannot run where it belongs: ${causes}`
        : `it is ready on ${ready} of the ${wanted} nodes that INSTALL_READY_NODES asks for, and the others cannot run it: ${causes}`;
    throw new DaemonError('internal', text);
  }

  async #change(signal: AbortSignal): Promise<void> {
    const looked = new AbortController();
    const either = AbortSignal.any([signal, looked.signal]);
    const soon = [
      once(this.#changes, 'change', { signal: either }),
      pause(this.#options.askEveryMs, undefined, { signal: either }),
    ];
    // What was not waited for ends with the other; the loop looks at the signal.
    await Promise.race(soon).catch(() => undefined);
    looked.abort();
    await Promise.allSettled(soon);
  }

  readonly #isAsked = (node: string): boolean => this.#asked.some(({ id }) => id === node);

  #changed(): void {
    this.#changes.dispatchEvent(new Event('change'));
  }
}
