import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withDirectoryLock } from './directory-lock.ts';
import { collectGarbage } from './garbage.ts';
import { draftName, isLeftBehind } from './lives.ts';
import { sweepRemains } from './remains.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'remains-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const { signal } = new AbortController();
const UUID = '00000000-0000-4000-8000-000000000000';
/** The same name, of a process that has ended. */
const ended = async (): Promise<string> => {
  const pid = Number(execFileSync('/bin/sh', ['-c', 'echo $$'], { encoding: 'utf8' }));
  return (await draftName()).replace(/-\d+-\d*\./, `-${pid}-1.`);
};
/** Of another machine. */
const foreign = async (): Promise<string> => (await draftName()).replace(/^[0-9a-f]{8}/, '00000000');
const file = (...names: string[]): string => {
  const path = join(root, ...names);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  return path;
};
const long = new Date(Date.now() - 3 * 3_600_000);

test('a draft belongs to somebody as long as its process lives, or was heard of', async () => {
  const now = Date.now();
  expect(await isLeftBehind(await draftName(), 0)).toBe(false);
  expect(await isLeftBehind(`.new-${await draftName()}`, 0)).toBe(false);
  expect(await isLeftBehind(await ended(), now)).toBe(true);
  expect(await isLeftBehind(await foreign(), now)).toBe(false);
  expect(await isLeftBehind(await foreign(), long.getTime())).toBe(true);
  // As earlier versions named them.
  expect(await isLeftBehind(UUID, now)).toBe(false);
  expect(await isLeftBehind(UUID, long.getTime())).toBe(true);
});

test('what killed processes have left goes, and what others are making stays', async () => {
  const gone = [
    file('.build', await ended(), 'requirements.txt'),
    file('.parents', `.new-${await ended()}`, 'seed.json'),
    file('.environments', `0.lock.${await ended()}`),
    file('author', `plugin.lock.${await ended()}`),
    file('other', `plugin.lock.${await ended()}`),
  ];
  const lock = file('.environments', '1.lock');
  writeFileSync(lock, JSON.stringify({ host: hostname(), pid: 1, started: 'never', token: 'x' }));
  const kept = [
    file('.build', await draftName(), 'requirements.txt'),
    file('.parents', `.new-${await draftName()}`, 'seed.json'),
    file('.parents', 'f'.repeat(32), 'seed.json'),
    file('author', `plugin.lock.${await draftName()}`),
    file('author', 'plugin-0.0.1@0', 'main.py'),
  ];
  await withDirectoryLock(join(root, 'third', 'plugin.lock'), { signal }, async () => {
    await sweepRemains(root);
    expect(existsSync(join(root, 'third', 'plugin.lock'))).toBe(true);
  });
  expect([...gone, lock].filter((path) => existsSync(path))).toEqual([]);
  expect(kept.filter((path) => !existsSync(path))).toEqual([]);
  expect(existsSync(join(root, 'other'))).toBe(false);
  await sweepRemains(root);
  expect(existsSync(join(root, 'third'))).toBe(false);
});

test('a directory that is being filled is not collected, nor one that is claimed while collecting', async () => {
  const checksum = 'a'.repeat(64);
  const filling = file('acme', `one-0.0.1@${checksum}.${UUID}`, 'main.py');
  const claimed = file('acme', `two-0.0.1@${checksum}`, 'main.py');
  const unused = file('acme', `three-0.0.1@${checksum}`, 'main.py');
  for (const path of [filling, claimed, unused]) utimesSync(join(path, '..'), long, long);
  let asked = 0;
  const keep = async () => [`acme/one:0.0.1@${checksum}`, ...(asked++ === 0 ? [] : [`acme/two:0.0.1@${checksum}`])];
  const { directories } = await collectGarbage(root, { keep, dryRun: false, minimumAgeSeconds: 0, signal });
  expect(directories.map(({ name }) => name)).toEqual([`acme/three-0.0.1@${checksum}`]);
  expect([filling, claimed, unused].map((path) => existsSync(path))).toEqual([true, true, false]);
});
