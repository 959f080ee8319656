import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open as openFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProcessLauncher, type ProcessLauncher } from '../../launcher/index.ts';
import { BytecodeStore } from './index.ts';

const PYTHON = '/usr/bin/python3';
const { signal } = new AbortController();
let root: string;
let launcher: ProcessLauncher;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bytecode-'));
  launcher = createProcessLauncher();
});
afterEach(async () => {
  await launcher.close();
  rmSync(root, { recursive: true, force: true });
});

const open = (shared: boolean) =>
  new BytecodeStore({
    root: join(root, '.bytecode'),
    launcher,
    environment: { PATH: '/usr/bin:/bin' },
    shared: async () => shared,
  });

function environment(
  name: string,
  modules: Readonly<Record<string, string>> = { 'a.py': 'x = 1\n', 'p/b.py': 'y = 2\n' },
): string {
  const folder = join(root, name);
  for (const [path, source] of Object.entries(modules)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), source);
  }
  return folder;
}

const bytecode = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.pyc'))
    .sort();
const inode = (folder: string, name: string) => statSync(join(folder, name)).ino;
/** The value of a module, imported with what lies there; `stale` when Python compiled it anew. */
function imported(folder: string, code: string): string {
  const env = { PATH: '/usr/bin:/bin', PYTHONPATH: folder };
  return execFileSync(PYTHON, ['-v', '-c', code], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

test('read-only environments share everything, compiled once, whatever times their sources have', async () => {
  const store = open(true);
  const [first, second] = [environment('first'), environment('second')];
  expect(await store.provide(PYTHON, first, signal)).toBe(0);
  expect(await store.fill(PYTHON, first, signal)).toBe(2);
  // The same wheel, unpacked at another time: what used to make a store of time stamps stale for good.
  utimesSync(join(second, 'a.py'), 1, 1);
  expect(await store.provide(PYTHON, second, signal)).toBe(2);
  const [a = ''] = bytecode(second);
  expect(inode(second, a)).toBe(inode(first, a));
  expect(readFileSync(join(second, a)).readUInt32LE(4)).toBe(3); // checked by the hash of the source
  const before = inode(second, a);
  expect(imported(second, 'import a; print(a.x)')).toBe('1');
  expect(inode(second, a)).toBe(before);
  expect(await store.fill(PYTHON, second, signal)).toBe(0);

  // Another content is another entry, also under the same name.
  writeFileSync(join(second, 'a.py'), 'x = 9\n');
  expect(imported(second, 'import a; print(a.x)')).toBe('9');
  expect(imported(first, 'import a; print(a.x)')).toBe('1');

  expect(await store.prune(true)).toBe(0);
  rmSync(first, { recursive: true });
  rmSync(second, { recursive: true });
  const unused = await store.prune(true);
  expect(unused).toBeGreaterThan(200);
  expect(await store.prune(false)).toBe(unused);
  expect(await store.prune(false)).toBe(0);
});

test('an entry whose header differs is replaced, and never handed out', async () => {
  const store = open(true);
  const first = environment('first', { 'a.py': 'x = 1\n' });
  await store.fill(PYTHON, first, signal);
  const [entry = ''] = bytecode(join(root, '.bytecode'));
  rmSync(join(root, '.bytecode', entry));
  writeFileSync(join(root, '.bytecode', entry), 'not bytecode');
  const second = environment('second', { 'a.py': 'x = 1\n' });
  expect(await store.provide(PYTHON, second, signal)).toBe(0);
  expect(bytecode(second)).toEqual([]);
  expect(await store.fill(PYTHON, second, signal)).toBe(1);
  expect(imported(second, 'import a; print(a.x)')).toBe('1');
});

test('environments that plugins can write to share no file, and what a plugin has written is never stored', async () => {
  const store = open(false);
  const first = environment('first');
  expect(await store.fill(PYTHON, first, signal)).toBe(0); // nothing was imported
  imported(first, 'import a');
  const [a = ''] = bytecode(first);
  const poisoned = environment('elsewhere', { 'a.py': 'x = "poisoned"\n' });
  imported(poisoned, 'import a');
  const poison = readFileSync(join(poisoned, a));
  writeFileSync(join(first, a), poison);
  expect(await store.fill(PYTHON, first, signal)).toBe(1);
  const second = environment('second');
  expect(await store.provide(PYTHON, second, signal)).toBe(1);
  expect(bytecode(second)).toEqual([a]);
  expect(imported(second, 'import a; print(a.x)')).toBe('1');
  expect(imported(first, 'import a; print(a.x)')).toBe('1');
  const [entry = ''] = bytecode(join(root, '.bytecode'));
  const inodes = [inode(first, a), inode(second, a), inode(join(root, '.bytecode'), entry)];
  expect(new Set(inodes).size).toBe(3);
});

test('what cannot be compiled, linked files and endless modules are left alone', async () => {
  const store = open(true);
  const odd = environment('odd', {
    'bad.py': 'x = (\n',
    'null.py': 'x = "\0"\n',
    'deep.py': `x = ${'('.repeat(50_000)}\n`,
    'long.py': `x = """${'y'.repeat(5_000_000)}"""\n`,
    'good.py': 'x = 1\n',
  });
  expect(await store.fill(PYTHON, odd, signal)).toBe(1);
  expect(bytecode(odd).map((name) => name.split('.')[0])).toEqual(['__pycache__/good']);
});

test('stores of an earlier layout are garbage', async () => {
  const old = join(root, '.bytecode/cpython-312/x-1');
  mkdirSync(old, { recursive: true });
  writeFileSync(join(old, 'a.pyc'), 'x');
  expect(await open(true).prune(false)).toBe(1);
  expect(existsSync(join(old, 'a.pyc'))).toBe(false);
});

test('an environment that is removed while it is compiled does not come back', async () => {
  const store = open(true);
  const folder = environment('gone', { 'p/b.py': 'y = 2\n' });
  // Reading it lasts until it is written to.
  execFileSync('mkfifo', [join(folder, 'p/a.py')]);
  const filling = store.fill(PYTHON, folder, signal);
  const pipe = await openFile(join(folder, 'p/a.py'), 'w');
  rmSync(folder, { recursive: true });
  await pipe.write('x = 1\n');
  await pipe.close();
  expect(await filling).toBe(0);
  expect(existsSync(folder)).toBe(false);
});
