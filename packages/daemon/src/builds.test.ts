import {
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { holdBuild, markMade, removeOldBuilds, writeAnew, writeWhole } from './builds.ts';

const HOUR_MS = 3_600_000;
const now = Date.now();

/** @param age in hours */
function entry(dist: string, name: string, age: number): void {
  if (name.includes('.')) writeFileSync(join(dist, name), '');
  else {
    mkdirSync(join(dist, name));
    writeFileSync(join(dist, name, 'roles.js'), '');
  }
  const time = new Date(now - age * HOUR_MS);
  utimesSync(join(dist, name), time, time);
}

test('what nobody has run from for a day goes, except the build before', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'builds-'));
  const dist = directory.path;
  entry(dist, 'main.js', 100);
  entry(dist, 'package.json', 100);
  entry(dist, '1111111111111111', 100);
  entry(dist, '2222222222222222', 90);
  entry(dist, '3333333333333333', 80);
  entry(dist, 'roles.js.4711', 25);
  entry(dist, 'lib-pg.js', 1);
  removeOldBuilds(dist, '1111111111111111', { now });
  expect(readdirSync(dist).toSorted()).toEqual([
    '1111111111111111',
    '3333333333333333',
    'lib-pg.js',
    'main.js',
    'package.json',
  ]);
});

test('a daemon that runs keeps its build through any number of later ones', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'builds-'));
  const dist = directory.path;
  for (const [at, name] of ['1111111111111111', '2222222222222222', '3333333333333333'].entries())
    entry(dist, name, 100 - at);
  const own = join(dist, '1111111111111111');
  holdBuild(own);
  await vi.waitFor(() => expect(statSync(own).mtimeMs).toBeGreaterThan(now - HOUR_MS));
  removeOldBuilds(dist, '3333333333333333', { now });
  expect(readdirSync(dist).toSorted()).toEqual(['1111111111111111', '3333333333333333']);
  expect(readdirSync(own)).toEqual(['roles.js']);
});

test('what cannot be removed is told, and hinders neither the build nor the removal of the others', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'builds-'));
  const dist = directory.path;
  for (const [at, name] of ['1111111111111111', '2222222222222222', '3333333333333333'].entries())
    entry(dist, name, 100 - at);
  const foreign = join(dist, '1111111111111111');
  const refused = new Error('EACCES');
  const remove: typeof rmSync = (path, options) => {
    if (path === foreign) throw refused;
    rmSync(path, options);
  };
  expect(removeOldBuilds(dist, '4444444444444444', { now, remove })).toEqual([{ path: foreign, error: refused }]);
  expect(readdirSync(dist).toSorted()).toEqual(['1111111111111111', '3333333333333333']);
});

test('a file that is as it should be is left to its owner, any other is replaced whole', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'builds-'));
  const path = join(directory.path, 'roles.js');
  writeWhole(path, 'one');
  const { ino } = statSync(path);
  writeWhole(path, Buffer.from('one'));
  expect(statSync(path).ino).toBe(ino);
  writeWhole(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(statSync(path).ino).not.toBe(ino);
  expect(readdirSync(directory.path)).toEqual(['roles.js']);
});

test('what leads to the latest build is of the time of that build, also when it says the same', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'builds-'));
  const path = join(directory.path, 'main.js');
  writeAnew(path, 'one');
  const before = new Date(now - HOUR_MS);
  utimesSync(path, before, before);
  writeAnew(path, 'one');
  expect(statSync(path).mtimeMs).toBeGreaterThan(before.getTime());
  expect(readdirSync(directory.path)).toEqual(['main.js']);
});

test('a build whose directory belongs to another user is made nevertheless', () => {
  // One that is not there is as little ours to touch, whoever runs this.
  expect(() => markMade('/nonexistent/build')).not.toThrow();
});
