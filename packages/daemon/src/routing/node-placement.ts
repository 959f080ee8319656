import { LRUCache } from 'lru-cache';
import { fingerprint, type Member, type NodeRole } from '../nodes/index.ts';
import {
  type Candidate,
  chooseHomes,
  chooseNode,
  isUnhurried,
  type PlacementRule,
  pinnedTo,
  placeOf,
  spreadTo,
} from './choose-node.ts';

export interface NodePlacementOptions {
  /** This node. */
  readonly self: {
    readonly id: string;
    readonly name: string;
    readonly role: NodeRole;
    readonly cores: number;
    readonly place?: string | undefined;
  };
  /** The places of all workers of this daemon; each plugin runs in one of them without being called, and in others by demand. */
  readonly places?: readonly string[] | undefined;
  /** It takes no new calls of plugins. */
  readonly draining: () => boolean;
  /** Calls open here. */
  readonly load: () => number;
  /** The other nodes that are believed in. */
  readonly members: () => readonly Member[];
  /** Calls of ours that are open at a node: known here before it tells its load. */
  readonly openAt: (nodeId: string) => number;
  /** Did not answer a moment ago. */
  readonly isSuspect: (nodeId: string) => boolean;
  readonly rule: PlacementRule;
  readonly pins: readonly string[];
  readonly maxNodes: number;
  readonly random?: () => number;
  /** In ms, by a clock that does not jump. */
  readonly now?: () => number;
  /** Has a node make a plugin ready that is called more than the nodes that have it should bear. */
  readonly prepare?: (identifier: string, nodeId: string) => void;
}

/** A node has so long to become ready and to be known to be, before another is asked, in ms. */
const SPREAD_EVERY_MS = 3000;
/** Plugins that are spread at the same time; what is forgotten is asked for once more. */
const MOST_SPREADING = 1000;

/** Where a call goes: `here`, another node, or nowhere. */
export type NodeChoice = 'here' | Member | undefined;

/** A node on which a version is to be ready. */
export interface Home {
  readonly id: string;
  readonly name: string;
  readonly here: boolean;
  /** It tells that the version is ready there. */
  readonly warm: boolean;
}

export interface HomesWanted {
  readonly count: number;
  /** Nodes that cannot. */
  readonly without: ReadonlySet<string>;
  /** No other node can be asked now. */
  readonly alone: boolean;
  readonly readyHere: boolean;
}

/** Asks the rule with what is known of the nodes now. */
export class NodePlacement {
  readonly #options: NodePlacementOptions;
  /** Of calls: every node runs a plugin, but not every worker of it. */
  readonly #rule: PlacementRule;
  /** When another node was last asked to make a plugin ready. */
  readonly #spread = new LRUCache<string, number>({ max: MOST_SPREADING });

  constructor(given: NodePlacementOptions) {
    const { rule, places } = given;
    this.#options = given;
    this.#rule = rule === 'every' && places !== undefined ? 'demand' : rule;
  }

  /** This node may run plugins and takes calls. */
  get takesCalls(): boolean {
    return this.#options.self.role !== 'front' && !this.#options.draining();
  }

  /** Whether a plugin that is installed is started here without being called. */
  runsUncalled(identifier: string): boolean {
    const { self, rule, places } = this.#options;
    if (self.role === 'front') return false;
    if (places !== undefined && (placeOf(identifier, places) !== self.place || this.#runsBeside(identifier, places)))
      return false;
    if (rule === 'pinned') return this.#pinned(identifier)?.has(self.name) ?? false;
    return rule === 'every';
  }

  /**
   * @param warmHere the plugin is ready on this node
   * @param tried nodes that did not take the call
   */
  choose(identifier: string, warmHere: boolean, tried: ReadonlySet<string> = new Set()): NodeChoice {
    const { self } = this.#options;
    const rule = this.#rule;
    const members = this.#options.members();
    const hereToo = this.takesCalls && !tried.has(self.id);
    // Whom nothing can be handed to, and the common case, need no choosing.
    if (members.length === 0) return hereToo || self.role !== 'front' ? 'here' : undefined;
    if (hereToo && warmHere && rule === 'every') return 'here';
    const chosen = this.#among(members, identifier, warmHere, hereToo, tried);
    if (chosen !== undefined) return chosen;
    // A node that stops and has nobody to hand over to goes on by itself.
    return self.role !== 'front' && this.#options.draining() && rule !== 'pinned' ? 'here' : undefined;
  }

  /** Where a version that is being installed has to be ready: nodes that will get its calls, as many as are wanted and there are. */
  homes(identifier: string, { count, without, alone, readyHere }: HomesWanted): readonly Home[] {
    const { self, maxNodes } = this.#options;
    const rule = this.#rule;
    const pinned = this.#pinned(identifier);
    const isPinned = ({ name }: { readonly name: string }): boolean => pinned?.has(name) ?? true;
    const others = alone ? [] : this.#serving(this.#options.members(), without);
    const known = new Map(others.filter((one) => !one.foreign && isPinned(one)).map((one) => [one.id, one]));
    const print = fingerprint(identifier);
    const candidates = [...known.values()].map((member) => this.#candidate(member, print));
    if (this.takesCalls && !without.has(self.id) && isPinned(self)) candidates.push(this.#own(readyHere));
    // A limit is one of plugins that are placed by demand.
    const most = pinned === undefined ? maxNodes : 0;
    return chooseHomes({ rule, identifier, candidates, self: self.id, maxNodes: most }, count).map(({ id, warm }) => ({
      id,
      name: known.get(id)?.name ?? self.name,
      here: id === self.id,
      warm,
    }));
  }

  /** A call of a plugin that is ready here stays here: when this is more than our share, another node is made ready for the next ones. */
  noticed(identifier: string): void {
    const { self, load, maxNodes, prepare, now = () => performance.now() } = this.#options;
    const rule = this.#rule;
    if (prepare === undefined || rule === 'every' || isUnhurried(load(), self.cores)) return;
    if (now() - (this.#spread.get(identifier) ?? Number.NEGATIVE_INFINITY) < SPREAD_EVERY_MS) return;
    const pinned = this.#pinned(identifier);
    const isPinned = ({ name }: { readonly name: string }): boolean => pinned?.has(name) ?? true;
    const print = fingerprint(identifier);
    const others = this.#serving(this.#options.members(), new Set()).filter((one) => !one.foreign && isPinned(one));
    const candidates = [this.#own(true), ...others.map((member) => this.#candidate(member, print))];
    const chosen = spreadTo({ rule, identifier, candidates, self: self.id, maxNodes });
    if (chosen === undefined) return;
    this.#spread.set(identifier, now());
    prepare(identifier, chosen.id);
  }

  /** It came to another worker while this one was not there. */
  #runsBeside(identifier: string, places: readonly string[]): boolean {
    const print = fingerprint(identifier);
    return this.#options
      .members()
      .filter(({ place }) => place !== undefined && places.includes(place))
      .some((member) => this.#candidate(member, print).warm);
  }

  #pinned(identifier: string): ReadonlySet<string> | undefined {
    const { rule, pins } = this.#options;
    return rule === 'pinned' ? pinnedTo(pins, pluginIdOf(identifier)) : undefined;
  }

  #own(warm: boolean): Candidate {
    const { self, load } = this.#options;
    return { id: self.id, place: self.place, load: load(), cores: self.cores, warm };
  }

  #among(
    members: readonly Member[],
    identifier: string,
    warmHere: boolean,
    hereToo: boolean,
    tried: ReadonlySet<string>,
  ): NodeChoice {
    const { self, maxNodes } = this.#options;
    const rule = this.#rule;
    const pinned = this.#pinned(identifier);
    const isPinned = ({ name }: { readonly name: string }): boolean => pinned?.has(name) ?? true;
    const serving = this.#serving(members, tried).filter(isPinned);
    const ours = serving.filter(({ foreign }) => !foreign);
    // The existing daemon's nodes run what is installed without being asked to; ours are known better.
    const others = ours.length > 0 || hereToo ? ours : serving;
    const own = this.#own(warmHere);
    const print = fingerprint(identifier);
    const candidates = [
      ...(hereToo && isPinned(self) ? [own] : []),
      ...others.map((member) => this.#candidate(member, print)),
    ];
    const chosen = chooseNode({ rule, identifier, candidates, self: self.id, maxNodes, random: this.#random });
    return chosen === own ? 'here' : others.find(({ id }) => id === chosen?.id);
  }

  #serving(members: readonly Member[], tried: ReadonlySet<string>): readonly Member[] {
    const { isSuspect } = this.#options;
    const all = members.filter(({ id, role, state }) => role !== 'front' && state === 'serving' && !tried.has(id));
    const answering = all.filter(({ id }) => !isSuspect(id));
    return answering.length > 0 || this.takesCalls ? answering : all;
  }

  #candidate(member: Member, print: string): Candidate {
    const { id, place, load, cores, warm } = member;
    return { id, place, load: Math.max(load, this.#options.openAt(id)), cores, warm: warm.has(print) };
  }

  readonly #random = (): number => (this.#options.random ?? Math.random)();
}

/** Rows of strangers may have anything there: it is pinned nowhere then. */
const pluginIdOf = (identifier: string): string => identifier.split(':', 1)[0] ?? '';
