import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrapArguments } from './index.ts';

let directory: string;

const REPORT = `
import sys, os
before = set(sys.modules)
import json
import __main__
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "names": sorted(vars(__main__)), "name": __name__, "spec": __spec__.name,
    "file": __file__, "cwd": os.getcwd(), "modules": sorted(before),
}))
`;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  writeFileSync(join(directory, 'main.py'), REPORT);
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const run = (args: readonly string[]) =>
  JSON.parse(execFileSync('python3', [...args], { cwd: directory, encoding: 'utf8' }));

test('a module is run as by -m', () => {
  const { modules: _m, ...plain } = run(['-m', 'main']);
  const { modules: _b, ...bootstrapped } = run(bootstrapArguments('main'));
  expect(bootstrapped).toEqual(plain);
});

test('nothing is imported before it that the SDK patches', () => {
  const plain = new Set<unknown>(run(['-m', 'main']).modules);
  const more = run(bootstrapArguments('main')).modules.filter((name: string) => !plain.has(name));
  const patched = ['threading', 'concurrent', 'queue', 'socket', 'ssl', 'select', 'selectors', 'subprocess', 'logging'];
  expect(more.filter((name: string) => patched.includes(name.split('.')[0] ?? ''))).toEqual([]);
});

test('a module of the package that is called like one of Python’s own is not taken for it before', () => {
  for (const name of ['json', 'collections', 'runpy', 'time']) mkdirSync(join(directory, name), { recursive: true });
  for (const name of ['json', 'collections', 'runpy'])
    writeFileSync(join(directory, name, '__init__.py'), 'raise SystemExit("taken")\n');
  writeFileSync(join(directory, 'other.py'), 'print(__name__)\n');
  const said = execFileSync('python3', [...bootstrapArguments('other')], { cwd: directory, encoding: 'utf8' });
  expect(said.trim()).toBe('__main__');
});
