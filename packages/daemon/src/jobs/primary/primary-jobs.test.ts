import { expect, onTestFinished, test } from 'vitest';
import { channelPair } from '../../ipc/testing.ts';
import { silentLog } from '../../telemetry/index.ts';
import { handlers, jobConformance, waiting } from '../conformance.suite.ts';
import type { JobEnd } from '../index.ts';
import { JobsHost, openPrimaryJobs } from './index.ts';

function host() {
  const jobs = new JobsHost(silentLog);
  onTestFinished(() => jobs.close());
  return (onEnd: (end: JobEnd) => void = () => undefined) => {
    const { primary, worker: channel, cut } = channelPair();
    jobs.serve(primary);
    return { jobs: openPrimaryJobs({ channel, log: silentLog, concurrency: 4, onEnd }), cut };
  };
}

jobConformance('primary process', async (onEnd) => host()(onEnd).jobs);

test('what a worker was doing when it died, another one does; the same job asked of two workers is one', async () => {
  const worker = host();
  const [dying, other] = [worker(), worker()];
  let begun = false;
  const never = new Promise<void>(() => undefined);
  dying.jobs.begin(
    handlers({
      install: {
        run: () => {
          begun = true;
          return never;
        },
      },
    }),
  );
  const done: string[] = [];
  await dying.jobs.add('install', 'one');
  await expect.poll(() => begun, waiting).toBe(true);
  other.jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
  await other.jobs.add('install', 'one');
  expect(done).toEqual([]);
  dying.cut();
  await expect.poll(() => done, waiting).toEqual(['one']);
});

test('what nobody takes waits, and a worker that rests gets none', async () => {
  const worker = host();
  const [resting, other] = [worker(), worker()];
  const done: string[] = [];
  resting.jobs.begin(handlers({ install: { run: async () => void done.push('resting') } }));
  resting.jobs.rest();
  await other.jobs.add('install', 'one');
  expect((await other.jobs.counts()).active).toBeGreaterThan(0);
  other.jobs.begin(handlers({ install: { run: async () => void done.push('other') } }));
  await expect.poll(() => done, waiting).toEqual(['other']);
});
