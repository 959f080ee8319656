/** Uploads of packages from 12 KB to 45 MB: time, memory at the peak and after it, and what others notice meanwhile. */
import { Worker } from 'node:worker_threads';
import { delay } from '../daemon/index.ts';
import { peakMb, quantile, readStream, resetPeak, residentMb } from '../load/index.ts';
import { benchPackage } from '../plugin/package.ts';
import type { Bench, Figure, Measurement } from './measurement.ts';

const SIZES = { '12KB': 0, '1MB': 1e6, '10MB': 10e6, '45MB': 45e6 } as const;
const SETTLE_MS = 5000;

export const uploads: Measurement = {
  name: 'uploads',
  title: 'Uploads',
  async run(bench) {
    const figures: Figure[] = [];
    for (const [label, padding] of Object.entries(SIZES)) {
      const runs = await bench.repeat(async (index) => await upload(bench, label, padding, index));
      figures.push(
        bench.figure(
          `upload.${label}.ms`,
          runs.map((run) => run.ms),
        ),
      );
      if (label === '45MB')
        figures.push(
          bench.figure(
            'upload.45MB.peak',
            runs.map((run) => run.peak),
          ),
        );
    }
    await delay(SETTLE_MS);
    figures.push(
      bench.figure('upload.45MB.after', [residentMb(bench.target.pid())], `${SETTLE_MS / 1000} s after the last`),
    );
    figures.push(await othersMeanwhile(bench));
    return figures;
  },
};

async function upload(
  bench: Bench,
  label: string,
  padding: number,
  index: number,
): Promise<{ ms: number; peak: number }> {
  const packed = freshPackage(label, padding, index);
  resetPeak(bench.target.pid());
  const startedAt = performance.now();
  await bench.client.upload(packed);
  return { ms: performance.now() - startedAt, peak: peakMb(bench.target.pid()) };
}

/** A package the daemon has not seen: name by size, version by time. */
function freshPackage(label: string, padding: number, index: number): Buffer {
  const version = `${1 + index}.${Math.floor(performance.now()) % 9999}.0`;
  return benchPackage({ category: 'tool', name: `upload-${label.toLowerCase()}`, version, padding });
}

/** Calls of a plugin, one after the other, while 45 MB are uploaded again and again. */
async function othersMeanwhile(bench: Bench): Promise<Figure> {
  await bench.ensure('tool');
  const request = bench.toolRequest('stream', { count: 1, size: 50 });
  const packages = Array.from({ length: bench.runs }, (_, index) => freshPackage('beside', SIZES['45MB'], index));
  const uploading = new Worker(new URL('./upload-worker.ts', import.meta.url), {
    workerData: { url: bench.target.url, key: bench.target.key, packages },
  });
  let ended = false;
  const end = new Promise<void>((resolve, reject) => {
    uploading.once('error', reject);
    uploading.once('exit', () => resolve());
  }).finally(() => {
    ended = true;
  });
  const times: number[] = [];
  while (!ended) {
    times.push((await readStream(bench.target.url, request)).ms);
    await delay(5);
  }
  await end;
  return bench.figure(
    'upload.45MB.othersP99',
    [quantile(times, 0.99)],
    `${times.length} calls while 45 MB were uploaded ${bench.runs} times`,
  );
}
