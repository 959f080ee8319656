/** Environments that plugins share: on the real uv and an index of our own. */
import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  globSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EnvironmentOutcome, PreparedEnvironment, PythonEnvironmentsOptions } from '../options.ts';
import type { PythonEnvironments } from '../python-environments.ts';
import { type Bench, bench } from '../testing.ts';
import { serveIndex, type TestServer, wheel } from '../testing-index.ts';

let at: Bench;
let index: TestServer;
let outcomes: EnvironmentOutcome[];
beforeEach(async () => {
  at = bench();
  outcomes = [];
  index = await serveIndex([wheel('small'), wheel('large', { files: { 'large/__init__.py': 'value = "large"\n' } })]);
});
afterEach(async () => {
  await at.close();
  await index.close();
});

const open = (more: Partial<PythonEnvironmentsOptions> = {}): PythonEnvironments =>
  at.open({
    share: true,
    readOnlyForPlugins: async () => true,
    onPrepared: (outcome) => void outcomes.push(outcome),
    mirror: { url: `${index.url}/simple`, autoDetect: false, candidates: [], timeoutSeconds: 1 },
    ...more,
  });

/** Where uv cannot be had: whoever asks for it fails. */
const withoutUv = () => open({ uvPath: '/nonexistent/uv' });

const run = (prepared: PreparedEnvironment, code: string): string =>
  execFileSync(prepared.python, ['-c', code], { cwd: prepared.directory, encoding: 'utf8' }).trim();

const SMALL = { 'main.py': 'value = 1\n', 'requirements.txt': 'small\n' };
const stored = (): string[] =>
  readdirSync(join(at.workingPath, '.environments')).filter((name) => /^[0-9a-f]{32}$/.test(name));

test('the same content is one environment; it is taken again without the installer', async () => {
  const first = await at.prepare(open(), SMALL);
  const second = await at.prepare(withoutUv(), { ...SMALL, 'README.md': 'another' }, { version: '0.0.2' });
  expect(outcomes).toEqual(['new', 'known']);
  expect(second.shared).toBe(first.shared);
  expect(second).toMatchObject({ fresh: true, python: join(second.directory, '.venv/bin/python') });
  const where = 'import small, sys; print(small.__file__.startswith(sys.prefix), sys.prefix)';
  for (const one of [first, second]) expect(run(one, where)).toBe(`True ${join(one.directory, '.venv')}`);
  // What upstream looks at, and would remove with the directory and nothing else.
  expect(JSON.parse(readFileSync(join(first.directory, '.venv/dify/plugin.json'), 'utf8'))).toMatchObject({
    sdk: null,
  });
  rmSync(join(first.directory, '.venv'), { recursive: true });
  expect(run(second, where)).toContain('True');
  expect((await at.prepare(withoutUv(), SMALL)).shared).toBe(first.shared);
});

test('requirements in other words come to the same environment, other content to another', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const same = await at.prepare(environments, { 'main.py': '', 'requirements.txt': 'small>=0.5\n' });
  const project = '[project]\nname = "x"\nversion = "VERSION"\ndependencies = ["small>=0.5"]\n';
  const told = await at.prepare(environments, { 'main.py': '', 'pyproject.toml': project.replace('VERSION', '1') });
  const other = await at.prepare(environments, { 'main.py': '', 'requirements.txt': 'small\nlarge\n' });
  expect(outcomes).toEqual(['new', 'same', 'known', 'new']);
  expect([same.shared, told.shared]).toEqual([first.shared, first.shared]);
  expect(other.shared).not.toBe(first.shared);
  // Another plugin, by its plan: its file is none that was seen before.
  await at.prepare(withoutUv(), { 'main.py': '', 'pyproject.toml': project.replace('VERSION', '2') });
  expect(outcomes.at(-1)).toBe('known');
  expect(stored()).toHaveLength(2);
});

test('lock files of different projects that lock the same, wheels that packages carry, and no dependencies', async () => {
  const environments = open();
  const locked = (name: string) => ({
    'main.py': '',
    'pyproject.toml': `[project]\nname = "${name}"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["small"]\n`,
    'uv.lock': `version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "small"\nversion = "1.0"\nsource = { registry = "${index.url}/simple" }\nwheels = [{ url = "${index.url}/files/small-1.0-py3-none-any.whl" }]\n[[package]]\nname = "${name}"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "small" }]\n[package.metadata]\nrequires-dist = [{ name = "small" }]\n`,
  });
  const carried = {
    'main.py': '',
    'requirements.txt': 'large\n',
    'vendor/wheels/large-1.0-py3-none-any.whl': wheel('large').bytes,
  };
  const nothing = { 'main.py': '', 'requirements.txt': '# none\n' };
  for (const files of [locked('one'), carried, nothing]) await at.prepare(environments, files);
  expect(outcomes).toEqual(['new', 'new', 'new']);
  const without = withoutUv();
  for (const files of [locked('two'), { ...carried, 'x.txt': '' }, { ...nothing, 'x.txt': '' }])
    await at.prepare(without, files, { version: '0.0.2' });
  expect(outcomes.slice(3)).toEqual(['known', 'known', 'known']);
});

test('plugins that share an environment have their own code', async () => {
  const environments = open();
  const files = (name: string) => ({
    'main.py': '',
    'src/mine.py': `value = "${name}"\n`,
    'pyproject.toml': `[project]\nname = "${name}"\nversion = "1"\ndependencies = ["small"]\n[build-system]\nrequires = []\n`,
  });
  const [one, two] = [await at.prepare(environments, files('one')), await at.prepare(environments, files('two'))];
  expect(two.shared).toBe(one.shared);
  expect([one, two].map((each) => run(each, 'import mine, small; print(mine.value)'))).toEqual(['one', 'two']);
});

test('what wheels bring beside their content does not reach others', async () => {
  // Says of itself what the honest one says, and brings bytecode, a configuration and what looks like ours.
  const files = {
    'small.py': 'value = 1\n',
    '__pycache__/small.cpython-312.pyc': 'evil',
    'small-1.0.data/data/pyvenv.cfg': 'home = /evil\n',
    'small-1.0.data/data/dify/environment.json': '{}',
    'small-1.0.data/data/dify/sitecustomize.py': 'evil = 1\n',
  };
  const honest = await at.prepare(open(), SMALL);
  const evil = await serveIndex([wheel('small', { files })]);
  try {
    const environments = open({
      mirror: { url: `${evil.url}/simple`, autoDetect: false, candidates: [], timeoutSeconds: 1 },
    });
    const other = await at.prepare(environments, { ...SMALL, 'x.txt': '' }, { version: '0.0.2' });
    expect(globSync('**/*.pyc', { cwd: join(other.shared ?? '', 'lib') })).toEqual([]);
    expect(readFileSync(join(other.shared ?? '', 'pyvenv.cfg'), 'utf8')).not.toContain('evil');
    expect(readdirSync(join(other.shared ?? '', 'dify')).sort()).toEqual(['environment.json', 'manifest']);
    expect(run(other, 'import small; print(small.value)')).toBe('1');
  } finally {
    await evil.close();
  }
  const changed = await serveIndex([wheel('small', { files: { 'small.py': 'value = 2\n' } })]);
  try {
    const mirror = { url: `${changed.url}/simple`, autoDetect: false, candidates: [], timeoutSeconds: 1 };
    const other = await at.prepare(open({ mirror }), { ...SMALL, 'y.txt': '' }, { version: '0.0.3' });
    expect(other.shared).not.toBe(honest.shared);
  } finally {
    await changed.close();
  }
});

test('files are for all to read and for nobody to write; a plugin’s own directory has none of them', async () => {
  const before = process.umask(0o077);
  try {
    const { shared = '', directory } = await at.prepare(open(), SMALL);
    for (const name of globSync('**/*', { cwd: shared })) {
      const found = lstatSync(join(shared, name));
      if (!found.isSymbolicLink()) expect([name, found.mode & 0o066]).toEqual([name, 0o044]);
    }
    expect(statSync(shared).mode & 0o777).toBe(0o755);
    expect(
      globSync('.venv/**/small.py', { cwd: directory }).every((name) =>
        realpathSync(join(directory, name)).startsWith(shared),
      ),
    ).toBe(true);
    expect(readlinkSync(join(directory, '.venv/lib'))).toMatch(/^\.\.\/\.\.\/\.\.\/\.environments\//);
  } finally {
    process.umask(before);
  }
});

test('plugins that could write to it get one of their own, and so does everybody when sharing is off', async () => {
  const own = await at.prepare(open({ readOnlyForPlugins: async () => false }), SMALL);
  const off = await at.prepare(open({ share: false }), { ...SMALL, 'x.txt': '' }, { version: '0.0.2' });
  for (const one of [own, off]) {
    expect(one.shared).toBeUndefined();
    expect(lstatSync(join(one.directory, '.venv/lib')).isDirectory()).toBe(true);
  }
  // One that is there is left: nothing is made anew at an upgrade.
  expect(await at.prepare(withoutUv(), SMALL)).toEqual({ ...own, fresh: false });
  expect(outcomes).toEqual(['own', 'own']);
});

test('one that was deleted, or lacks something, is made anew at the next start, as it was', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const second = await at.prepare(environments, { ...SMALL, 'x.txt': '' }, { version: '0.0.2' });
  rmSync(first.shared ?? '', { recursive: true });
  expect(await at.prepare(environments, SMALL)).toMatchObject({ shared: first.shared, fresh: true });
  expect(run(second, 'import small; print(small.value)')).toBe('1');
  expect(outcomes).toEqual(['new', 'known', 'new']);

  const [info = ''] = globSync('lib/python*/site-packages/small-1.0.dist-info', { cwd: first.shared ?? '' });
  rmSync(join(first.shared ?? '', info), { recursive: true });
  expect((await at.prepare(environments, SMALL)).fresh).toBe(true);
  expect(outcomes.at(-1)).toBe('repaired');
  expect(existsSync(join(first.shared ?? '', info))).toBe(true);
  expect((await at.prepare(environments, { ...SMALL, 'x.txt': '' }, { version: '0.0.2' })).fresh).toBe(false);
});

test('a working directory that was moved, with a link in its place, gets links that lead to the store from there', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const moved = join(dirname(at.workingPath), 'another', 'disk', 'plugin');
  mkdirSync(dirname(moved), { recursive: true });
  renameSync(first.directory, moved);
  symlinkSync(moved, first.directory);
  const second = await at.prepare(environments, SMALL);
  expect(second).toMatchObject({ directory: first.directory, shared: first.shared, fresh: true });
  expect(run(second, 'import small; print(small.value)')).toBe('1');
  expect(realpathSync(join(moved, '.venv', 'lib'))).toBe(realpathSync(join(first.shared ?? '', 'lib')));
  expect((await at.prepare(withoutUv(), SMALL)).fresh).toBe(false);
});

test('what is in the way of the flag is no flag: the environment is made anew', async () => {
  const first = await at.prepare(open(), SMALL);
  const flag = join(first.directory, '.venv', 'dify', 'plugin.json');
  rmSync(flag);
  mkdirSync(flag);
  expect((await at.prepare(open(), SMALL)).fresh).toBe(true);
  expect(statSync(flag).isFile()).toBe(true);
});

test('damage that only reading shows is found after a failure, once for all, and repaired without an index', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const identifier = at.identifier(SMALL);
  expect(await environments.examine(identifier)).toBeUndefined();
  const again = open();
  const [module = ''] = globSync('lib/python*/site-packages/small.py', { cwd: first.shared ?? '' });
  const file = join(first.shared ?? '', module);
  // A file of its own: the installer's cache may be the same one.
  rmSync(file);
  writeFileSync(file, 'value = (\n');
  writeFileSync(join(dirname(file), '..', 'more.py'), '');
  expect(await again.examine(identifier)).toContain(module);
  const asked = index.asked.length;
  expect((await at.prepare(again, SMALL)).shared).toBe(first.shared);
  expect(outcomes).toEqual(['new', 'repaired']);
  expect(index.asked).toHaveLength(asked);
  expect(run(first, 'import small; print(small.value)')).toBe('1');
  expect(await again.examine(identifier)).toBeUndefined();
  writeFileSync(join(first.shared ?? '', 'dify/manifest'), 'nonsense');
  expect(await open().examine(identifier)).toBe('its manifest');
});

test('damage of a file that is one with the installer’s does not come back from there', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const [module = ''] = globSync('lib/python*/site-packages/small.py', { cwd: first.shared ?? '' });
  const file = join(first.shared ?? '', module);
  expect(statSync(file).nlink).toBeGreaterThan(1);
  writeFileSync(file, 'value = (\n');
  expect(await environments.examine(at.identifier(SMALL))).toBe(module);
  expect((await at.prepare(environments, SMALL)).shared).toBe(first.shared);
  expect(run(first, 'import small; print(small.value)')).toBe('1');
  expect(outcomes).toEqual(['new', 'repaired']);
});

test('one that was made of a damaged cache is found when a start fails, and made of what is fetched anew', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const [module = ''] = globSync('lib/python*/site-packages/small.py', { cwd: first.shared ?? '' });
  writeFileSync(join(first.shared ?? '', module), 'value = (\n');
  // Nothing failed of the first; the second has other content, and takes the damaged file for what it is to hold.
  const files = { 'main.py': '', 'requirements.txt': 'small\nlarge\n' };
  const second = await at.prepare(environments, files, { version: '0.0.2' });
  expect(readFileSync(join(second.shared ?? '', module), 'utf8')).toBe('value = (\n');
  const identifier = at.identifier(files, '0.0.2');
  expect(await environments.examine(identifier)).toBe(`it was made of damaged wheels: ${module}`);
  const repaired = await at.prepare(environments, files, { version: '0.0.2' });
  expect(repaired.shared).not.toBe(second.shared);
  expect(run(repaired, 'import small; print(small.value)')).toBe('1');
  expect(await environments.examine(identifier)).toBeUndefined();
});

test('a wheel that is wrong about itself is fetched anew once, not at every failure', async () => {
  await index.close();
  index = await serveIndex([wheel('small', { wrongRecord: true })]);
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  expect(await environments.examine(at.identifier(SMALL))).toContain('small.py');
  expect((await at.prepare(environments, SMALL)).shared).toBe(first.shared);
  expect(await environments.examine(at.identifier(SMALL))).toBeUndefined();
  expect(run(first, 'import small; print(small.value)')).toBe('1');
});

test('amendments that have changed make another one, once', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const file = join(first.shared ?? '', 'dify/environment.json');
  const flag = join(first.directory, '.venv/dify/plugin.json');
  // An old SDK that lacks an amendment which could not be made.
  for (const path of [file, flag])
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), sdk: '0.7.4', amendments: 'old' }));
  rmSync(join(at.workingPath, '.environments/.known'), { recursive: true });
  expect((await at.prepare(environments, SMALL)).fresh).toBe(true);
  expect((await at.prepare(withoutUv(), SMALL)).fresh).toBe(false);
  expect(outcomes).toEqual(['new', 'same']);
});

test('two at once of one request install once', async () => {
  const [a, b] = [open(), open()];
  const both = await Promise.all([
    at.prepare(a, SMALL),
    at.prepare(b, { ...SMALL, 'x.txt': '' }, { version: '0.0.2' }),
  ]);
  expect(outcomes.sort()).toEqual(['known', 'new']);
  expect(new Set(both.map(({ shared }) => shared)).size).toBe(1);
  expect(readdirSync(join(at.workingPath, '.environments')).filter((name) => name.startsWith('.new-'))).toEqual([]);
});

test('killed in the middle: the next one finds nothing half-made, and the remains go', async () => {
  const script = `
    import { bench } from ${JSON.stringify(new URL('../testing.ts', import.meta.url).href)};
    const at = bench(${JSON.stringify(at.workingPath)});
    const uv = ${JSON.stringify(join(dirname(at.workingPath), 'slow-uv'))};
    const mirror = { url: ${JSON.stringify(`${index.url}/simple`)}, autoDetect: false, candidates: [], timeoutSeconds: 1 };
    await at.prepare(at.open({ uvPath: uv, share: true, readOnlyForPlugins: async () => true, mirror }), ${JSON.stringify(SMALL)});`;
  const child = join(dirname(at.workingPath), 'child');
  const fake = `#!/bin/sh\nif [ "$1" = venv ]; then exec "$4" -m venv --without-pip --symlinks "$2"; fi\necho $$ > ${JSON.stringify(child)}\nexec sleep 1000\n`;
  writeFileSync(join(dirname(at.workingPath), 'slow-uv'), fake);
  chmodSync(join(dirname(at.workingPath), 'slow-uv'), 0o755);
  const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await expect.poll(() => existsSync(child) && readFileSync(child, 'utf8') !== '', { timeout: 60_000 }).toBe(true);
  daemon.kill('SIGKILL');
  const folder = join(at.workingPath, '.environments');
  expect(readdirSync(folder).some((name) => name.startsWith('.new-'))).toBe(true);
  const prepared = await at.prepare(open(), SMALL);
  expect(outcomes).toEqual(['new']);
  expect(readdirSync(folder).filter((name) => name.startsWith('.new-'))).toEqual([]);
  expect(run(prepared, 'import small; print(small.value)')).toBe('1');
});

test('a disk that is full leaves nothing behind, and what was there serves on', async ({ skip }) => {
  const first = await at.prepare(open(), SMALL);
  const folder = join(at.workingPath, '.environments');
  const kept = `${folder}.kept`;
  renameSync(folder, kept);
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' });
  } catch {
    skip('mounting a small disk takes more rights than these tests have');
  }
  try {
    const large = { 'main.py': '', 'requirements.txt': 'large\nsmall\n' };
    await expect(at.prepare(open(), large)).rejects.toThrow(/No space left on device|ENOSPC/);
    expect(readdirSync(folder).filter((name) => name.startsWith('.new-'))).toEqual([]);
  } finally {
    // What still reads there lets go by itself; the mount must not stay for it.
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
    renameSync(kept, folder);
  }
  expect((await at.prepare(withoutUv(), SMALL)).fresh).toBe(false);
  expect(run(first, 'import small; print(small.value)')).toBe('1');
});

test('an interpreter that was exchanged serves on in the same minor version, and is replaced in another', async () => {
  const environments = open();
  const first = await at.prepare(environments, SMALL);
  const file = join(first.shared ?? '', 'dify/environment.json');
  const record = JSON.parse(readFileSync(file, 'utf8'));
  const change = (interpreter: object) => writeFileSync(file, JSON.stringify({ ...record, interpreter }));
  change({ ...record.interpreter, modified: 1, version: record.interpreter.version.replace(/\d+$/, '99') });
  expect((await at.prepare(environments, SMALL)).fresh).toBe(false);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(record);
  change({ ...record.interpreter, modified: 1, version: '3.5.1' });
  expect((await at.prepare(environments, SMALL)).fresh).toBe(true);
  change({ ...record.interpreter, path: '/nonexistent/python' });
  expect((await at.prepare(environments, SMALL)).fresh).toBe(true);
  expect(outcomes).toEqual(['new', 'repaired', 'repaired']);
});

test('collected by reference: listed, then removed, with what is known of it', async () => {
  const environments = open();
  const kept = await at.prepare(environments, SMALL);
  const gone = await at.prepare(environments, { 'main.py': '', 'requirements.txt': 'large\n' }, { version: '0.0.2' });
  const name = gone.shared?.slice(-32);
  const options = { keep: async () => [at.identifier(SMALL)], minimumAgeSeconds: 0 };
  expect((await environments.list()).map(({ plugins }) => plugins)).toEqual([1, 1]);
  const young = await environments.collectGarbage({ ...options, dryRun: true, minimumAgeSeconds: 3600 });
  expect(young.environments).toEqual([]);
  const listed = await environments.collectGarbage({ ...options, dryRun: true });
  expect(listed.environments).toEqual([{ name, bytes: expect.any(Number), removed: false }]);
  const remains = join(at.workingPath, '.environments/.new-00000000000000000000000000000000');
  mkdirSync(remains);
  utimesSync(remains, 1, 1);
  const removed = await environments.collectGarbage({ ...options, dryRun: false });
  expect(removed.environments).toEqual([{ ...listed.environments[0], removed: true }]);
  expect([gone.shared ?? '', remains].map((path) => existsSync(path))).toEqual([false, false]);
  expect(run(kept, 'import small; print(small.value)')).toBe('1');
  expect(stored()).toHaveLength(1);
});
