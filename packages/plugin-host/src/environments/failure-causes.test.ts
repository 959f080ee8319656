/** Each cause of a failed installation is its own class, on the real uv. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { EnvironmentError } from './failures.ts';
import type { PythonEnvironmentsOptions } from './options.ts';
import { type Bench, bench } from './testing.ts';
import { serve, serveIndex, sourceDistribution, type TestServer, wheel } from './testing-index.ts';

let at: Bench;
const servers: TestServer[] = [];
beforeEach(() => {
  at = bench();
});
afterEach(async () => {
  await at.close();
  for (const server of servers.splice(0)) await server.close();
});

async function opened(server: Promise<TestServer>): Promise<TestServer> {
  const made = await server;
  servers.push(made);
  return made;
}

type Files = Readonly<Record<string, string | Uint8Array>>;

async function failure(files: Files, options: Partial<PythonEnvironmentsOptions> = {}): Promise<EnvironmentError> {
  const environment = { ...process.env, UV_HTTP_RETRIES: '0', ...options.environment };
  try {
    await at.prepare(at.open({ ...options, environment }), { 'main.py': '', ...files });
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}

const mirror = (url: string) => ({ url, autoDetect: false, candidates: [], timeoutSeconds: 1 });
const requires = (...lines: string[]): Files => ({ 'requirements.txt': `${lines.join('\n')}\n` });
const PROJECT = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\n';
const proxied = (url: string) => ({ proxies: { http: url, https: url, no: undefined } });

test.each([
  ['index-wrong', 'says 404 to everything', 404, 'text/plain', ''],
  ['index-wrong', 'is a page to sign in', 200, 'text/html', '<html><body>Sign in</body></html>'],
  ['index-error', 'is another service', 200, 'application/json', '{}'],
  ['index-error', 'is broken', 500, 'text/plain', ''],
  ['index-refused', 'wants credentials', 401, 'text/plain', ''],
  ['index-refused', 'knows us and refuses', 403, 'text/plain', ''],
])('%s: a mirror that %s', async (kind, _, status, type, body) => {
  const server = await opened(
    serve((_request, response) => response.writeHead(status, { 'content-type': type }).end(body)),
  );
  const error = await failure(requires('idna>=3'), { mirror: mirror(`${server.url}/simple`) });
  expect(error.failure).toBe(kind);
  expect(error.wireMessage).toContain('PIP_MIRROR_URL');
  expect(error.wireMessage).not.toContain('author has to');
});

test('bad-requirement: an index that is one, without the distribution', async () => {
  expect((await failure(requires('nothing-like-it-at-all-xyz'))).failure).toBe('bad-requirement');
  expect((await failure(requires('idna==3.7', 'idna==3.6'))).failure).toBe('bad-requirement');
  expect((await failure(requires('idna!!3'))).failure).toBe('bad-requirement');
  expect((await failure({ 'pyproject.toml': 'not toml' })).failure).toBe('bad-requirement');
});

test('proxy: one that refuses, and one that is not there', async () => {
  const refusing = await opened(
    serve(
      (_request, response) => response.writeHead(407).end(),
      (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
    ),
  );
  const index = mirror('https://index.invalid/simple');
  expect((await failure(requires('idna'), { ...proxied(refusing.url), mirror: index })).failure).toBe('proxy');
  expect((await failure(requires('idna'), { ...proxied('http://127.0.0.1:1'), mirror: index })).failure).toBe('proxy');
});

test('tls: an index that speaks no TLS, or whose certificate nobody has signed', async () => {
  const plain = await opened(serve((_request, response) => response.end()));
  const url = plain.url.replace('http:', 'https:');
  const error = await failure(requires('idna'), { mirror: mirror(`${url}/simple`) });
  expect(error.failure).toBe('tls');
  expect(error.wireMessage).toContain('SSL_CERT_FILE');
});

test('git-dependency: a repository that cannot be reached; foreign-source: one that may not be asked', async () => {
  const files = requires('x @ git+http://127.0.0.1:1/x.git');
  const refused = await failure(files);
  expect(refused.failure).toBe('foreign-source');
  expect(refused.message).toContain('x @ git+http://127.0.0.1:1/x.git');
  expect(refused.wireMessage).toContain('PLUGIN_SOURCE_HOSTS');
  const error = await failure(files, { sourceHosts: ['127.0.0.1'] });
  expect(error.failure).toBe('git-dependency');
  expect(error.message).toMatch(/Could(?: not|n't)|Failed to connect/);
});

test('bad-lock: a lock file that is none, is of another time, or lost a part', async () => {
  const lock = (text: string): Files => ({ 'pyproject.toml': `${PROJECT}dependencies = []\n`, 'uv.lock': text });
  const root = '[[package]]\nname = "x"\nversion = "1"\nsource = { virtual = "." }\n';
  expect((await failure(lock('requires-python = ">=3.9'))).failure).toBe('bad-lock');
  expect((await failure(lock(`version = 99\n${root}`))).failure).toBe('bad-lock');
  expect((await failure(lock(`version = 1\n${root}`))).failure).toBe('bad-lock');
  const lost = `version = 1\nrequires-python = ">=3.11"\n${root}dependencies = [{ name = "gone" }]\n`;
  expect((await failure(lock(lost))).failure).toBe('bad-lock');
});

test('build-failed: a dependency whose build fails; build-refused: one that may not be built; the first is shown before', async () => {
  const index = await opened(
    serveIndex([sourceDistribution('compiled', 'raise SystemExit("no compiler: connection refused")')]),
  );
  const options = { mirror: mirror(`${index.url}/simple`) };
  const failed = await failure(requires('compiled'), options);
  expect(failed.failure).toBe('build-failed');
  expect(failed.message).toContain('no compiler');
  expect(at.progress).toContain('compiled has to be built from source');
  expect(at.logged).toContainEqual(
    expect.objectContaining({ level: 'warn', fields: expect.objectContaining({ dependencies: ['compiled'] }) }),
  );
  const refused = await failure(requires('compiled'), { ...options, sourceBuilds: 'refuse' });
  expect(refused.failure).toBe('build-refused');
  expect(refused.message).toContain('compiled');
  const secret = { environment: { UV_INDEX: `x=${index.url}/simple`, UV_INDEX_X_PASSWORD: 'secret' } };
  expect((await failure(requires('compiled'), { ...options, ...secret })).failure).toBe('build-refused');
});

test('no-matching-wheel: nothing for this machine; python-conflict: nothing for any Python that is here', async () => {
  const index = await opened(
    serveIndex([wheel('elsewhere', { tag: 'py3-none-win32' }), wheel('later', { requiresPython: '>=3.99' })]),
  );
  const options = { mirror: mirror(`${index.url}/simple`) };
  expect((await failure(requires('elsewhere'), options)).failure).toBe('no-matching-wheel');
  const error = await failure(requires('later'), options);
  expect(error.failure).toBe('python-conflict');
  expect(error.message).toContain('3.99');
});

test('hash-mismatch: another file than the one that is named', async () => {
  const index = await opened(serveIndex([wheel('known')]));
  const line = `known==1.0 --hash=sha256:${'0'.repeat(64)}`;
  const error = await failure(requires(line), { mirror: mirror(`${index.url}/simple`) });
  expect(error.failure).toBe('hash-mismatch');
});

test('own-build and unreadable-dependencies: nothing of a package is run to find out what it needs', async () => {
  const setup = 'open("/tmp/never-written-by-a-setup", "w").close()\nraise SystemExit(1)\n';
  const own = await failure({ 'requirements.txt': './lib\n', 'lib/setup.py': setup });
  expect(own.failure).toBe('own-build');
  const build = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n';
  const dynamic = { 'pyproject.toml': `${PROJECT}dynamic = ["dependencies"]\n${build}`, 'backend.py': setup };
  expect((await failure(dynamic)).failure).toBe('unreadable-dependencies');
  expect(existsSync('/tmp/never-written-by-a-setup')).toBe(false);
});

test('sdk-missing: a plugin that starts with the SDK and names it nowhere', async () => {
  const main = { 'main.py': 'from dify_plugin import Plugin\n' };
  const error = await failure({ ...main, 'pyproject.toml': '[tool.ruff]\n' });
  expect(error.failure).toBe('sdk-missing');
  expect(error.message).toContain('pyproject.toml');
  expect((await failure({ ...main, 'requirements.txt': '# none\n' })).failure).toBe('sdk-missing');
});

test('index-unreachable: nobody at the address, or no such name', async () => {
  for (const url of ['http://127.0.0.1:1/simple', 'http://no-such-host.invalid/simple'])
    expect((await failure(requires('idna'), { mirror: mirror(url) })).failure).toBe('index-unreachable');
});

/** A file system of 300 KiB. */
const small = mkdtempSync(join(tmpdir(), 'small-'));
afterAll(() => rmSync(small, { recursive: true }));
let mounted = false;
try {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'none', small], { stdio: 'ignore' });
  mounted = true;
  execFileSync('umount', [small], { stdio: 'ignore' });
} catch {
  // only root may mount, and not everywhere
}

test.skipIf(!mounted)('disk-full: in the cache, and where uv itself would be put', async () => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300k', 'none', small]);
  try {
    const cache = await failure(requires('idna'), { cacheDirectory: join(small, 'cache') });
    expect(cache.failure).toBe('disk-full');
    rmSync(join(small, 'cache'), { recursive: true, force: true });
    const tools = await failure(requires('idna'), {
      toolsDirectory: join(small, 'tools'),
      environment: { PATH: '/usr/bin:/bin' },
    });
    expect(tools.failure).toBe('disk-full');
  } finally {
    execFileSync('umount', ['-l', small]);
  }
});

test('proxy: the one that keeps uv itself from being fetched', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tools-'));
  try {
    const environment = { PATH: '/usr/bin:/bin', UV_DEFAULT_INDEX: 'https://index.invalid/simple' };
    const refusing = await opened(
      serve(
        (_request, response) => response.writeHead(407).end(),
        (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'),
      ),
    );
    const error = await failure(requires('idna'), { ...proxied(refusing.url), toolsDirectory: root, environment });
    expect(error.failure).toBe('proxy');
    expect(error.message).toContain('failed to find uv path');
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

test('uv-missing: UV_PATH that names a folder, or a file that is no program', async () => {
  const folder = await failure(requires('idna'), { uvPath: dirname(at.workingPath) });
  expect(folder.failure).toBe('uv-missing');
  expect(folder.message).toContain('UV_PATH');
});

test('an installer that writes without end is ended, and neither memory nor disk keeps it', async () => {
  const uv = join(dirname(at.workingPath), 'endless-uv');
  writeFileSync(
    uv,
    `#!/bin/sh\nif [ "$1" = venv ]; then exec "$4" -m venv --without-pip --symlinks "$2"; fi\nexec tr '\\\\0' x < /dev/zero >&2\n`,
    { mode: 0o755 },
  );
  const error = await failure(requires('idna'), { uvPath: uv });
  expect(error.failure).toBe('output');
  expect(statSync(error.logFile ?? '').size).toBeLessThan(5 * 1024 * 1024);
  writeFileSync(
    uv,
    `#!/bin/sh\nif [ "$1" = venv ]; then exec "$4" -m venv --without-pip --symlinks "$2"; fi\nyes error: >&2\n`,
    { mode: 0o755 },
  );
  const lines = await failure(requires('idna'), { uvPath: uv });
  expect(lines.failure).toBe('output');
  expect(statSync(lines.logFile ?? '').size).toBeLessThan(5 * 1024 * 1024);
  expect(readFileSync(lines.logFile ?? '', 'utf8')).toContain('the rest of the output is left out');
});

test('a flat layout with a build system installs: the project itself is not built', async () => {
  const index = await opened(serveIndex([wheel('small')]));
  const files = {
    'main.py': '',
    'pyproject.toml': `${PROJECT}dependencies = ["small"]\n[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n`,
    'one/__init__.py': '',
    'two/__init__.py': '',
    'src/inside.py': 'value = 7\n',
  };
  const prepared = await at.prepare(at.open({ mirror: mirror(`${index.url}/simple`) }), files);
  const code = 'import small, inside; print(small.value + inside.value)';
  expect(execFileSync(prepared.python, ['-I', '-c', code], { encoding: 'utf8' }).trim()).toBe('8');
  expect(existsSync(join(prepared.directory, 'build'))).toBe(false);
  mkdirSync(join(prepared.directory, 'data'));
});
