import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withDirectoryLock } from './directory-lock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const never = new AbortController().signal;

test('work under one lock never overlaps, whatever its outcome, and nothing is left behind', async () => {
  let inside = 0;
  let most = 0;
  const work = async (fail: boolean) => {
    most = Math.max(most, ++inside);
    await sleep(5);
    inside--;
    if (fail) throw new Error('failed inside');
    return 'done';
  };
  const results = await Promise.allSettled(
    Array.from({ length: 6 }, (_, i) =>
      withDirectoryLock(join(folder, 'a', 'x.lock'), { signal: never }, () => work(i % 2 === 1)),
    ),
  );
  expect(most).toBe(1);
  expect(results.map((one) => one.status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
  ]);
  expect(await readdir(join(folder, 'a'))).toEqual([]);
});

test('who waits is told once and can give up', async () => {
  const file = join(folder, 'x.lock');
  const { promise, resolve } = Promise.withResolvers<void>();
  const inside = Promise.withResolvers<void>();
  const holder = withDirectoryLock(file, { signal: never }, () => {
    inside.resolve();
    return promise;
  });
  await inside.promise;
  const giveUp = new AbortController();
  let told = 0;
  const waiting = withDirectoryLock(
    file,
    {
      signal: giveUp.signal,
      onWait: () => {
        told++;
        setTimeout(() => giveUp.abort(new Error('enough')), 250);
      },
    },
    async () => expect.fail('must not get in'),
  );
  await expect(waiting).rejects.toThrow();
  expect(told).toBe(1);
  resolve();
  await holder;
  expect(await readdir(folder)).toEqual([]);
});

const lockOf = (owner: object) =>
  writeFile(join(folder, 'x.lock'), JSON.stringify({ token: 't', started: '', ...owner }));
const enter = (patienceMs = 60_000) =>
  withDirectoryLock(join(folder, 'x.lock'), { signal: AbortSignal.timeout(patienceMs) }, async () => 'in');

test('the lock of a process that is gone is taken over at once, that of a reused number too', async () => {
  const gone = spawn('/bin/true');
  await once(gone, 'exit');
  await lockOf({ host: hostname(), pid: gone.pid });
  expect(await enter()).toBe('in');
  await lockOf({ host: hostname(), pid: process.pid, started: '1' });
  expect(await enter()).toBe('in');
});

test('another machine keeps its lock while it renews it', async () => {
  await lockOf({ host: 'elsewhere', pid: 1 });
  await expect(enter(1000)).rejects.toThrow();
  const old = new Date(Date.now() - 120_000);
  await utimes(join(folder, 'x.lock'), old, old);
  expect(await enter()).toBe('in');
});
