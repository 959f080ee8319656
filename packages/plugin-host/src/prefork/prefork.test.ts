/** Which way a plugin is started, and why, without starting one. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ForkParent } from '../launcher/index.ts';
import { silentLog } from '../log/index.ts';
import { type ParentsOptions, ParentsPool } from './index.ts';
import { moduleInTheWay } from './module-names.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'prefork-'));
  mkdirSync(join(directory, '.venv/lib/python3.12/site-packages'), { recursive: true });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const launcher = { launch: () => Promise.reject(new Error('nothing is launched here')), close: async () => undefined };

const seed = {
  directory: '/nowhere',
  python: '/nowhere/bin/python',
  base: '/usr/bin/python3',
  distributions: new Map(),
};

interface Circumstances {
  readonly discard?: ParentsOptions['seeds']['discard'];
  readonly refused?: string;
  readonly urgent?: boolean;
  readonly processors?: number;
}

async function chosen(
  find: ParentsOptions['seeds']['find'],
  { refused, urgent = false, processors = 2, discard = async () => undefined }: Circumstances = {},
) {
  const pool = new ParentsPool({
    launcher,
    seeds: { find, provide: async () => undefined, discard },
    processors,
    environment: {},
    most: 1,
    idleMs: 60_000,
    log: silentLog,
  });
  const request = { identifier: 'a/b:1@c', directory, python: join(directory, '.venv/bin/python'), entrypoint: 'main' };
  if (refused !== undefined) pool.refuse(request.identifier, refused);
  const way = await pool.choose(
    request,
    { urgent, raised: new Promise(() => undefined) },
    new AbortController().signal,
  );
  await pool.close();
  return way;
}

test.skipIf(process.platform !== 'linux')('each reason for a plain start is told', async () => {
  expect((await chosen(async () => 'it does not use the SDK')).by()).toEqual({
    way: 'plain',
    reason: 'it does not use the SDK',
  });
  expect((await chosen(async () => seed, { refused: 'it did not survive' })).by()).toEqual({
    way: 'plain',
    reason: 'it did not survive',
  });
  expect((await chosen(async () => seed)).by()).toMatchObject({
    way: 'plain',
    reason: expect.stringContaining('ENOENT'),
  });
  const failing = await chosen(() => Promise.reject(new Error('the disk is gone')));
  expect(failing.by()).toEqual({ way: 'plain', reason: 'the disk is gone' });
});

test('only a module hides another', async () => {
  const folder = join(directory, 'plugin');
  mkdirSync(join(folder, 'yaml'), { recursive: true });
  mkdirSync(join(folder, 'tools'));
  for (const file of ['main.py', 'yaml.txt', 'json.md', 'tools/json.py']) writeFileSync(join(folder, file), '');
  const imported = ['yaml', 'json', 'calendar'];
  expect(await moduleInTheWay(folder, imported)).toBeUndefined();
  writeFileSync(join(folder, 'calendar.py'), '');
  expect(await moduleInTheWay(folder, imported)).toBe('calendar.py');
  rmSync(join(folder, 'calendar.py'));
  writeFileSync(join(folder, 'json.cpython-312-x86_64-linux-gnu.so'), '');
  expect(await moduleInTheWay(folder, imported)).toBe('json.cpython-312-x86_64-linux-gnu.so');
  rmSync(join(folder, 'json.cpython-312-x86_64-linux-gnu.so'));
  writeFileSync(join(folder, 'yaml/__init__.py'), '');
  expect(await moduleInTheWay(folder, imported)).toBe('yaml');
  expect(await moduleInTheWay(folder, undefined)).toBeDefined();
});

test.skipIf(process.platform !== 'linux')(
  'what the next start can use is made beside a plain start, unless a call waits for that, or there is one processor',
  async () => {
    const prepares = vi.spyOn(ParentsPool.prototype, 'prepare');
    const none = async () => 'there is no parent for its SDK yet';
    await chosen(none, { urgent: true });
    await chosen(none, { processors: 1 });
    expect(prepares).not.toHaveBeenCalled();
    await chosen(none);
    expect(prepares).toHaveBeenCalledOnce();
  },
);

test.skipIf(process.platform !== 'linux').each([
  ['EACCES', 1],
  ['EMFILE', 0],
])('an environment whose parent does not start because of %s is given up %i times', async (code, times) => {
  const opens = vi.spyOn(ForkParent, 'open').mockRejectedValue(Object.assign(new Error(code), { code }));
  const discard = vi.fn(async () => undefined);
  await chosen(async () => seed, { discard });
  expect(opens).toHaveBeenCalled();
  expect(discard).toHaveBeenCalledTimes(times);
  opens.mockRestore();
});
