/**
 * `npm run simulate`: what placement and scaling do with many nodes and plugins, as a table.
 *
 *   --nodes 3,30,300        sizes
 *   --plugins N             plugins that are installed (100000)
 *   --skew S                exponent of Zipf's law, by which they are called (1)
 *   --calls N               calls per second for each node (2)
 *   --work SECONDS          that a plugin works on a call, on average (6)
 *   --start SECONDS         that a process takes to start (1.5)
 *   --idle SECONDS          PLUGIN_IDLE_STOP_SECONDS (60; 0: never)
 *   --cores N, --max-nodes N (PLACEMENT_MAX_NODES), --instance-mb N
 *   --phase SECONDS         how long each phase lasts (60)
 *   --seed N                another course of events; the same seed gives the same table
 */
import { parseArgs } from 'node:util';
import { messageOf } from '@plugin-daemon/values';
import { defaults, type Figures, phases, type SimulationOptions, simulate, table } from './index.ts';

/** Larger ones take hours, or more memory than there is. */
const MOST_NODES = 2000;

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3,30,300' },
    plugins: { type: 'string', default: String(defaults.plugins) },
    skew: { type: 'string', default: String(defaults.skew) },
    calls: { type: 'string', default: String(defaults.callsPerNode) },
    work: { type: 'string', default: String(defaults.workMs / 1000) },
    start: { type: 'string', default: String(defaults.startMs / 1000) },
    idle: { type: 'string', default: String((defaults.pool.idleMs ?? 0) / 1000) },
    cores: { type: 'string', default: String(defaults.cores) },
    'max-nodes': { type: 'string', default: String(defaults.maxNodes) },
    'instance-mb': { type: 'string', default: String(defaults.instanceMb) },
    phase: { type: 'string', default: String(defaults.phaseMs / 1000) },
    seed: { type: 'string', default: String(defaults.seed) },
  },
});

function number(name: string, text: string, least: number, most: number, whole = false): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= least && value <= most) || (whole && !Number.isInteger(value)))
    throw new Error(`--${name} takes a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not "${text}"`);
  return value;
}

function optionsOf(): Omit<SimulationOptions, 'nodes'> {
  const idle = number('idle', values.idle, 0, 86_400);
  const cores = number('cores', values.cores, 1, 1024, true);
  return {
    seed: number('seed', values.seed, 0, 2 ** 32 - 1, true),
    plugins: number('plugins', values.plugins, 1, 1_000_000, true),
    skew: number('skew', values.skew, 0, 5),
    callsPerNode: number('calls', values.calls, 0.01, 1000),
    workMs: 1000 * number('work', values.work, 0.001, 3600),
    startMs: 1000 * number('start', values.start, 0, 600),
    cores,
    maxNodes: number('max-nodes', values['max-nodes'], 0, MOST_NODES, true),
    instanceMb: number('instance-mb', values['instance-mb'], 1, 10_000),
    phaseMs: 1000 * number('phase', values.phase, 1, 86_400),
    pool: { ...defaults.pool, max: Math.min(4, cores), idleMs: idle === 0 ? undefined : 1000 * idle },
  };
}

function main(): void {
  const options = optionsOf();
  const sizes = values.nodes.split(',').map((text) => number('nodes', text, 1, MOST_NODES, true));
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
