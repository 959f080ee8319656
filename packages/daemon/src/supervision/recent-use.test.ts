import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RecentUse } from './recent-use.ts';
import { fakeLog } from './testing.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recent-use-'));
  file = join(folder, 'plugin-use.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what was used when is known after a restart, what was uninstalled is not', async () => {
  const { log, lines } = fakeLog();
  const first = await RecentUse.open(file, log);
  first.used('a', 1000);
  first.used('b', 2000);
  first.used('a', 3000);
  first.used('gone', 1);
  first.forget('gone');
  await first.save();
  const second = await RecentUse.open(file, log);
  expect([second.lastUse('a'), second.lastUse('b'), second.lastUse('gone')]).toEqual([3000, 2000, undefined]);
  expect(lines).toEqual([]);
});

test('nothing is written while nothing changed', async () => {
  const uses = await RecentUse.open(file, fakeLog().log);
  await uses.save();
  expect(() => readFileSync(file)).toThrow('ENOENT');
});

test.each(['', '{', 'null', '7', '["a"]', '{"a":"yesterday","b":null}'])(
  'a broken file (%j) counts as none',
  async (text) => {
    writeFileSync(file, text);
    const uses = await RecentUse.open(file, fakeLog().log);
    expect(uses.lastUse('a')).toBeUndefined();
    uses.used('a', 5);
    await uses.save();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ a: 5 });
  },
);

test('a folder that cannot be written is told once a time, and harms nobody', async () => {
  const { log, lines } = fakeLog();
  const uses = await RecentUse.open(join(folder, 'missing', 'plugin-use.json'), log);
  uses.used('a', 1);
  await uses.save();
  expect(lines).toEqual(['the list of plugins used recently could not be written']);
  expect(uses.lastUse('a')).toBe(1);
});

test('it keeps a bounded number, those used last', async () => {
  const uses = await RecentUse.open(file, fakeLog().log);
  for (let n = 0; n < 10_050; n++) uses.used(`plugin ${n}`, n);
  await uses.save();
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')))).toHaveLength(10_000);
  expect([uses.lastUse('plugin 0'), uses.lastUse('plugin 10049')]).toEqual([undefined, 10_049]);
});
