/** Every measurement, in the order in which they disturb each other least. A new one is a file and a row here. */
import { backwardsCalls } from './backwards.ts';
import { firstChunk, toolCalls } from './calls.ts';
import { functions } from './functions.ts';
import { mcpGateways } from './gateways.ts';
import { installs } from './installs.ts';
import { instances } from './instances.ts';
import { coldStart, crashes } from './lifecycle.ts';
import { manyPlugins } from './lists.ts';
import type { Measurement } from './measurement.ts';
import { memory } from './memory.ts';
import { nodes } from './nodes.ts';
import { officials } from './officials.ts';
import { prefork } from './prefork.ts';
import { plainReads } from './reads.ts';
import { restarts } from './restarts.ts';
import { stalledReader } from './stalled-reader.ts';
import { slowStreams, streamThroughput } from './streams.ts';
import { uploads } from './uploads.ts';
import { waking } from './waking.ts';
import { workers } from './workers.ts';

export const measurements: readonly Measurement[] = [
  coldStart,
  memory,
  installs,
  toolCalls,
  firstChunk,
  streamThroughput,
  backwardsCalls,
  plainReads,
  slowStreams,
  stalledReader,
  crashes,
  prefork,
  officials,
  waking,
  instances,
  uploads,
  manyPlugins,
  restarts,
  functions,
  workers,
  nodes,
  mcpGateways,
];
export { Bench, type Figure, type Measurement, type Target } from './measurement.ts';
