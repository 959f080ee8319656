/** `npm run simulate`: what placement and scaling do with many nodes and plugins, as a table. */
import { messageOf } from '@plugin-daemon/values';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import { defaults, type Figures, phases, type SimulationOptions, simulate, table } from './index.ts';

/** Larger ones take hours, or more memory than there is. */
const MOST_NODES = 2000;

const { values, number, refuse } = argumentsOf({
  name: 'npm run simulate',
  about: 'Shows what placement and scaling do with many nodes and plugins, as a table.',
  options: {
    nodes: { type: 'string', takes: 'N,…', default: '3,30,300', help: 'sizes' },
    plugins: { type: 'string', takes: 'N', default: String(defaults.plugins), help: 'plugins that are installed' },
    skew: {
      type: 'string',
      takes: 'S',
      default: String(defaults.skew),
      help: "exponent of Zipf's law, by which they are called",
    },
    calls: {
      type: 'string',
      takes: 'N',
      default: String(defaults.callsPerNode),
      help: 'calls per second for each node',
    },
    work: {
      type: 'string',
      takes: 'SECONDS',
      default: String(defaults.workMs / 1000),
      help: 'that a plugin works on a call, on average',
    },
    start: {
      type: 'string',
      takes: 'SECONDS',
      default: String(defaults.startMs / 1000),
      help: 'that a process takes to start',
    },
    idle: {
      type: 'string',
      takes: 'SECONDS',
      default: String((defaults.pool.idleMs ?? 0) / 1000),
      help: 'PLUGIN_IDLE_STOP_SECONDS; 0: never',
    },
    cores: { type: 'string', takes: 'N', default: String(defaults.cores), help: 'of a node' },
    'max-nodes': {
      type: 'string',
      takes: 'N',
      default: String(defaults.maxNodes),
      help: 'PLACEMENT_MAX_NODES; 0: all',
    },
    'instance-mb': { type: 'string', takes: 'N', default: String(defaults.instanceMb), help: 'memory of an instance' },
    phase: {
      type: 'string',
      takes: 'SECONDS',
      default: String(defaults.phaseMs / 1000),
      help: 'how long each phase lasts',
    },
    seed: {
      type: 'string',
      takes: 'N',
      default: String(defaults.seed),
      help: 'another course of events; the same seed gives the same table',
    },
  },
});

function optionsOf(): Omit<SimulationOptions, 'nodes'> {
  const idle = number('idle', { least: 0, most: 86_400, whole: false });
  const cores = number('cores', { least: 1, most: 1024 });
  return {
    seed: number('seed', { least: 0, most: 2 ** 32 - 1 }),
    plugins: number('plugins', { least: 1, most: 1_000_000 }),
    skew: number('skew', { least: 0, most: 5, whole: false }),
    callsPerNode: number('calls', { least: 0.01, most: 1000, whole: false }),
    workMs: 1000 * number('work', { least: 0.001, most: 3600, whole: false }),
    startMs: 1000 * number('start', { least: 0, most: 600, whole: false }),
    cores,
    maxNodes: number('max-nodes', { least: 0, most: MOST_NODES }),
    instanceMb: number('instance-mb', { least: 1, most: 10_000, whole: false }),
    phaseMs: 1000 * number('phase', { least: 1, most: 86_400, whole: false }),
    pool: { ...defaults.pool, max: Math.min(4, cores), idleMs: idle === 0 ? undefined : 1000 * idle },
  };
}

function main(): void {
  const options = optionsOf();
  const sizes = values.nodes.split(',').map(Number);
  if (!sizes.every((size) => Number.isInteger(size) && size >= 1 && size <= MOST_NODES))
    return refuse(
      `--nodes takes whole numbers from 1 to ${MOST_NODES} with commas between them, not "${values.nodes}"`,
    );
  const rows: Figures[] = [];
  for (const nodes of sizes) {
    const began = performance.now();
    rows.push(...simulate({ ...options, nodes }));
    // Beside the table, which is the same each time.
    process.stderr.write(`${nodes} nodes: simulated in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);
  }
  process.stdout.write(`${table(rows, options.instanceMb)}\n\n`);
  for (const { name, title } of phases) process.stdout.write(`${name.padEnd(9)} ${title}\n`);
}

try {
  main();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
