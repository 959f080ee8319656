import { expect, test } from 'vitest';
import { compileArguments } from './compile-arguments.ts';
import { extraArguments, splitArguments } from './extra-arguments.ts';
import { classifyFailure, EnvironmentError, explainOutput, FAILURES } from './failures.ts';
import { installerEnvironment, interpreterEnvironment } from './installer-environment.ts';
import { MAX_LINE_CHARACTERS, OutputLines } from './output-lines.ts';
import { wantedVersion } from './python-discovery.ts';
import { resolutionKey } from './resolution-store.ts';
import { UvProgress } from './uv-progress.ts';
import { workingDirectoryName } from './working-directory.ts';

const SUM = 'a'.repeat(64);

test('exclusions of compileall are merged, the last one wins; it runs isolated from the package', () => {
  expect(compileArguments([])).toEqual(['-I', '-m', 'compileall', '-x', String.raw`\.venv|\.uv-cache`, '.']);
  expect(compileArguments(splitArguments(' -q -x  a  -j 2 -x b -x'))).toEqual([
    '-I',
    '-m',
    'compileall',
    '-q',
    '-j',
    '2',
    '-x',
    '-x',
    String.raw`\.venv|\.uv-cache|b`,
    '.',
  ]);
});

test('further arguments go where they are understood', () => {
  expect(extraArguments('--frozen --index-strategy first-index --extra x --group=y --no-dev -U')).toEqual({
    install: ['--index-strategy', 'first-index', '-U'],
    lock: ['--extra', 'x', '--group=y'],
  });
});

test('the Python of the manifest is wanted from 3.11 on', () => {
  const wishes = [undefined, '', '3.12', '3.13', '3.11.2', '3.9', '2.7', 'x', `3.${'1'.repeat(9999)}`];
  expect(wishes.map(wantedVersion)).toEqual(['3.12', '3.12', '3.12', '3.13', '3.11', '3.12', '3.12', '3.12', '3.12']);
});

test('working directories are named as upstream names them', () => {
  expect(workingDirectoryName(`langgenius/openai:0.3.1@${SUM}`)).toBe(`langgenius/openai-0.3.1@${SUM}`);
  expect(workingDirectoryName(`plain:1.0.0-beta@${SUM}`)).toBe(`plain-1.0.0-beta@${SUM}`);
});

test('what uv gets is the closed set of the contract and the ways to an index, never a secret of the daemon', () => {
  const source = {
    PATH: '/bin',
    HOME: '/root',
    SERVER_KEY: 's',
    DB_PASSWORD: 's',
    AWS_SECRET_KEY: 's',
    UV_PATH: '/uv',
    UV_PYTHON: '3.9',
    UV_PROJECT_ENVIRONMENT: '/x',
    UV_CACHE_DIR: '/c',
    VIRTUAL_ENV: '/v',
    UV_INDEX_NEXUS_USERNAME: 'u',
    UV_INDEX_NEXUS_PASSWORD: '',
    SSL_CERT_FILE: '/ca',
    REQUESTS_CA_BUNDLE: '/ca2',
    UV_DEFAULT_INDEX: 'http://index',
    UV_INDEX_URL: '',
    PIP_INDEX_URL: 'http://pip',
    UV_HTTP_TIMEOUT: '9',
    http_proxy: 'http://ambient',
  };
  const env = installerEnvironment(source, {
    proxies: { http: 'http://p', https: undefined, no: '' },
    cacheDirectory: '/w/.uv-cache',
    environment: '/w/x/.venv',
  });
  expect(env).toEqual({
    PATH: '/bin',
    SSL_CERT_FILE: '/ca',
    REQUESTS_CA_BUNDLE: '/ca2',
    UV_DEFAULT_INDEX: 'http://index',
    UV_HTTP_TIMEOUT: '9',
    HTTP_PROXY: 'http://p',
    VIRTUAL_ENV: '/w/x/.venv',
    UV_CACHE_DIR: '/w/.uv-cache',
    UV_PYTHON_DOWNLOADS: 'never',
    UV_NO_PROGRESS: '1',
  });
  // Credentials go with an index that the operator has given that name, and with no other.
  const options = { proxies: { http: undefined, https: undefined, no: undefined }, cacheDirectory: '/c' };
  const named = { ...source, UV_INDEX: 'x=http://x nexus=http://n', UV_INDEX_OTHER_PASSWORD: 's' };
  expect(installerEnvironment(named, options)).toMatchObject({
    UV_INDEX_NEXUS_USERNAME: 'u',
    UV_INDEX_NEXUS_PASSWORD: '',
  });
  expect(installerEnvironment(named, options)).not.toHaveProperty('UV_INDEX_OTHER_PASSWORD');
  expect(interpreterEnvironment(source)).toEqual({ PATH: '/bin', PYTHONUTF8: '1' });
});

/** What uv really wrote, shortened. */
const OUTPUTS: readonly [kind: string, output: string][] = [
  ['index-unreachable', 'error: Request failed after 3 retries in 4.4s\n  cause: Failed to fetch: `http://127.0.0.1:9/simple/x/`\n  cause: error sending request for url\n  cause: client error (Connect)\n  cause: tcp connect error\n  cause: Connection refused (os error 111)'],
  ['index-unreachable', '  cause: dns error\n  cause: failed to lookup address information: Name or service not known'],
  ['tls', 'error: Failed to fetch: `https://x/simple/`\n  cause: error sending request for url\n  cause: client error (Connect)\n  cause: invalid peer certificate: UnknownIssuer'],
  ['proxy', 'error: Failed to fetch: `https://x/`\n  cause: error sending request for url\n  cause: client error (Connect)\n  cause: tunnel error: proxy authorization required\n  407 Proxy Authentication Required'],
  ['index-refused', 'error: Failed to fetch: `https://x/simple/a/`\n  cause: HTTP status client error (401 Unauthorized) for url'],
  ['hash-mismatch', '  × Failed to download `a==1`\n  ╰─▶ Hash mismatch for `a==1`\n      Expected:\n        sha256:00\n      Computed:\n        sha256:11'],
  ['disk-full', '  × Failed to download `a==1`\n  ├─▶ Failed to extract archive\n  ╰─▶ No space left on device (os error 28)'],
  ['too-many-files', 'error: Failed to download `idna==3.20`\n  cause: failed to read directory `/x/.uv-cache/.tmp67H2Pa`: Too many open files (os error 24)'],
  ['permission', 'error: failed to create directory `/x/.uv-cache`: Permission denied (os error 13)'],
  ['python-conflict', '  × No solution found when resolving dependencies:\n  ╰─▶ Because a==1 has no wheels with a matching Python ABI tag (e.g., `cp312`) and you require a==1'],
  ['no-matching-wheel', "error: Distribution `a==1 @ registry` can't be installed because it doesn't have a source distribution or wheel for the current platform"],
  ['build-failed', '  × Failed to build `a==1`\n  ├─▶ The build backend returned an error\n  ╰─▶ Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)\n      error: command \'/usr/bin/gcc\' failed'],
  ['python-conflict', "error: The requested interpreter resolved to Python 3.11.2, which is incompatible with the project's Python requirement: `>=3.12`"],
  ['python-conflict', '  × No solution found when resolving dependencies:\n  ╰─▶ Because the current Python version (3.12.1) does not satisfy Python>=3.13 and a==1 depends on Python>=3.13'],
  ['bad-requirement', '  × No solution found when resolving dependencies:\n  ╰─▶ Because there is no version of a==99 and you require a==99, we can conclude that your requirements are unsatisfiable.'],
  ['bad-requirement', '  ╰─▶ Because nothing-like-it was not found in the package registry and you require nothing-like-it'],
  ['bad-requirement', "error: Couldn't parse requirement in `requirements.txt` at position 0"],
  ['bad-lock', 'error: Failed to parse `uv.lock`\n  cause: TOML parse error at line 1, column 1'],
  ['no-matching-wheel', "error: No solution found\n  cause: Because a==1 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`)"],
  ['git-dependency', 'error: Failed to download and build `x @ git+https://h/x.git`\n  cause: Git operation failed\n  cause: failed to clone into: /c\n fatal: Could not resolve host: h'],
  ['build-failed', 'error: The build backend returned an error\n  cause: exit status 1\n  [stderr]\n  PermissionError: [Errno 13] Permission denied: connection refused'],
  ['index-error', 'error: Unsupported `Content-Type` "application/json" for `http://x/simple/a/`. Expected JSON or HTML.'],
  ['index-error', 'error: Failed to fetch: http://x/simple/a/\n  cause: HTTP status server error (500 Internal Server Error) for url (http://x/simple/a/)'],
  ['proxy', 'error: Failed to fetch: https://x/\n  cause: tunnel error: failed to create underlying connection\n  cause: Connection refused (os error 111)'],
  ['bad-lock', 'error: Failed to parse `uv.lock`, which uses an unsupported schema version (v99, but only v1 is supported).\n  cause: missing field `requires-python`'],
  ['bad-lock', 'error: The lockfile at `uv.lock` needs to be updated, but `--frozen` was provided: Missing workspace member `x`.'],
  ['build-refused', 'error: No solution found\n  cause: Because all versions of a have no usable wheels\n\nhint: Wheels are required for `a` because building from source is disabled for all packages'],
  ['unknown', 'error: something new'],
]; // biome-ignore format: long lines are data

test.each(OUTPUTS)('%s is recognised', (kind, output) => {
  expect(classifyFailure(output)).toBe(kind);
});

test('every kind of failure has a cause and a remedy, and an error carries both with the log', () => {
  for (const row of FAILURES) {
    expect(row.cause.length).toBeGreaterThan(10);
    expect(row.remedy.length).toBeGreaterThan(10);
    const error = new EnvironmentError(row.kind, 'failed to install dependencies: x', { logFile: '/w/log' });
    expect(error.message).toBe(
      `failed to install dependencies: x\n${row.cause} (full log: /w/log)\nfailed to init environment`,
    );
    expect(error.wireMessage.endsWith(row.remedy)).toBe(true);
  }
});

test('the explanation of a failure leaves out the chatter', () => {
  expect(explainOutput('DEBUG x\nTRACE y\nResolved 3 packages in 1ms\n + a==1\nerror: broken\n  cause: this\n')).toBe(
    'error: broken\n  cause: this',
  );
  expect(explainOutput('DEBUG only\n')).toBe('DEBUG only');
  expect(explainOutput(`error: ${'x'.repeat(9000)}`).length).toBeLessThan(4100);
});

test('progress names the step, counts downloads and repeats nothing', () => {
  const seen: string[] = [];
  const progress = new UvProgress((text) => seen.push(text));
  for (const line of [
    'DEBUG uv 0.13.9',
    'DEBUG Solving with installed Python version: 3.12.1',
    'DEBUG Adding direct dependency: a>=1',
    'Resolved 3 packages in 9ms',
    'DEBUG Identified uncached distribution: a==1',
    'DEBUG Identified uncached distribution: b==2',
    'DEBUG Sending fresh GET request for: https://files/x/a-1-py3-none-any.whl',
    'DEBUG Sending fresh GET request for: https://files/x/b-2.tar.gz',
    'Downloading b (2.0MiB)',
    '   Building b==2',
    'Prepared 2 packages in 1s',
    'Installed 2 packages in 3ms',
  ])
    progress.line(line);
  expect(seen).toEqual([
    'resolving dependencies',
    'resolved 3 packages',
    'downloading 1/2 (a)',
    'downloading 2/2 (b)',
    'downloading 2/2 (b, 2.0MiB)',
    'building b==2 from source',
    'downloaded 2 packages',
    'installed 2 packages',
  ]);
});

test('only plain requirements are remembered, per circumstances, and closures with their hashes', () => {
  const key = (text: string, ...circumstances: string[]) => resolutionKey(text, circumstances);
  expect(key('dify_plugin==0.9.0\nrequests[socks] >=2,<3 ; python_version > "3.8"\n')).toMatch(/^[0-9a-f]{32}$/);
  expect(key('b\na')).toBe(key('a\n\nb\n'));
  expect(key('a', '3.12')).not.toBe(key('a', '3.13'));
  const closure = `a==1 --hash=sha256:${SUM}`;
  expect(resolutionKey(closure, [], true)).toMatch(/^[0-9a-f]{32}$/);
  for (const text of ['', '-e .', '--index-url http://x', 'a @ http://x/a.whl', './a.whl', 'git+https://x', closure]) {
    expect(key(text), text).toBeUndefined();
  }
  expect(key(`a${' '.repeat(500_000)}@`)).toBeUndefined();
});

test('the output of a command is kept by lines, in bounded memory', () => {
  const output = new OutputLines();
  expect(output.push(Buffer.from('one\ntw'))).toEqual(['one']);
  expect(output.push(Buffer.from('o \r\n\n'))).toEqual(['two', '']);
  const endless = Buffer.alloc(1024 * 1024, 'x');
  for (let n = 0; n < 50; n++) expect(output.push(endless)).toEqual([]);
  const [cut = ''] = output.push(Buffer.from('\nnext\n'));
  expect(cut.length).toBeLessThan(MAX_LINE_CHARACTERS + 50);
  expect(cut.endsWith('(line cut)')).toBe(true);
  for (let n = 0; n < 50; n++) output.push(Buffer.from('y\n'.repeat(30_000)));
  expect(output.push(Buffer.from('last'))).toEqual([]);
  expect(output.tail.length).toBeLessThanOrEqual(64 * 1024);
  expect(output.tail.endsWith('y\nlast')).toBe(true);
  expect(output.end()).toBe('last');
});

test('what is said about a failure keeps its first line, its last ones, its cause and its remedy', () => {
  const output = `error: first\n${'noise\n'.repeat(2000)}the reason`;
  const logFile = `/data/cwd/author/${'n'.repeat(120)}/.environment.log`;
  const { wireMessage } = new EnvironmentError('build-failed', 'failed: exit status 1, output: ', { output, logFile });
  expect(Buffer.byteLength(`failed to launch plugin: ${wireMessage}`)).toBeLessThanOrEqual(1024);
  for (const part of ['error: first', 'the reason', logFile, 'its build failed', 'build-essential'])
    expect(wireMessage).toContain(part);
});
