/** Which node a call of a plugin goes to. Pure: who there is, how loaded, and chance come from outside. */
import { twoChoices } from '../scaling/index.ts';

/** Which nodes run a plugin: all of them; those where it is called; those that are named for it. */
export type PlacementRule = 'every' | 'demand' | 'pinned';

/** A node that takes calls of plugins. */
export interface Candidate {
  readonly id: string;
  /** Stands for it where plugins are shared out, if that is something that outlives it. */
  readonly place?: string | undefined;
  /** Open calls. */
  readonly load: number;
  readonly cores: number;
  /** The plugin is ready there. */
  readonly warm: boolean;
}

export interface Choice {
  readonly rule: PlacementRule;
  /** What the plugin is told apart by; the same everywhere. */
  readonly identifier: string;
  readonly candidates: readonly Candidate[];
  /** The node that chooses; a call that stays saves a hop. */
  readonly self: string;
  /** Nodes that a plugin placed by demand runs on at most; 0: all. */
  readonly maxNodes: number;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
}

/** Open calls per core from which on a node is busy: calls mostly wait, for a model or a service. */
export const BUSY_CALLS_PER_CORE = 32;
/** It is busy from fewer on when it has more than its share, by this factor: others have room; but what is this little is not worth a start. */
const UNEVEN = 2;
const CALM_CALLS_PER_CORE = 4;

const pressureOf = ({ load, cores }: Candidate): number => load / cores;

/** Open calls per core from which on one of these is busy. */
function busyFrom(candidates: readonly Candidate[]): number {
  let [load, cores] = [0, 0];
  for (const one of candidates) {
    load += one.load;
    cores += one.cores;
  }
  const share = cores === 0 ? 0 : (UNEVEN * load) / cores;
  return Math.min(BUSY_CALLS_PER_CORE, Math.max(CALM_CALLS_PER_CORE, share));
}

/**
 * A node that has the plugin ready is preferred while it is not busy, the asking one before all; then one that is not full. Only when all are
 * full a call waits for another node to start the plugin, as long as the rule lets it spread; `spreadTo` has one ready before that. Of
 * several, the less loaded of two that chance names.
 * @returns undefined when there is no candidate
 */
export function chooseNode(choice: Choice): Candidate | undefined {
  const { rule, candidates, self, maxNodes, random } = choice;
  const warm = candidates.filter((one) => one.warm);
  const busy = rule === 'every' ? BUSY_CALLS_PER_CORE : busyFrom(candidates);
  const calm = warm.filter((one) => pressureOf(one) < busy);
  const own = candidates.find((one) => one.id === self);
  if (own !== undefined && calm.includes(own)) return own;
  if (calm.length > 0) return twoChoices(calm, pressureOf, random);
  if (rule === 'every') {
    // It starts everywhere anyway: a busy node that has it is better than one where it has yet to start.
    if (warm.length > 0) return own?.warm === true ? own : twoChoices(warm, pressureOf, random);
    return own ?? twoChoices(candidates, pressureOf, random);
  }
  const open = warm.filter((one) => pressureOf(one) < BUSY_CALLS_PER_CORE);
  if (open.length > 0) return twoChoices(open, pressureOf, random);
  const cold = candidates.filter((one) => !one.warm);
  if (cold.length > 0 && maySpread(maxNodes, warm)) return firstPlace(choice.identifier, cold, busy);
  return twoChoices(warm, pressureOf, random);
}

const maySpread = (maxNodes: number, warm: readonly Candidate[]): boolean => maxNodes === 0 || warm.length < maxNodes;

/** A node with fewer open calls than this need not ask where to spread to. */
export const isUnhurried = (load: number, cores: number): boolean => load / cores < CALM_CALLS_PER_CORE;

/**
 * Where a plugin should be made ready as well, since every node that has it is busy: asked by one of those, so that few ask. Calls go on to
 * those that have it meanwhile.
 */
export function spreadTo(choice: Omit<Choice, 'random'>): Candidate | undefined {
  const { rule, identifier, candidates, self, maxNodes } = choice;
  if (rule === 'every') return undefined;
  const warm = candidates.filter((one) => one.warm);
  const busy = busyFrom(candidates);
  if (!warm.some(({ id }) => id === self) || warm.some((one) => pressureOf(one) < busy)) return undefined;
  const cold = candidates.filter((one) => !one.warm);
  return maySpread(maxNodes, warm) ? firstPlace(identifier, cold, busy) : undefined;
}

/**
 * Where a plugin is started that runs nowhere yet, or not on enough nodes: nodes that ask at the same time must come to the same answer
 * without asking each other. The less loaded of the two that stand first in an order of the plugin's own (rendezvous hashing).
 */
function firstPlace(identifier: string, cold: readonly Candidate[], busy: number): Candidate | undefined {
  let [first, second]: [Candidate | undefined, Candidate | undefined] = [undefined, undefined];
  let [most, next] = [-1, -1];
  for (const one of cold) {
    const weight = weightIn(identifier, one);
    if (weight > most) [second, next, first, most] = [first, most, one, weight];
    else if (weight > next) [second, next] = [one, weight];
  }
  if (first === undefined || second === undefined) return first;
  // Only a clear difference counts: loads are known late, and not everywhere the same.
  return pressureOf(first) < busy || pressureOf(first) <= 2 * pressureOf(second) ? first : second;
}

/**
 * The nodes on which a version that is being installed has to be ready, as many as are wanted: where its calls will go. Those that have it
 * come first, then the places of its order; the asking one before all where every node runs it.
 */
export function chooseHomes(choice: Omit<Choice, 'random'>, wanted: number): readonly Candidate[] {
  const { rule, candidates, self, identifier, maxNodes } = choice;
  const most = rule === 'every' || maxNodes === 0 ? wanted : Math.min(wanted, maxNodes);
  const isFirst = ({ id, warm }: Candidate): boolean => id === self && (rule === 'every' || warm);
  const own = candidates.filter(isFirst);
  const warm = candidates.filter((one) => one.warm && !isFirst(one));
  const cold = candidates.filter((one) => !one.warm && !isFirst(one));
  const weights = new Map(cold.map((one) => [one, weightIn(identifier, one)]));
  cold.sort((one, other) => (weights.get(other) ?? 0) - (weights.get(one) ?? 0));
  const first = firstPlace(identifier, cold, busyFrom(candidates));
  const places = first === undefined ? [] : [first, ...cold.filter((one) => one !== first)];
  const byLoad = (one: Candidate, other: Candidate): number => pressureOf(one) - pressureOf(other);
  return [...own, ...warm.sort(byLoad), ...places].slice(0, most);
}

const weightIn = (identifier: string, { id, place = id }: Pick<Candidate, 'id' | 'place'>): number =>
  weightOf(`${identifier}\n${place}`);

/** Which of some places is the first of a plugin's order. */
export function placeOf(identifier: string, places: readonly string[]): string | undefined {
  return places.toSorted((one, other) => weightIn(identifier, { id: other }) - weightIn(identifier, { id: one }))[0];
}

/** FNV-1a with the bits stirred: far quicker than a digest, and even enough to share plugins out. */
function weightOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The names of the nodes that a plugin is pinned to; undefined when it is not. @param pins `author/name=node`, `*=node` */
export function pinnedTo(pins: readonly string[], pluginId: string): ReadonlySet<string> | undefined {
  for (const name of [pluginId, '*']) {
    const nodes = pins.filter((pin) => pin.startsWith(`${name}=`)).map((pin) => pin.slice(name.length + 1));
    if (nodes.length > 0) return new Set(nodes);
  }
  return undefined;
}
