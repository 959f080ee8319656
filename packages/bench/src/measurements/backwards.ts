/** Calls a plugin makes back into Dify: round trips per second, one session at a time and eight. */
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const ROUNDS = 500;

export const backwardsCalls: Measurement = {
  name: 'backwards',
  title: 'Calls back into Dify',
  async run(bench) {
    await bench.ensure('tool');
    const figures: Figure[] = [];
    for (const kind of ['tool', 'text_embedding', 'storage'])
      for (const sessions of [1, 8]) {
        const runs = await bench.repeat(() => bench.withCpu(() => roundTrips(bench, kind, sessions)));
        const rates = runs.map((run) => run.result);
        figures.push(
          bench.figure(
            `backwards.${kind}.c${sessions}`,
            rates,
            cpuNote(runs.map((run) => run.cpu / (ROUNDS * sessions))),
          ),
        );
      }
    return figures;
  },
};

async function roundTrips(bench: Bench, kind: string, sessions: number): Promise<number> {
  const startedAt = performance.now();
  const answers = await Promise.all(
    Array.from({ length: sessions }, async () => await bench.callTool('backwards', { kind, rounds: ROUNDS })),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const answer of answers) {
    const result = answer?.message.json_object;
    if (result?.rounds !== ROUNDS || result.errors !== 0)
      throw new Error(`calls back of kind ${kind} failed: ${JSON.stringify(answer)}`);
  }
  return (ROUNDS * sessions) / seconds;
}
