import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PluginUsers } from './users.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'plugin-users-'));
  file = join(directory, 'users.json');
});
afterEach(() => rmSync(directory, { recursive: true }));

const open = (range = { first: 5000, last: 5003 }, accountFiles: readonly string[] = []) =>
  new PluginUsers({ file, range, accountFiles });

test('each name has one number, also after a restart', () => {
  const users = open();
  expect(['a', 'b', 'a'].map((name) => users.of(name).uid)).toEqual([5000, 5001, 5000]);
  const again = open();
  expect([again.of('b'), again.of('c').uid]).toEqual([{ uid: 5001, gid: 5001 }, 5002]);
});

test('a number that was set free comes last, and a full range says what to do', () => {
  const users = open();
  for (const name of ['a', 'b']) users.of(name);
  users.release('a');
  expect(users.has('a')).toBe(false);
  expect(['c', 'd', 'e'].map((name) => users.of(name).uid)).toEqual([5002, 5003, 5000]);
  expect(() => users.of('f')).toThrow(/PLUGIN_UID_RANGE/);
  users.release('d');
  expect(open().of('f').uid).toBe(5003);
});

test('numbers of accounts are left out, and so are kept ones outside of the range or given twice', () => {
  const accounts = join(directory, 'passwd');
  writeFileSync(accounts, 'x:x:5000:5000::/:/bin/sh\nbroken\n\n');
  writeFileSync(file, JSON.stringify({ next: 5000, users: { old: 4000, one: 5001, two: 5001 } }));
  const users = open(undefined, [accounts, join(directory, 'nothing')]);
  expect(['new', 'one', 'two'].map((name) => users.of(name).uid)).toEqual([5002, 5001, 5003]);
  expect(() => users.of('old')).toThrow(/no user id is left/);
});

test('a damaged file is not started over: its numbers would be given out twice', () => {
  for (const text of ['{', '[]', '{"next":1,"users":{"a":"x"}}', '{"users":{}}']) {
    writeFileSync(file, text);
    expect(open, text).toThrow(/users\.json says which user/);
  }
});

test('the file is for the daemon alone', () => {
  open().of('a');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ next: 5001, users: { a: 5000 } });
});
