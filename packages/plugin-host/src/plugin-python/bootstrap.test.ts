import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

/** What comes of a module as a function whose environment has these modules. */
function runFunction(modules: Readonly<Record<string, string>>): string {
  const cwd = mkdtempSync(join(directory, 'function-'));
  for (const [path, text] of Object.entries(modules)) {
    mkdirSync(dirname(join(cwd, path)), { recursive: true });
    writeFileSync(join(cwd, path), text);
  }
  const env = { PATH: process.env.PATH, PYTHONPATH: cwd, INSTALL_METHOD: 'serverless' };
  return execFileSync('python3', [...bootstrapArguments('main')], { cwd, env, encoding: 'utf8' });
}

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

test('a function that is not on the SDK runs as it is, and it is told that its calls are not ended', () => {
  const said = runFunction({ 'main.py': 'print("runs")\n' });
  expect(said.split('\n')).toEqual([expect.stringMatching(/^warning: calls of .* it is not on the SDK$/), 'runs', '']);
});

test('a function on an SDK that is made otherwise runs as it is, and it is told why its calls are not ended', () => {
  const server = 'dify_plugin/core/server';
  const said = runFunction({
    'main.py': 'import dify_plugin.core.server.io_server\nprint("runs")\n',
    ...Object.fromEntries(['dify_plugin', 'dify_plugin/core', server].map((path) => [`${path}/__init__.py`, ''])),
    [`${server}/io_server.py`]: 'class IOServer: pass\n',
  });
  expect(said.split('\n')).toEqual([
    expect.stringMatching(/^warning: calls of .* cannot be cancelled: \w+Error: /),
    'runs',
    '',
  ]);
});
