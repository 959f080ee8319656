import { expect, test } from 'vitest';
import { silentLog } from '../../telemetry/index.ts';
import { handlers, jobConformance } from '../conformance.suite.ts';
import { openMemoryJobs } from './index.ts';

const open = () => openMemoryJobs({ log: silentLog, concurrency: 2 });

jobConformance('in process', async (onEnd) => openMemoryJobs({ log: silentLog, concurrency: 2, onEnd }));

test('all jobs run side by side: what they wait for has its own limits', async () => {
  const jobs = open();
  const { promise: may, resolve: finish } = Promise.withResolvers<void>();
  jobs.begin(handlers({ install: { run: () => may } }));
  for (let i = 0; i < 20; i++) await jobs.add('install', `job ${i}`);
  expect(await jobs.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  expect((await jobs.counts()).active).toBeGreaterThanOrEqual(20);
  finish();
  await expect.poll(() => jobs.counts()).toEqual({ waiting: 0, active: 0, delayed: 0 });
  await jobs.close();
});

test('a closed queue refuses jobs', async () => {
  const jobs = open();
  jobs.begin(handlers());
  await jobs.close();
  await expect(jobs.add('install', 'one')).rejects.toMatchObject({ kind: 'unavailable' });
});
