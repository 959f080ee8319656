/** The checks of `dify doctor`: each looks at one thing and says what to do when it is not well. */
import { access, constants, mkdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { DaemonAnswerError, DaemonClient, DaemonUnreachableError, UnexpectedAnswerError } from '@plugin-daemon/client';
import { isObject, messageOf } from '@plugin-daemon/values';
import { EnvHttpProxyAgent } from 'undici';
import { CliError, interrupted } from '../errors.ts';
import { cacheDirectory } from '../files/cache.ts';
import { FULL_SDK_MINOR } from '../init/rules.ts';
import { keptEnvironments } from '../machine/environment-cache.ts';
import { locateTools, toolsDirectory, uvEnvironment, withTools } from '../machine/machine-tools.ts';
import { runTool } from '../machine/run-tool.ts';
import { pluginStarts } from './plugin-starts.ts';

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
  const atLeast = (one: number, other: number) => major > one || (major === one && minor >= other);
  if (atLeast(22, 13)) return { verdict: 'ok', detail: `Node ${process.versions.node}` };
  return atLeast(20, 19)
    ? { verdict: 'ok', detail: `Node ${process.versions.node}; commands on the daemon's database need 22.13` }
    : { verdict: 'failed', detail: `Node ${process.versions.node} is too old`, remedy: 'install Node 20.19 or newer' };
}

/** uv as every other command gets it: also from the cache, and fetched where there is none. */
async function uv({ env, signal, offline }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const located = await withTools({ env, signal }, async (tools) => {
    const found = await tools.findUv(signal);
    if (found !== undefined || offline) return { path: found, fetched: false };
    return { path: await tools.uv(signal), fetched: true };
  }).catch((error: unknown) => {
    if (error instanceof CliError && error.code === 'no-uv') return error;
    throw error;
  });
  if (located instanceof CliError) {
    const { message, remedy = '' } = located;
    return { verdict: 'failed', detail: message.replace(/\n(?:uv, which|failed to init)[^\n]*/g, ''), remedy };
  }
  const { path, fetched } = located;
  if (path === undefined)
    return {
      verdict: 'warning',
      detail: 'uv is not on this machine',
      remedy:
        'nothing to do with a network: it is fetched when it is first needed; else install it and name it in UV_PATH',
    };
  const result = await runTool(path, ['--version'], { cwd: tmpdir(), env, signal }).catch(() => undefined);
  return result?.code === 0
    ? { verdict: 'ok', detail: `${result.stdout.toString().trim()} at ${path}${fetched ? ', fetched now' : ''}` }
    : {
        verdict: 'failed',
        detail: `${path} does not run`,
        remedy: path.startsWith(toolsDirectory(env))
          ? `delete it: it is fetched again`
          : 'install uv again: pip install uv',
      };
}

async function python({ env, signal }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  const found = await withTools({ env, signal }, (tools) => tools.pythons(signal));
  const [first] = found;
  if (first === undefined)
    return {
      verdict: 'failed',
      detail: 'there is no Python from 3.11 on',
      remedy: 'install Python 3.12, or name one in PYTHON_INTERPRETER_PATH',
    };
  const detail = found.map(({ version, path }) => `Python ${version.join('.')} at ${path}`).join(', ');
  if (found.some(({ version }) => version[1] >= FULL_SDK_MINOR)) return { verdict: 'ok', detail };
  return {
    verdict: 'warning',
    detail: `${detail}: enough for plugins on an SDK before 0.9`,
    remedy: 'install Python 3.12 for newer ones',
  };
}

/** Asked through uv, which answers for its index, proxies and certificates alike. */
async function index({ env, signal, offline }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  if (offline) return { verdict: 'skipped', detail: 'not asked with --offline' };
  const tools = await locateTools({ env, signal }).catch((error: unknown) => {
    if (error instanceof CliError && error.code === 'no-uv') return undefined;
    throw error;
  });
  if (tools === undefined) return { verdict: 'skipped', detail: 'asked through uv, which is not there' };
  const result = await runTool(
    tools.uv,
    ['pip', 'compile', '-', '--no-deps', '--quiet', '--no-header', '--no-annotate', '--python-version', '3.12'],
    { cwd: tmpdir(), env: uvEnvironment(env, tools.python), signal, input: 'dify-plugin\n' },
  ).catch((error: unknown) => error);
  if (signal.aborted) throw interrupted();
  if (isObject(result) && result.code === 0)
    return {
      verdict: 'ok',
      detail: `the package index answers (newest SDK: ${String(result.stdout).trim().replace('dify-plugin==', '')})`,
    };
  const text = isObject(result) ? String(result.stderr) : String(result);
  if (tools.python === undefined)
    return {
      verdict: 'skipped',
      detail: 'asked through uv, which needs a Python for it',
      remedy: 'install Python 3.12',
    };
  return {
    verdict: 'failed',
    detail: `the package index does not answer: ${text.trim().split('\n').slice(-3).join(' ')}`,
    remedy: 'check network, HTTPS_PROXY and SSL_CERT_FILE, or name another index in UV_DEFAULT_INDEX',
  };
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
  const { total, unused, unusedBytes, stored } = await keptEnvironments(env);
  if (unused === 0) return { verdict: 'ok', detail: `${total} kept, with ${stored} different contents` };
  return {
    verdict: 'warning',
    detail: `${unused} of ${total} kept environments were not used for 30 days (${Math.ceil(unusedBytes / 1024 ** 2)} MB)`,
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

const WRONG = 'this may be no plugin daemon: check the address';

async function daemon({ url, key, signal, offline }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  if (url === undefined || url === '') return { verdict: 'skipped', detail: 'name one with --url' };
  if (offline) return { verdict: 'skipped', detail: 'not asked with --offline' };
  if (!URL.canParse(url))
    return { verdict: 'failed', detail: `"${url}" is not an address`, remedy: 'write it like http://127.0.0.1:5002' };
  const dispatcher = new EnvHttpProxyAgent();
  const client = new DaemonClient({ url, key: key ?? '', dispatcher });
  const limit = { signal: AbortSignal.any([signal, AbortSignal.timeout(REACH_MS)]) };
  try {
    const { status } = await client.call('getHealth', {}, limit);
    if (status !== 'ok')
      return { verdict: 'failed', detail: `${url} says that its status is ${String(status)}`, remedy: WRONG };
    if (key === undefined || key === '') return { verdict: 'ok', detail: `${url} is healthy; its key was not tried` };
    await client.call('listInstallations', { page: 1, page_size: 1 }, limit);
    return { verdict: 'ok', detail: `${url} is healthy and takes the key` };
  } catch (error) {
    if (signal.aborted) throw error;
    if (!(error instanceof DaemonAnswerError || error instanceof UnexpectedAnswerError))
      return {
        verdict: 'failed',
        detail: `${url} cannot be reached: ${messageOf(error instanceof DaemonUnreachableError ? error.cause : error)}`,
        remedy: 'start the daemon, or correct --url',
      };
    if (error.status === 401)
      return { verdict: 'failed', detail: `${url} refuses the key`, remedy: 'use the SERVER_KEY of the daemon' };
    return {
      verdict: 'failed',
      detail: `${url}: ${error.message}`,
      remedy: WRONG,
    };
  } finally {
    await dispatcher.destroy();
  }
}

/** Of a daemon that was reached: whoever was not is told so once. */
async function plugins({ url, key, signal, offline }: CheckContext): Promise<Omit<CheckResult, 'name'>> {
  if (url === undefined || !URL.canParse(url) || key === undefined || key === '' || offline)
    return { verdict: 'skipped', detail: 'asked of a daemon that is named with --url and --key' };
  const dispatcher = new EnvHttpProxyAgent();
  try {
    const client = new DaemonClient({ url, key, dispatcher });
    return await pluginStarts(client, AbortSignal.any([signal, AbortSignal.timeout(REACH_MS)]));
  } catch (error) {
    if (signal.aborted) throw error;
    return { verdict: 'skipped', detail: `the daemon does not say: ${messageOf(error)}` };
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
  ['plugins', plugins],
];

export async function runChecks(context: CheckContext): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const [name, check] of CHECKS) results.push({ name, ...(await check(context)) });
  return results;
}
