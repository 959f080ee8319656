/** The checks of `dify doctor`: each looks at one thing and says what to do when it is not well. */
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { EnvHttpProxyAgent, request } from 'undici';
import { cacheDirectory } from '../files/cache.ts';
import { findUv, runTool } from '../plugin/requirements-export.ts';
import { keptEnvironments } from '../run/environment-cache.ts';
import { isRecord } from '../run/plugin-host.ts';

export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface CheckResult {
  name: string;
  verdict: Verdict;
  detail: string;
  remedy?: string;
}

export interface CheckContext {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  offline: boolean;
  url: string | undefined;
  key: string | undefined;
}

type Check = (context: CheckContext) => Promise<Omit<CheckResult, 'name'>>;

const MIN_FREE = 1024 ** 3;
const REACH_MS = 10_000;

async function node(): Promise<Omit<CheckResult, 'name'>> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const fine = major > 22 || (major === 22 && minor >= 19);
  return fine
    ? { verdict: 'ok', detail: `Node ${process.versions.node}` }
    : { verdict: 'failed', detail: `Node ${process.versions.node} is too old`, remedy: 'install Node 22.19 or newer' };
}

async function uv({ env, signal }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const path = findUv(env);
  if (path === undefined) {
    const named = env.UV_PATH;
    return {
      verdict: 'warning',
      detail:
        named === undefined || named === ''
          ? 'uv is not on PATH; it is fetched from the package index when it is needed'
          : `UV_PATH names ${named}, which does not exist`,
      remedy: 'install it: pip install uv, or correct UV_PATH; packaging plugins with uv.lock needs it',
    };
  }
  const result = await runTool(path, ['--version'], { cwd: tmpdir(), env, signal }).catch(() => undefined);
  return result?.code === 0
    ? { verdict: 'ok', detail: `${result.stdout.toString().trim()} at ${path}` }
    : { verdict: 'failed', detail: `${path} does not run`, remedy: 'install uv again: pip install uv' };
}

async function python({ env, signal }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const home = env.HOME ?? env.USERPROFILE ?? homedir();
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const names = process.platform === 'win32' ? ['python.exe'] : ['python3.12', 'python3.13', 'python3', 'python'];
  const versions = join(env.PYENV_ROOT ?? join(home, '.pyenv'), 'versions');
  const { readdir } = await import('node:fs/promises');
  const managed = await readdir(versions).catch(() => []);
  const candidates = [
    ...(env.PYTHON_INTERPRETER_PATH === undefined || env.PYTHON_INTERPRETER_PATH === ''
      ? []
      : [env.PYTHON_INTERPRETER_PATH]),
    ...names.flatMap((name) => folders.map((folder) => join(folder, name))),
    ...managed.map((version) => join(versions, version, 'bin', 'python')),
  ];
  let best = '';
  for (const candidate of candidates) {
    if (
      !(await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      ))
    )
      continue;
    const result = await runTool(candidate, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], {
      cwd: tmpdir(),
      env,
      signal,
    }).catch(() => undefined);
    const version = result?.code === 0 ? result.stdout.toString().trim() : '';
    const minor = Number(/^3\.(\d+)/.exec(version)?.[1] ?? 0);
    if (minor >= 12) return { verdict: 'ok', detail: `Python ${version} at ${candidate}` };
    if (minor > Number(/^3\.(\d+)/.exec(best)?.[1] ?? 0)) best = version;
  }
  return {
    verdict: 'warning',
    detail:
      best === '' ? 'no Python was found; uv may fetch one' : `the newest Python found is ${best}; plugins run on 3.12`,
    remedy: 'install Python 3.12, or name one in PYTHON_INTERPRETER_PATH',
  };
}

/** The index uv would ask, from the environment; undefined = uv's own default. */
function indexUrl(env: NodeJS.ProcessEnv): string | undefined {
  return env.UV_DEFAULT_INDEX || env.UV_INDEX_URL || env.PIP_INDEX_URL || env.PIP_MIRROR_URL || undefined;
}

async function index({ env, signal, offline }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  if (offline) return { verdict: 'skipped', detail: 'not asked with --offline' };
  const uvPath = findUv(env);
  const configured = indexUrl(env);
  if (uvPath === undefined && configured === undefined) return { verdict: 'skipped', detail: 'needs uv' };
  if (uvPath !== undefined) {
    // uv itself answers for its index, proxies and certificates alike.
    const result = await runTool(
      uvPath,
      ['pip', 'compile', '-', '--no-deps', '--quiet', '--no-header', '--no-annotate', '--python-version', '3.12'],
      { cwd: tmpdir(), env, signal, input: 'dify-plugin\n' },
    ).catch((error: unknown) => error);
    if (isRecord(result) && result.code === 0)
      return {
        verdict: 'ok',
        detail: `the package index answers (newest SDK: ${String(result.stdout).trim().replace('dify-plugin==', '')})`,
      };
    const text = isRecord(result) ? String(result.stderr) : String(result);
    return {
      verdict: 'failed',
      detail: `the package index does not answer: ${text.trim().split('\n').slice(-3).join(' ')}`,
      remedy: 'check network, HTTPS_PROXY and SSL_CERT_FILE, or name another index in UV_DEFAULT_INDEX',
    };
  }
  return { verdict: 'skipped', detail: 'needs uv' };
}

async function certificates({ env }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  for (const name of ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT']) {
    const file = env[name];
    if (
      file !== undefined &&
      file !== '' &&
      !(await access(file, constants.R_OK).then(
        () => true,
        () => false,
      ))
    ) {
      return {
        verdict: 'failed',
        detail: `${name} names ${file}, which cannot be read`,
        remedy: `correct ${name} or unset it`,
      };
    }
  }
  const set = ['SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS'].filter((name) => (env[name] ?? '') !== '');
  return { verdict: 'ok', detail: set.length === 0 ? 'the certificates of the system' : `set by ${set.join(', ')}` };
}

async function proxy({ env }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'https_proxy', 'http_proxy'].filter((name) => (env[name] ?? '') !== '');
  if (names.length === 0) return { verdict: 'ok', detail: 'none' };
  const broken = names.find((name) => !URL.canParse(env[name] ?? ''));
  if (broken !== undefined)
    return {
      verdict: 'failed',
      detail: `${broken} is not an address`,
      remedy: `write ${broken} like http://proxy.example:3128`,
    };
  const bypass = `${env.NO_PROXY ?? ''},${env.no_proxy ?? ''}`;
  if (!/127\.0\.0\.1|localhost|\*/.test(bypass))
    return {
      verdict: 'warning',
      detail: `${names.join(', ')} set, and NO_PROXY does not name this machine`,
      remedy: 'add localhost,127.0.0.1 to NO_PROXY',
    };
  return { verdict: 'ok', detail: names.join(', ') };
}

async function disk({ env }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const cache = cacheDirectory(env);
  try {
    await mkdir(cache, { recursive: true });
    await access(cache, constants.W_OK);
  } catch {
    return {
      verdict: 'failed',
      detail: `the cache folder ${cache} cannot be written`,
      remedy: 'make it writable, or name another in DIFY_CLI_CACHE_DIR',
    };
  }
  for (const folder of [cache, tmpdir()]) {
    const { bavail, bsize } = await statfs(folder);
    if (bavail * bsize < MIN_FREE)
      return {
        verdict: 'failed',
        detail: `only ${Math.floor((bavail * bsize) / 1024 ** 2)} MB free at ${folder}`,
        remedy: `free some space; everything below ${cache} can be deleted`,
      };
  }
  return { verdict: 'ok', detail: `cache in ${cache}` };
}

async function environments({ env }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const { total, unused } = await keptEnvironments(env);
  if (unused.length === 0) return { verdict: 'ok', detail: `${total} kept` };
  return {
    verdict: 'warning',
    detail: `${unused.length} of ${total} kept environments were not used for 30 days`,
    remedy: 'delete them: dify doctor --prune (they are made again when needed)',
  };
}

async function pid1(): Promise<Omit<CheckResult, 'name'>> {
  if (process.pid !== 1 && process.ppid !== 1)
    return { verdict: 'ok', detail: `process ${process.pid}, started by ${process.ppid}` };
  if (process.pid !== 1) return { verdict: 'ok', detail: `started by process 1, itself process ${process.pid}` };
  return {
    verdict: 'failed',
    detail: 'dify is process 1 here: plugins take their parent for dead and leave with status 255',
    remedy: 'start the container with an init: docker run --init, or tini',
  };
}

async function terminal(): Promise<Omit<CheckResult, 'name'>> {
  const both = process.stdin.isTTY === true && process.stdout.isTTY === true;
  return {
    verdict: 'ok',
    detail: both ? `${process.stdout.columns} columns` : 'none: nothing is asked, missing values are named',
  };
}

async function daemon({ url, key, signal, offline }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  if (url === undefined || url === '') return { verdict: 'skipped', detail: 'name one with --url' };
  if (offline) return { verdict: 'skipped', detail: 'not asked with --offline' };
  if (!URL.canParse(url))
    return { verdict: 'failed', detail: `"${url}" is not an address`, remedy: 'write it like http://127.0.0.1:5002' };
  const dispatcher = new EnvHttpProxyAgent();
  const limit = AbortSignal.any([signal, AbortSignal.timeout(REACH_MS)]);
  try {
    const health = await request(new URL('/health/check', url), { dispatcher, signal: limit });
    await health.body.dump();
    if (health.statusCode !== 200)
      return {
        verdict: 'failed',
        detail: `${url} answers /health/check with ${health.statusCode}`,
        remedy: 'this may be no plugin daemon: check the address',
      };
    if (key === undefined || key === '') return { verdict: 'ok', detail: `${url} is healthy; its key was not tried` };
    const guarded = await request(
      new URL('/plugin/00000000-0000-0000-0000-000000000000/management/list?page=1&page_size=1', url),
      { dispatcher, signal: limit, headers: { 'X-Api-Key': key } },
    );
    await guarded.body.dump();
    if (guarded.statusCode === 401)
      return { verdict: 'failed', detail: `${url} refuses the key`, remedy: 'use the SERVER_KEY of the daemon' };
    return { verdict: 'ok', detail: `${url} is healthy and takes the key` };
  } catch (error) {
    if (signal.aborted) throw error;
    const cause =
      error instanceof Error ? (error.cause instanceof Error ? error.cause.message : error.message) : String(error);
    return {
      verdict: 'failed',
      detail: `${url} cannot be reached: ${cause}`,
      remedy: 'start the daemon, or correct --url',
    };
  } finally {
    await dispatcher.destroy();
  }
}

const CHECKS: readonly (readonly [name: string, check: Check])[] = [
  ['node', node],
  ['uv', uv],
  ['python', python],
  ['package index', index],
  ['certificates', certificates],
  ['proxy', proxy],
  ['disk', disk],
  ['environments', environments],
  ['process', pid1],
  ['terminal', terminal],
  ['daemon', daemon],
];

export async function runChecks(context: CheckContext): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [name, check] of CHECKS) results.push({ name, ...(await check(context)) });
  return results;
}
