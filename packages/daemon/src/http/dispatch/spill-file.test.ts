import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SpillFile } from './spill-file.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spill-'));
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

test('what goes in comes out in order, in pieces of any size', () => {
  const spill = new SpillFile(directory, 'one');
  spill.append(Buffer.from('hello '));
  spill.append(Buffer.from('world'));
  expect(spill.waiting).toBe(11);
  expect(spill.take(4).toString()).toBe('hell');
  spill.append(Buffer.from('!'));
  expect(spill.take(100).toString()).toBe('o world!');
  expect(spill.waiting).toBe(0);
  expect(spill.take(100).length).toBe(0);
  spill.append(Buffer.from('again'));
  expect(spill.take(100).toString()).toBe('again');
  spill.close();
});

test('the file has no name: nothing is left whatever happens', () => {
  const spill = new SpillFile(directory, 'one');
  spill.append(Buffer.alloc(1 << 20));
  expect(readdirSync(directory)).toEqual([]);
  spill.close();
});

test('space is given back when everything was read', () => {
  // The next descriptor to be opened is the one that the file gets.
  const probe = openSync('/dev/null', 'r');
  closeSync(probe);
  const spill = new SpillFile(directory, 'one');
  spill.append(Buffer.alloc(1 << 20, 1));
  expect(fstatSync(probe).size).toBe(1 << 20);
  spill.take(1 << 21);
  expect(fstatSync(probe).size).toBe(0);
  spill.close();
});

test('closing twice closes one descriptor', () => {
  const spill = new SpillFile(directory, 'one');
  spill.close();
  const other = openSync('/dev/null', 'r');
  spill.close();
  expect(fstatSync(other).isCharacterDevice()).toBe(true);
  closeSync(other);
});

test('a directory that is not there is an error', () => {
  expect(() => new SpillFile(join(directory, 'missing'), 'one')).toThrow(/ENOENT/);
});

test('after closing nothing can be kept, and what was kept before is not half there', () => {
  const spill = new SpillFile(directory, 'one');
  spill.append(Buffer.from('kept'));
  spill.close();
  expect(() => spill.append(Buffer.from('more'))).toThrow();
  expect(spill.waiting).toBe(4);
});
