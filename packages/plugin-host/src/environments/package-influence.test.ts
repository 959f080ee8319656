/** What a package can bring about while it is installed, on the real uv: nothing but the installation. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { BuildCage, BuildCageRequest, PythonEnvironmentsOptions } from './options.ts';
import { type Bench, bench } from './testing.ts';
import { serveIndex, sourceDistribution, type TestServer, wheel } from './testing-index.ts';

let at: Bench;
let own: string;
const servers: TestServer[] = [];
beforeEach(() => {
  at = bench();
  own = mkdtempSync(join(tmpdir(), 'influence-'));
});
afterEach(async () => {
  await at.close();
  rmSync(own, { recursive: true, force: true });
  for (const server of servers.splice(0)) await server.close();
});

async function index(...distributions: Parameters<typeof serveIndex>[0][number][]): Promise<TestServer> {
  const made = await serveIndex(distributions);
  servers.push(made);
  return made;
}

const open = (mirror: TestServer, more: Partial<PythonEnvironmentsOptions> = {}) =>
  at.open({ mirror: { url: `${mirror.url}/simple`, autoDetect: false, candidates: [], timeoutSeconds: 1 }, ...more });
const PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n';

test('indexes, settings and passwords: a package’s own are not asked, and get nothing', async () => {
  const small = wheel('small');
  const digest = createHash('sha256').update(small.bytes).digest('hex');
  const mine = await index(small);
  const evil = await index(wheel('small', { files: { 'small.py': 'value = "evil"\n' } }));
  const environment = { ...process.env, UV_INDEX_NEXUS_USERNAME: 'user', UV_INDEX_NEXUS_PASSWORD: 'secret' };
  const environments = open(mine, { environment });
  const settings = `index-url = "${evil.url}/simple"\n[[index]]\nname = "nexus"\nurl = "${evil.url}/simple"\ndefault = true\n`;
  const packages = [
    {
      'pyproject.toml': `${PROJECT}dependencies = ["small"]\n[tool.uv]\nextra-index-url = ["${evil.url}/simple"]\n[[tool.uv.index]]\nname = "nexus"\nurl = "${evil.url}/simple"\ndefault = true\n[tool.uv.sources]\nsmall = { index = "nexus" }\n`,
    },
    {
      'requirements.txt': `-i ${evil.url}/simple\n--extra-index-url ${evil.url}/simple\n--find-links ${evil.url}/simple/small/\nsmall\n`,
    },
    {
      'requirements.txt': 'small\n',
      'uv.toml': settings,
      'pyproject.toml': '',
      '.env': `UV_INDEX_URL=${evil.url}/simple\n`,
    },
    {
      'pyproject.toml': `${PROJECT}dependencies = ["small"]\n`,
      'uv.lock': `version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "small"\nversion = "1.0"\nsource = { registry = "${evil.url}/simple" }\nwheels = [{ url = "${evil.url}/files/small-1.0-py3-none-any.whl", hash = "sha256:${digest}" }]\n[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "small" }]\n[package.metadata]\nrequires-dist = [{ name = "small" }]\n`,
    },
  ];
  for (const files of packages) {
    const prepared = await at.prepare(environments, { 'main.py': '', ...files });
    const code = 'import small; print(small.value)';
    expect(execFileSync(prepared.python, ['-I', '-c', code], { encoding: 'utf8' }).trim()).toBe('1');
  }
  expect(evil.asked).toEqual([]);
  expect(mine.asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

test('credentials go to the index that the operator has named so', async () => {
  const guarded = await serveIndex([wheel('small')], 'secret');
  servers.push(guarded);
  const environment = {
    ...process.env,
    UV_DEFAULT_INDEX: `nexus=${guarded.url}/simple`,
    UV_INDEX_NEXUS_USERNAME: 'user',
    UV_INDEX_NEXUS_PASSWORD: 'secret',
  };
  const prepared = await at.prepare(at.open({ environment }), { 'main.py': '', 'requirements.txt': 'small\n' });
  expect(existsSync(prepared.python)).toBe(true);
});

test('a build of a dependency sees no secret of the daemon, and is named', async () => {
  const said = join(own, 'said');
  const mine = await index(
    sourceDistribution('compiled', `open(${JSON.stringify(said)}, "w").write(repr(dict(os.environ)))`),
  );
  const environment = { ...process.env, SERVER_KEY: 'hidden-1', DB_PASSWORD: 'hidden-2', UV_PUBLISH_TOKEN: 'hidden-3' };
  const environments = open(mine, { environment });
  await at.prepare(environments, { 'main.py': '', 'requirements.txt': 'compiled\n' });
  expect(readFileSync(said, 'utf8')).not.toContain('hidden');
  expect(readFileSync(said, 'utf8')).toContain('PATH');
  expect(at.progress).toContain('compiled has to be built from source');
});

test('a build runs in its cage, with a cache of its own; what needs none runs outside', async () => {
  const mine = await index(sourceDistribution('compiled', 'pass'), wheel('small'));
  const entered: BuildCageRequest[] = [];
  let left = 0;
  const buildCage: BuildCage = async (request) => {
    entered.push(request);
    return { spec: { ...request.spec, env: { ...request.spec.env, CAGED: '1' } }, leave: async () => void left++ };
  };
  const environments = open(mine, { buildCage });
  await at.prepare(environments, { 'main.py': '', 'requirements.txt': 'small\n' });
  expect(entered).toEqual([]);
  const prepared = await at.prepare(environments, { 'main.py': '', 'requirements.txt': 'compiled\nsmall\n' });
  expect(entered).toHaveLength(1);
  expect(left).toBe(1);
  const [request] = entered;
  expect(request?.directory).toBe(prepared.directory);
  expect(request?.writable).toEqual([expect.stringContaining('.build')]);
  expect(request?.spec.env.UV_CACHE_DIR).toContain('.build');
  expect(execFileSync(prepared.python, ['-I', '-c', 'import compiled, small'], { encoding: 'utf8' })).toBe('');
});

test('nothing of the package runs: no module in the place of one of Python’s, no setup, no start-up file', async () => {
  const mine = await index(wheel('small'));
  const ran = join(own, 'ran');
  const trap = `open(${JSON.stringify(ran)}, "a").write(__name__ + "\\n")\nimport sys\nsys.exit(3)\n`;
  const names = [
    'compileall.py',
    'sitecustomize.py',
    'usercustomize.py',
    'encodings/__init__.py',
    'setup.py',
    'importlib/__init__.py',
    'hashlib.py',
    'site.py',
    'marshal.py',
  ];
  const files = Object.fromEntries(names.map((name) => [name, trap]));
  const environments = open(mine, { readOnlyForPlugins: async () => true, harvestAfterMs: 0 });
  const prepared = await at.prepare(environments, {
    ...files,
    'main.py': 'value = 1\n',
    'pyproject.toml': `${PROJECT}dependencies = ["small"]\n[build-system]\nrequires = []\nbuild-backend = "setup"\nbackend-path = ["."]\n`,
  });
  expect(readdirSync(join(prepared.directory, '__pycache__')).some((name) => name.startsWith('main.'))).toBe(true);
  await expect.poll(() => existsSync(join(at.workingPath, '.bytecode'))).toBe(true);
  expect(existsSync(ran)).toBe(false);
});

test('a wheel of the package is installed, and its start-up lines run in no process of ours', async () => {
  const ran = join(own, 'ran');
  const line = `import os; open(${JSON.stringify(ran)}, "w").close()\n`;
  const carried = wheel('carried', { files: { 'carried.py': 'value = 3\n', 'carried.pth': line } });
  const environments = at.open({ harvestAfterMs: 0, readOnlyForPlugins: async () => true });
  const files = {
    'main.py': '',
    'requirements.txt': `./libs/${carried.file}\n`,
    [`libs/${carried.file}`]: carried.bytes,
  };
  const prepared = await at.prepare(environments, files);
  await expect.poll(() => existsSync(join(at.workingPath, '.bytecode'))).toBe(true);
  expect(existsSync(ran)).toBe(false);
  execFileSync(prepared.python, ['-c', 'import carried']);
  expect(existsSync(ran)).toBe(true);
});

test('environments share no file that a plugin could write to', async () => {
  const mine = await index(wheel('small'));
  const files = { 'main.py': '', 'requirements.txt': 'small\n' };
  const links = async (options: Partial<PythonEnvironmentsOptions>, version: string) => {
    const prepared = await at.prepare(open(mine, options), files, { version });
    const library = join(prepared.directory, '.venv/lib');
    return statSync(join(library, readdirSync(library)[0] ?? '', 'site-packages/small.py')).nlink;
  };
  expect(await links({}, '0.0.1')).toBe(1);
  expect(await links({ environment: { ...process.env, UV_LINK_MODE: 'hardlink' } }, '0.0.2')).toBe(1);
  expect(await links({ readOnlyForPlugins: async () => true }, '0.0.3')).toBeGreaterThan(1);
});

test('UV_CACHE_DIR is where uv keeps its files', async () => {
  const mine = await index(wheel('small'));
  const cacheDirectory = join(own, 'cache');
  await at.prepare(open(mine, { cacheDirectory }), { 'main.py': '', 'requirements.txt': 'small\n' });
  expect(readdirSync(cacheDirectory).length).toBeGreaterThan(0);
  expect(existsSync(join(at.workingPath, '.uv-cache'))).toBe(false);
});

/** Minor versions, from 3.11 on, of those on PATH and of pyenv's. */
function pythonsHere(): ReadonlySet<number> {
  const known = [11, 12, 13, 14];
  const runs = (python: string, minor: number) => {
    const ran = spawnSync(python, ['-c', 'import sys; print(sys.version_info[1])'], { encoding: 'utf8' });
    return ran.status === 0 && Number(ran.stdout) === minor;
  };
  const pyenv = process.env.PYENV_ROOT ?? join(homedir(), '.pyenv');
  return new Set(
    known.filter((minor) =>
      ['python3', `python3.${minor}`, ...globSync(join(pyenv, `versions/3.${minor}.*/bin/python3`))].some((python) =>
        runs(python, minor),
      ),
    ),
  );
}

test('the Python of the manifest yields to what the dependencies need', async ({ skip }) => {
  const minors = pythonsHere();
  if (!minors.has(11) || minors.size < 2) skip('needs Python 3.11 and a newer one');
  const mine = await index(wheel('modern', { requiresPython: '>=3.12' }), wheel('small'));
  const files = { 'main.py': '', 'requirements.txt': 'modern\n' };
  const runner = { language: 'python', version: '3.11' };
  const prepared = await at.prepare(open(mine), files, { runner });
  const version = 'import sys; print(sys.version_info >= (3, 12))';
  expect(execFileSync(prepared.python, ['-c', version], { encoding: 'utf8' }).trim()).toBe('True');
  expect(at.logged).toContainEqual(
    expect.objectContaining({ message: 'the dependencies of a plugin need another Python; trying the next one' }),
  );
  const kept = await at.prepare(open(mine), { 'main.py': '', 'requirements.txt': 'small\n' }, { runner });
  expect(execFileSync(kept.python, ['-c', version], { encoding: 'utf8' }).trim()).toBe('False');
});
