/**
 * Calls a plugin makes back into Dify: round trips per second, one session at a time and eight.
 *
 * One after the other, three programs take turns for each: the plugin, the daemon, and this one, which plays Dify. The note says what
 * each of them takes, for the sum is the limit.
 */
import { cpuSeconds, descendants, shortNumber, spread } from '../load/index.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

/** Long enough that a run is not mostly the engine's compiling. */
const ROUNDS = 2000;
const WARM_ROUNDS = 2000;

export const backwardsCalls: Measurement = {
  name: 'backwards',
  title: 'Calls back into Dify',
  async run(bench) {
    await bench.ensure('tool');
    const figures: Figure[] = [];
    for (const kind of ['tool', 'text_embedding', 'storage']) {
      await roundTrips(bench, kind, 1, WARM_ROUNDS);
      for (const sessions of [1, 8]) figures.push(await rate(bench, kind, sessions));
    }
    return figures;
  },
};

async function rate(bench: Bench, kind: string, sessions: number): Promise<Figure> {
  const rounds = ROUNDS / sessions;
  const shares: Shares[] = [];
  const rates = await bench.repeat(async () => {
    const before = cpuOf(bench);
    const perSecond = await roundTrips(bench, kind, sessions, rounds);
    const after = cpuOf(bench);
    shares.push({
      daemon: (after.daemon - before.daemon) / ROUNDS,
      plugins: (after.plugins - before.plugins) / ROUNDS,
      dify: (after.dify - before.dify) / ROUNDS,
    });
    return perSecond;
  });
  const share = (who: keyof Shares) => `${shortNumber(spread(shares.map((each) => each[who])).median * 1e6)} µs`;
  return bench.figure(
    `backwards.${kind}.c${sessions}`,
    rates,
    `CPU each: daemon ${share('daemon')}, plugin ${share('plugins')}, this program ${share('dify')}`,
  );
}

/** Seconds of processor time. */
interface Shares {
  readonly daemon: number;
  readonly plugins: number;
  readonly dify: number;
}

function cpuOf({ target }: Bench): Shares {
  const { user, system } = process.cpuUsage();
  return {
    daemon: cpuSeconds(target.pid()),
    plugins: descendants(target.pid()).reduce((sum, pid) => sum + cpuSeconds(pid), 0),
    dify: (user + system) / 1e6,
  };
}

async function roundTrips(bench: Bench, kind: string, sessions: number, rounds: number): Promise<number> {
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: sessions }, async () => await bench.callTool('backwards', { kind, rounds })),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const answer of answers) {
    const result = answer?.message.json_object;
    if (result?.rounds !== rounds || result.errors !== 0)
      throw new Error(`calls back of kind ${kind} failed: ${JSON.stringify(answer)}`);
  }
  return (rounds * sessions) / seconds;
}
