/** Throughput of streams: small chunks and large ones, alone, eight at once and for long, of a tool and of a language model. */

import { delay } from '../daemon/index.ts';
import { readStream } from '../load/index.ts';
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const SHAPES = {
  small: { size: 50, chunks: { c1: 20_000, c8: 5000, long: 400_000 } },
  large: { size: 65_536, chunks: { c1: 500, c8: 125, long: 4000 } },
} as const;
/** How many streams at once. A long one lasts until what its beginning costs counts no more. */
const STREAMS = { c1: 1, c8: 8, long: 1 } as const;
const LOADS = ['c1', 'c8', 'long'] as const;

export const streamThroughput: Measurement = {
  name: 'streams',
  title: 'Streaming',
  async run(bench) {
    await bench.ensure('tool');
    await bench.ensure('model');
    const figures: Figure[] = [];
    for (const kind of ['tool', 'llm'] as const)
      for (const shape of ['small', 'large'] as const)
        for (const load of LOADS) figures.push(await throughput(bench, kind, shape, load));
    return figures;
  },
};

async function throughput(
  bench: Bench,
  kind: 'tool' | 'llm',
  shape: keyof typeof SHAPES,
  load: keyof typeof STREAMS,
): Promise<Figure> {
  const { size, chunks } = SHAPES[shape];
  const streams = STREAMS[load];
  const perStream = chunks[load];
  const request = (count: number) => {
    const parameters = { count, size };
    return kind === 'tool' ? bench.toolRequest('stream', parameters) : bench.llmRequest(parameters);
  };
  await readStream(bench.target.url, request(100));
  const run = async () => {
    const startedAt = performance.now();
    const results = await Promise.all(
      Array.from({ length: streams }, () => readStream(bench.target.url, request(perStream))),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    const broken = results.find((result) => result.events !== perStream);
    if (broken) throw new Error(`a stream ended after ${broken.events} of ${perStream} chunks: ${broken.tail}`);
    const bytes = results.reduce((sum, result) => sum + result.bytes, 0);
    return shape === 'small' ? (streams * perStream) / seconds : bytes / 1e6 / seconds;
  };
  const runs = await bench.repeat(() => bench.withCpu(run));
  const rates = runs.map((measured) => measured.result);
  return bench.figure(
    `stream.${kind}.${shape}.${load}`,
    rates,
    cpuNote(runs.map(({ cpu }) => cpu / (streams * perStream))),
  );
}

const SLOW_STREAMS = 1100;
const SLOW_CHUNKS = 50;
const SLOW_INTERVAL_MS = 100;
const PROBES = 20;

export const slowStreams: Measurement = {
  name: 'slow',
  title: `${SLOW_STREAMS} slow streams at once (${SLOW_CHUNKS} chunks, ${SLOW_INTERVAL_MS} ms apart)`,
  async run(bench) {
    await bench.ensure('tool');
    await bench.ensure('tool', 'speed-other');
    const request = bench.toolRequest('slow', { count: SLOW_CHUNKS, interval_ms: SLOW_INTERVAL_MS });
    const startedAt = performance.now();
    const reading = Promise.all(Array.from({ length: SLOW_STREAMS }, () => readStream(bench.target.url, request)));
    await delay(2000);
    const calls: number[] = [];
    for (let i = 0; i < PROBES; i++) {
      const askedAt = performance.now();
      await bench.callTool('echo', { text: 'x' }, 'speed-other');
      calls.push(performance.now() - askedAt);
    }
    const results = await reading;
    const complete = results.filter((result) => result.events === SLOW_CHUNKS).length;
    return [
      bench.figure('slow.call', calls, `${PROBES} calls of another plugin`),
      bench.figure('slow.firstMax', [Math.max(...results.map((result) => result.firstMs ?? Number.POSITIVE_INFINITY))]),
      bench.figure(
        'slow.complete',
        [complete],
        `of ${SLOW_STREAMS}, in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
      ),
    ];
  },
};
