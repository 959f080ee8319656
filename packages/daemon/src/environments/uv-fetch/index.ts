/**
 * Brings uv to a machine that has none: one wheel from the package index this machine installs from, checked, kept in the
 * tools directory. Called by the locator when it has found no uv.
 *
 * With an index configured (for uv or pip) we read it ourselves. Without one, pip is asked to download: it alone knows the
 * public index, its mirrors and its rules, and no address has to be written down here. Either way the executable is
 * compared with its wheel's RECORD, and the wheel with the hash the index gives (pip does that itself).
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../command.ts';
import type { PythonEnvironmentsOptions } from '../options.ts';
import { proxyAgent } from '../proxy-agent.ts';
import { configuredIndex, type IndexSettings } from './configured-index.ts';
import { ACCEPT, chooseWheel, parseProjectPage } from './simple-index.ts';
import { unpackUv } from './unpack-wheel.ts';

type FetchOptions = Pick<
  PythonEnvironmentsOptions,
  'environment' | 'launcher' | 'log' | 'proxies' | 'pythonInterpreterPath' | 'toolsDirectory'
>;

const DOWNLOAD_SECONDS = 180;

/** Returns the path of the executable. @throws Error with what was tried */
export async function fetchUv(options: FetchOptions, signal: AbortSignal): Promise<string> {
  const index = await configuredIndex(options.environment);
  const started = performance.now();
  const wheel =
    index.url === undefined
      ? await downloadWithPip(options, signal)
      : await downloadFromIndex(index.url, index, options, signal);
  const path = await unpackUv(wheel, options.toolsDirectory);
  options.log.info(
    { path, milliseconds: Math.round(performance.now() - started) },
    'fetched uv from the package index',
  );
  return path;
}

async function downloadFromIndex(
  url: string,
  index: IndexSettings,
  options: FetchOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { proxies } = options;
  const { request } = await import('undici');
  const agent = await proxyAgent(
    { http: proxies.http ?? index.proxy, https: proxies.https ?? index.proxy, no: proxies.no },
    index.caFile === undefined ? undefined : await readFile(index.caFile),
  );
  const limited = AbortSignal.any([signal, AbortSignal.timeout(DOWNLOAD_SECONDS * 1000)]);
  const page = new URL('uv/', url);
  const credentials =
    page.username === '' ? undefined : `${decodeURIComponent(page.username)}:${decodeURIComponent(page.password)}`;
  page.username = '';
  page.password = '';
  const get = async (address: string, accept: string) => {
    let next = new URL(address);
    for (let hops = 0; hops < 5; hops++) {
      const sameHost = next.host === page.host;
      const headers = {
        accept,
        ...(credentials !== undefined && sameHost
          ? { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
          : {}),
      };
      const response = await request(next, { headers, dispatcher: agent, signal: limited });
      const location = response.headers.location;
      if (response.statusCode >= 300 && response.statusCode < 400 && typeof location === 'string') {
        await response.body.dump();
        next = new URL(location, next);
        continue;
      }
      if (response.statusCode !== 200) {
        await response.body.dump();
        throw new Error(`${next.href} answered ${response.statusCode}`);
      }
      return {
        url: next.href,
        type: String(response.headers['content-type'] ?? ''),
        bytes: await response.body.bytes(),
      };
    }
    throw new Error(`${address} redirects without end`);
  };
  try {
    const project = await get(page.href, ACCEPT);
    const wheel = chooseWheel(parseProjectPage(Buffer.from(project.bytes).toString('utf8'), project.type, project.url));
    if (wheel === undefined) throw new Error(`${page.href} lists no uv for ${process.platform} ${process.arch}`);
    const { bytes } = await get(wheel.url, '*/*');
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (wheel.sha256 === undefined)
      throw new Error(`${page.href} gives no sha256 for ${wheel.name}, so it cannot be checked`);
    if (wheel.sha256 !== actual)
      throw new Error(`hash mismatch: ${wheel.name} has sha256 ${actual} instead of ${wheel.sha256}`);
    return bytes;
  } finally {
    await agent.close();
  }
}

/** Variables of the daemon's environment that pip is given: its own, and what the network needs. */
const FOR_PIP =
  /^(?:PIP_.+|PATH|HOME|XDG_CONFIG_HOME|APPDATA|TMPDIR|TEMP|TMP|SYSTEMROOT|SSL_CERT_FILE|SSL_CERT_DIR|REQUESTS_CA_BUNDLE|NETRC)$/;
/** Runs pip, or the copy of it that comes with the interpreter for making virtual environments. */
const PIP = [
  'import sys, runpy, glob, os',
  'try:',
  '    import pip',
  'except ImportError:',
  '    import ensurepip',
  '    folders = [os.path.join(os.path.dirname(ensurepip.__file__), "_bundled"), "/usr/share/python-wheels"]',
  '    wheels = [w for f in folders for w in glob.glob(os.path.join(f, "pip-*.whl"))]',
  '    if not wheels: raise',
  '    sys.path.insert(0, wheels[0])',
  'runpy.run_module("pip", run_name="__main__", alter_sys=True)',
].join('\n');

async function downloadWithPip(options: FetchOptions, signal: AbortSignal): Promise<Uint8Array> {
  const { proxies, environment, launcher, pythonInterpreterPath } = options;
  const folder = await mkdtemp(join(tmpdir(), 'uv-'));
  try {
    const env: Record<string, string> = {};
    for (const [name, value] of Object.entries(environment))
      if (value !== undefined && FOR_PIP.test(name)) env[name] = value;
    for (const [name, value] of [
      ['HTTP_PROXY', proxies.http],
      ['HTTPS_PROXY', proxies.https],
      ['NO_PROXY', proxies.no],
    ] as const) {
      if (value) env[name] = value;
    }
    const args = [
      '-c',
      PIP,
      'download',
      'uv',
      '--no-deps',
      '--only-binary=:all:',
      '--disable-pip-version-check',
      '--no-input',
      '-d',
      folder,
    ];
    const result = await runCommand(launcher, {
      command: pythonInterpreterPath,
      args,
      cwd: folder,
      env,
      signal,
      timeoutSeconds: DOWNLOAD_SECONDS,
    });
    const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
    if (!result.ok || wheel === undefined) {
      throw new Error(
        `pip of ${pythonInterpreterPath} did not download it (${result.status}): ${result.stderr.trim().slice(-800)}`,
      );
    }
    return await readFile(join(folder, wheel));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
