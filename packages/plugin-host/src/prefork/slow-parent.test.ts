/** A parent that takes long: whoever is called does not wait for it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../log/index.ts';
import { ParentsPool } from './index.ts';

const LINUX = process.platform === 'linux';
const NOT_READY = { way: 'plain', reason: 'its parent was not ready yet' };
const forever = new AbortController().signal;
const urgent = { urgent: true, raised: Promise.resolve() };
let directory: string;
let pool: ParentsPool;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'slow-parent-'));
  mkdirSync(join(directory, '.venv/lib/python3.12/site-packages'), { recursive: true });
  const python = join(directory, 'python');
  writeFileSync(python, '#!/bin/sh\nexec sleep 1000\n');
  chmodSync(python, 0o755);
  const seed = { directory, python, base: '/usr/bin/python3', distributions: new Map([['dify-plugin', '0.5.0']]) };
  pool = new ParentsPool({
    launcher: { launch: () => Promise.reject(new Error('nothing is launched here')), close: async () => undefined },
    seeds: { find: async () => seed, provide: async () => undefined, discard: async () => undefined },
    environment: { PATH: '/usr/bin:/bin' },
    most: 1,
    idleMs: 60_000,
    log: silentLog,
  });
});

afterAll(async () => {
  await pool.close();
  rmSync(directory, { recursive: true, force: true });
});

const request = () => ({
  identifier: 'a/b:1@c',
  directory,
  python: join(directory, '.venv/bin/python'),
  entrypoint: 'main',
});

test.skipIf(!LINUX)('a call gets a plain start at once, and the next call when that is over', async () => {
  const first = await pool.choose(request(), urgent, forever);
  expect(first.by()).toEqual(NOT_READY);
  let chosen = false;
  const second = pool.choose(request(), urgent, forever).then((way) => {
    chosen = true;
    return way;
  });
  await expect.poll(() => pool.facts()).toEqual([{ sdk: '0.5.0', state: 'imports' }]);
  expect(chosen).toBe(false);
  first.over();
  const way = await second;
  expect(way.by()).toEqual(NOT_READY);
  way.over();
});

test.skipIf(!LINUX)('a start that nobody waits for waits, until a call comes', async () => {
  const call = Promise.withResolvers<void>();
  const haste = { urgent: false, raised: call.promise };
  let chosen = false;
  const choosing = pool.choose(request(), haste, forever).then((way) => {
    chosen = true;
    return way;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(chosen).toBe(false);
  call.resolve();
  const way = await choosing;
  expect(way.by()).toEqual(NOT_READY);
  way.over();
});

test.skipIf(!LINUX)('a start that is given up does not wait on', async () => {
  const given = new AbortController();
  const choosing = pool.choose(request(), { urgent: false, raised: new Promise(() => undefined) }, given.signal);
  given.abort(new Error('not wanted any more'));
  expect((await choosing).by()).toEqual({ way: 'plain', reason: 'not wanted any more' });
});
