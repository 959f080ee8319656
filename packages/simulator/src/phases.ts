import type { Cluster } from './cluster.ts';

export interface Phase {
  readonly name: string;
  readonly title: string;
  /** What happens at its beginning, and follows from that. */
  readonly begin: (cluster: Cluster) => void;
}

/** How long a network stays cut, and after how long a node that died has a successor. */
const CUT_MS = 30_000;
const SUCCESSOR_MS = 20_000;

const times = (count: number, run: () => void): void => {
  for (let n = 0; n < count; n++) run();
};
const tenth = (count: number): number => Math.max(1, Math.round(count / 10));

/** One after another, each beginning with what the one before it left. */
export const phases: readonly Phase[] = [
  { name: 'start', title: 'nothing runs yet', begin: () => undefined },
  { name: 'steady', title: 'nothing happens', begin: () => undefined },
  {
    name: 'join',
    title: 'a tenth more nodes come (one at least)',
    begin: (cluster) => times(tenth(cluster.options.nodes), () => cluster.join()),
  },
  {
    name: 'drain',
    title: 'as many of the oldest nodes are stopped (SIGTERM)',
    begin: (cluster) => {
      for (const node of cluster.serving.slice(0, tenth(cluster.options.nodes))) cluster.drain(node);
    },
  },
  {
    name: 'crash',
    title: `as many die at once, and have successors after ${SUCCESSOR_MS / 1000} s`,
    begin: (cluster) => {
      for (const node of cluster.serving.slice(0, tenth(cluster.options.nodes))) {
        cluster.crash(node);
        cluster.clock.after(SUCCESSOR_MS, () => cluster.join());
      }
    },
  },
  {
    name: 'split',
    title: `for ${CUT_MS / 1000} s a third of the nodes and the others do not reach each other, but Redis`,
    begin: (cluster) => cut(cluster, 'sides'),
  },
  {
    name: 'no redis',
    title: `for ${CUT_MS / 1000} s a third of the nodes does not reach Redis`,
    begin: (cluster) => cut(cluster, 'redis'),
  },
];

function cut(cluster: Cluster, what: 'sides' | 'redis'): void {
  const third = cluster.nodes.slice(0, Math.max(1, Math.round(cluster.nodes.length / 3)));
  cluster.network.cut(
    what,
    third.map(({ id }) => id),
  );
  cluster.clock.after(CUT_MS, () => cluster.network.heal());
}
