import { Cluster } from './cluster.ts';
import type { Counts } from './figures.ts';
import type { SimulatedNode } from './node.ts';
import type { SimulationOptions } from './options.ts';
import { type Phase, phases } from './phases.ts';

/** What one phase showed. */
export interface Figures {
  readonly phase: string;
  readonly seconds: number;
  readonly nodes: number;
  readonly counts: Counts;
  /** Of plugins that moved, the nodes where they ran before. */
  readonly movedFrom: ReadonlyMap<string, number>;
  /** Calls that came in and are not over at the end of the phase. */
  readonly pending: number;
  /** Open calls of the nodes that were there all the time, each on average: the least and the most, against the mean. */
  readonly load: { readonly least: number; readonly most: number; readonly mean: number };
  /** The longest time from a change of who is there until all know. */
  readonly agreeMs: number;
  readonly messagesPerSecond: number;
  readonly bytesPerSecond: number;
  /** Processes of plugins on a node, at the end. */
  readonly processes: { readonly mean: number; readonly most: number };
  /** Plugins that a node knows to be ready on others, at the end, on average. */
  readonly known: number;
}

const SAMPLE_MS = 1000;
const LOOK_MS = 100;
/** After a change it is looked more closely for so long. */
const CLOSELY_MS = 15_000;

/** Runs the phases one after another. The same options give the same figures. */
export function simulate(options: SimulationOptions, which: readonly Phase[] = phases): Figures[] {
  const cluster = new Cluster(options);
  return which.map((phase) => run(cluster, phase));
}

function run(cluster: Cluster, phase: Phase): Figures {
  const { clock, directory, happened, options } = cluster;
  const began = clock.now;
  const before = { ...directory.traffic };
  phase.begin(cluster);
  const loads = new Map(cluster.serving.map((node) => [node, 0]));
  const stopSampling = clock.every(SAMPLE_MS, () => {
    for (const [node, sum] of loads) {
      if (node.state === 'serving') loads.set(node, sum + node.open.size);
      else loads.delete(node);
    }
  });
  let agreeMs = 0;
  let agreed = true;
  let looked = 0;
  const stopLooking = clock.every(LOOK_MS, () => {
    const sinceChange = clock.now - cluster.changedAt;
    const closely = !agreed || sinceChange < CLOSELY_MS;
    if (!closely && clock.now - looked < SAMPLE_MS) return;
    looked = clock.now;
    agreed = cluster.agrees;
    if (!agreed) agreeMs = Math.max(agreeMs, sinceChange + LOOK_MS);
  });
  clock.runUntil(began + options.phaseMs);
  stopSampling();
  stopLooking();
  const seconds = (clock.now - began) / 1000;
  const { messages, bytes } = directory.traffic;
  return {
    phase: phase.name,
    seconds,
    nodes: cluster.nodes.length,
    ...happened.take(),
    pending: cluster.pending,
    load: spreadOf([...loads.values()].map((sum) => sum / Math.floor(seconds))),
    agreeMs,
    messagesPerSecond: (messages - before.messages) / seconds,
    bytesPerSecond: (bytes - before.bytes) / seconds,
    processes: processesOf(cluster.nodes),
    known: meanOf(cluster.nodes.map(({ known }) => known)),
  };
}

const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

function spreadOf(loads: readonly number[]): Figures['load'] {
  const mean = meanOf(loads);
  if (mean === 0) return { least: 0, most: 0, mean };
  return { least: Math.min(...loads) / mean, most: Math.max(...loads) / mean, mean };
}

function processesOf(nodes: readonly SimulatedNode[]): Figures['processes'] {
  const counts = nodes.map(({ processes }) => processes);
  return { mean: meanOf(counts), most: Math.max(0, ...counts) };
}
