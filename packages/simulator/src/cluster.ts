import { type Member, type NodeChoice, NodePlacement } from '@plugin-daemon/daemon/decisions';
import type { Call, Plugin } from './call.ts';
import { Chance, Popularity } from './chance.ts';
import { Clock } from './clock.ts';
import { Directory } from './directory.ts';
import { Happened } from './figures.ts';
import { Network } from './network.ts';
import { SimulatedNode } from './node.ts';
import { type SimulationOptions, transport } from './options.ts';

/** All nodes, and the calls that come to them. */
export class Cluster {
  readonly clock = new Clock();
  readonly network = new Network(this.clock);
  readonly directory = new Directory(this.clock);
  readonly happened = new Happened();
  readonly options: SimulationOptions;
  readonly #chance: Chance;
  readonly #popularity: Popularity;
  readonly #plugins: readonly Plugin[];
  readonly #byIdentifier: ReadonlyMap<string, Plugin>;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #placements = new Map<SimulatedNode, NodePlacement>();
  #named = 0;
  #changedAt = 0;

  constructor(options: SimulationOptions) {
    this.options = options;
    this.#chance = new Chance(options.seed);
    this.#popularity = new Popularity(options.plugins, options.skew);
    this.#plugins = Array.from({ length: options.plugins }, (_, n) => ({
      identifier: `author/plugin-${n}:0.0.1@${n.toString(16).padStart(64, '0')}`,
      homes: new Set<string>(),
      last: undefined,
    }));
    this.#byIdentifier = new Map(this.#plugins.map((plugin) => [plugin.identifier, plugin]));
    for (let n = 0; n < options.nodes; n++) this.join();
    this.#comeIn();
  }

  /** Nodes that run plugins. */
  get nodes(): readonly SimulatedNode[] {
    return [...this.#nodes.values()];
  }

  /** Calls that came in and are not over. */
  get pending(): number {
    return this.nodes.reduce((sum, node) => sum + node.entered.size, 0);
  }

  /** When a node came or went last, or the network was cut or healed. */
  get changedAt(): number {
    return Math.max(this.#changedAt, this.network.changedAt);
  }

  get serving(): readonly SimulatedNode[] {
    return this.nodes.filter(({ state }) => state === 'serving');
  }

  join(): SimulatedNode {
    const { clock, network, directory, happened, options } = this;
    const node = new SimulatedNode({
      id: `node-${String(++this.#named).padStart(4, '0')}`,
      options,
      clock,
      network,
      directory,
      happened,
      onDone: (call) => this.#finish(call),
      phase: this.#chance.below(60_000),
    });
    this.#nodes.set(node.id, node);
    this.#placements.set(node, this.#placementOf(node));
    this.#changedAt = clock.now;
    // Not all in the same millisecond: nodes start when they start.
    clock.after(this.#chance.below(1000), () => node.membership.join());
    return node;
  }

  /** As with SIGTERM. */
  drain(node: SimulatedNode): void {
    node.drain();
    const { clock } = this;
    const end = () => {
      stop();
      this.#lose(node);
      node.end(true);
      this.#remove(node);
    };
    const lastly = clock.now + transport.balancer + transport.drain;
    let stop = clock.after(transport.balancer, () => {
      node.state = 'closed';
      stop = clock.every(100, () => {
        if ((node.open.size === 0 && node.entered.size === 0) || clock.now >= lastly) end();
      });
    });
  }

  /** As with SIGKILL. */
  crash(node: SimulatedNode): void {
    this.#lose(node);
    node.end(false);
    this.#remove(node);
  }

  /** Every node that reaches Redis knows all that do, and no other. */
  get agrees(): boolean {
    const reaching = this.nodes.filter(({ id }) => this.network.reachesRedis(id));
    return reaching.every(
      ({ membership: { members } }) =>
        members.length === reaching.length - 1 &&
        members.every(({ id }) => this.#nodes.has(id) && this.network.reachesRedis(id)),
    );
  }

  #placementOf(node: SimulatedNode): NodePlacement {
    const { cores, maxNodes } = this.options;
    return new NodePlacement({
      self: { id: node.id, name: node.id, role: 'all', cores },
      draining: () => node.state !== 'serving',
      load: () => node.open.size,
      members: () => node.membership.members,
      openAt: (id) => node.openAt(id),
      isSuspect: (id) => node.isSuspect(id),
      rule: 'demand',
      pins: [],
      maxNodes,
      random: this.#chance.next,
      now: () => this.clock.now,
      prepare: (identifier, id) => this.#prepare(node, identifier, id),
    });
  }

  #comeIn(): void {
    const { callsPerNode, nodes, workMs } = this.options;
    const everyMs = 1000 / (callsPerNode * nodes);
    const next = () => {
      this.clock.after(this.#chance.exponential(everyMs), next);
      this.happened.count('calls');
      const plugin = this.#plugins[this.#popularity.draw(this.#chance)];
      // A balancer tries the next one where a connection is refused.
      const taking = this.nodes.filter(({ state }) => state === 'serving' || state === 'stopping');
      const entry = taking[this.#chance.below(taking.length)];
      if (entry === undefined || plugin === undefined) return this.happened.count('refused');
      const call: Call = {
        plugin,
        entry: entry.id,
        workMs: this.#chance.exponential(workMs),
        tried: new Set(),
        at: undefined,
        ended: false,
      };
      entry.entered.add(call);
      this.#route(call, entry);
    };
    this.clock.after(0, next);
  }

  #route(call: Call, entry: SimulatedNode): void {
    const chosen = this.#choose(call, entry);
    if (chosen === undefined) return this.#end(call, 'refused');
    if (chosen === 'here') return this.#place(call, entry);
    const { clock, network } = this;
    // Known where it is handed over until it ends, or was not taken.
    entry.handedOver(chosen.id, 1);
    if (!network.reach(entry.id, chosen.id)) return this.#elsewhere(call, entry, chosen, transport.probe);
    clock.after(transport.hop, () => {
      const node = this.#nodes.get(chosen.id);
      if (node?.state === 'serving') return this.#place(call, node);
      this.#elsewhere(call, entry, chosen, transport.hop);
    });
  }

  #choose({ plugin, tried }: Call, entry: SimulatedNode): NodeChoice {
    return this.#placements.get(entry)?.choose(plugin.identifier, entry.isWarm(plugin), tried);
  }

  /** It was not taken there: the next node, after a while. */
  #elsewhere(call: Call, entry: SimulatedNode, { id }: Member, ms: number): void {
    this.happened.count('failedHops');
    this.clock.after(ms, () => {
      entry.handedOver(id, -1);
      if (call.ended) return;
      // One that says that it stops has answered.
      if (!this.#nodes.has(id) || !this.network.reach(entry.id, id)) entry.suspect(id);
      call.tried.add(id);
      this.#route(call, entry);
    });
  }

  #place(call: Call, node: SimulatedNode): void {
    if (call.ended) return;
    if (!node.take(call)) {
      if (node.id !== call.entry) this.#nodes.get(call.entry)?.handedOver(node.id, -1);
      return this.#end(call, 'refused');
    }
    if (node.isWarm(call.plugin)) this.#placements.get(node)?.noticed(call.plugin.identifier);
    this.happened.count('placed');
    if (node.id !== call.entry) this.happened.count('forwarded');
  }

  /** Told to everybody through Redis; the one that is meant makes it ready. */
  #prepare(asking: SimulatedNode, identifier: string, id: string): void {
    const plugin = this.#byIdentifier.get(identifier);
    if (plugin === undefined || !this.network.reachesRedis(asking.id)) return;
    this.directory.announceTo(id, () => this.#nodes.get(id)?.prepare(plugin));
  }

  /** The plugin is done: its answer gets through, sooner or later, or not. */
  #finish(call: Call): void {
    if (call.ended) return;
    const isHeard = call.at === undefined || this.network.reach(call.entry, call.at);
    if (isHeard) return this.#end(call, 'answered');
    if (this.network.silentMs >= transport.silence) return this.#end(call, 'lost');
    this.clock.after(transport.look, () => this.#finish(call));
  }

  #end(call: Call, how: 'answered' | 'refused' | 'lost'): void {
    call.ended = true;
    const entry = this.#nodes.get(call.entry);
    entry?.entered.delete(call);
    if (call.at !== undefined) {
      this.#nodes.get(call.at)?.open.delete(call);
      if (call.at !== call.entry) entry?.handedOver(call.at, -1);
    }
    this.happened.count(how);
  }

  #remove(node: SimulatedNode): void {
    this.#nodes.delete(node.id);
    this.#placements.delete(node);
    this.#changedAt = this.clock.now;
  }

  /** What was under way there, and what came in there. */
  #lose(node: SimulatedNode): void {
    for (const call of [...node.open, ...node.entered]) {
      if (call.ended) continue;
      // One that no node has taken yet is a connection that broke: the client is told of no answer either.
      this.#end(call, call.at === undefined ? 'refused' : 'lost');
    }
  }
}
