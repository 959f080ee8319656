import { expect, test } from 'vitest';
import {
  compileArguments,
  type DependencyFiles,
  type InstallFlags,
  planInstall,
  splitArguments,
} from './dependencies.ts';
import { classifyFailure, EnvironmentError, explainOutput, FAILURES } from './failures.ts';
import { installerEnvironment, interpreterEnvironment } from './installer-environment.ts';
import { requiresPythonAllows, wantedVersion } from './python-discovery.ts';
import { resolutionKey } from './resolution-store.ts';
import { UvProgress } from './uv-progress.ts';
import { workingDirectoryName } from './working-directory.ts';

const SUM = 'a'.repeat(64);

test('working directories are named as upstream names them', () => {
  expect(workingDirectoryName(`langgenius/openai:0.3.1@${SUM}`)).toBe(`langgenius/openai-0.3.1@${SUM}`);
  expect(workingDirectoryName(`plain:1.0.0-beta@${SUM}`)).toBe(`plain-1.0.0-beta@${SUM}`);
});

const none: DependencyFiles = {
  pyproject: false,
  requirements: false,
  lock: false,
  vendoredWheels: false,
  vendoredRequirements: false,
};
const quiet: InstallFlags = { mirrorUrl: undefined, ignoreLock: false, verbose: false, extraArgs: [] };
const plan = (files: Partial<DependencyFiles>, flags: Partial<InstallFlags> = {}) =>
  planInstall({ ...none, ...files }, { ...quiet, ...flags })?.args.join(' ');

test('the dependency file and the flags follow the rules of the contract', () => {
  expect(plan({})).toBeUndefined();
  expect(plan({ pyproject: true })).toBe('sync --no-dev');
  expect(plan({ pyproject: true, requirements: true, lock: true })).toBe('sync --no-dev --frozen');
  expect(plan({ pyproject: true, lock: true }, { ignoreLock: true })).toBe('sync --no-dev');
  expect(plan({ pyproject: true, lock: true }, { extraArgs: ['--frozen', '--offline'] })).toBe(
    'sync --no-dev --frozen --offline',
  );
  expect(plan({ pyproject: true }, { extraArgs: ['--frozen'], verbose: true })).toBe('sync --no-dev -v --frozen');
  expect(plan({ requirements: true }, { verbose: true, extraArgs: ['-U'] })).toBe(
    'pip install -r requirements.txt -v -U',
  );
  const mirrorUrl = 'http://mirror/simple';
  expect(plan({ pyproject: true, lock: true }, { mirrorUrl })).toBe(`sync --no-dev --frozen -i ${mirrorUrl}`);
  expect(plan({ pyproject: true, lock: true, requirements: true }, { mirrorUrl })).toBe(
    `pip install -i ${mirrorUrl} -r requirements.txt`,
  );
});

test('vendored wheels need no index, whatever else is configured', () => {
  const all = { pyproject: true, requirements: true, lock: true, vendoredWheels: true };
  expect(plan({ ...all, vendoredRequirements: true }, { mirrorUrl: 'http://m' })).toBe(
    'pip install --no-index --find-links vendor/wheels -r vendor/requirements.txt',
  );
  expect(plan(all)).toContain('-r requirements.txt');
  expect(plan({ pyproject: true, vendoredWheels: true })).toContain(
    '--no-index --find-links vendor/wheels -r pyproject.toml',
  );
  expect(plan({ vendoredWheels: true })).toBeUndefined();
});

test('exclusions of compileall are merged, the last one wins', () => {
  expect(compileArguments([])).toEqual(['-m', 'compileall', '-x', String.raw`\.venv|\.uv-cache`, '.']);
  expect(compileArguments(splitArguments(' -q -x  a  -j 2 -x b -x'))).toEqual([
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

test('the Python of the manifest is wanted from 3.11 on, requires-python is respected', () => {
  expect([undefined, '', '3.12', '3.13', '3.11.2', '3.9', '2.7', 'x'].map(wantedVersion)).toEqual([
    '3.12',
    '3.12',
    '3.12',
    '3.13',
    '3.11',
    '3.12',
    '3.12',
    '3.12',
  ]);
  const allowed = (clause: string) =>
    [10, 11, 12, 13, 14].filter((minor) => requiresPythonAllows(`requires-python = "${clause}"`, minor));
  expect(allowed('>=3.12')).toEqual([12, 13, 14]);
  expect(allowed('>=3.11,<3.13')).toEqual([11, 12]);
  expect(allowed('<3.13, >3.11')).toEqual([11, 12]);
  expect(allowed('==3.12.*')).toEqual([12]);
  expect(allowed('~=3.12.1')).toEqual([12]);
  expect(allowed('~=3.12')).toEqual([12, 13, 14]);
  expect(allowed('>=3.12.0,<=3.13')).toEqual([12, 13]);
  expect(allowed('no version')).toEqual([10, 11, 12, 13, 14]);
  expect(requiresPythonAllows('[project]\nname = "x"', 11)).toBe(true);
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
    UV_INDEX_NEXUS_USERNAME: 'u',
    UV_INDEX_NEXUS_PASSWORD: '',
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
  ['permission', 'error: failed to create directory `/x/.uv-cache`: Permission denied (os error 13)'],
  ['no-matching-wheel', '  × No solution found when resolving dependencies:\n  ╰─▶ Because a==1 has no wheels with a matching Python ABI tag (e.g., `cp312`) and you require a==1'],
  ['no-matching-wheel', "error: Distribution `a==1 @ registry` can't be installed because it doesn't have a source distribution or wheel for the current platform"],
  ['build-failed', '  × Failed to build `a==1`\n  ├─▶ The build backend returned an error\n  ╰─▶ Call to `setuptools.build_meta.build_wheel` failed (exit status: 1)\n      error: command \'/usr/bin/gcc\' failed'],
  ['wrong-python', "error: The requested interpreter resolved to Python 3.11.2, which is incompatible with the project's Python requirement: `>=3.12`"],
  ['wrong-python', '  × No solution found when resolving dependencies:\n  ╰─▶ Because the current Python version (3.12.1) does not satisfy Python>=3.13 and a==1 depends on Python>=3.13'],
  ['bad-requirement', '  × No solution found when resolving dependencies:\n  ╰─▶ Because there is no version of a==99 and you require a==99, we can conclude that your requirements are unsatisfiable.'],
  ['bad-requirement', '  ╰─▶ Because nothing-like-it was not found in the package registry and you require nothing-like-it'],
  ['bad-requirement', "error: Couldn't parse requirement in `requirements.txt` at position 0"],
  ['bad-lock', 'error: Failed to parse `uv.lock`\n  cause: TOML parse error at line 1, column 1'],
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
    'building b==2',
    'downloaded 2 packages',
    'installed 2 packages',
  ]);
});

test('only plain requirements are remembered, per circumstances', () => {
  const key = (text: string, ...circumstances: string[]) => resolutionKey(text, circumstances);
  expect(key('dify_plugin==0.9.0\n# comment\nrequests[socks] >=2,<3 ; python_version > "3.8"\n')).toMatch(
    /^[0-9a-f]{32}$/,
  );
  expect(key('b\na # x')).toBe(key('a\r\n\r\nb\n'));
  expect(key('a', '3.12')).not.toBe(key('a', '3.13'));
  for (const text of [
    '',
    '-e .',
    '-r other.txt',
    '--index-url http://x',
    'a @ http://x/a.whl',
    './a.whl',
    'git+https://x',
    'a==1 --hash=sha256:0',
    'a==1 \\\n',
  ]) {
    expect(key(text), text).toBeUndefined();
  }
});
