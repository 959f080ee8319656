/**
 * Brings uv to a machine that has none: one wheel from the package index this machine installs from, checked, kept in the
 * tools directory. Called by the locator when it has found no uv.
 *
 * Only wheels whose digest is in the repository (known-wheels.json) are taken: an index, a mirror or a cache on the way decides
 * nothing but availability. `npm run uv:pin` renews the list.
 *
 * With an index configured (for uv or pip) we read it ourselves. Without one, pip of an interpreter is asked to download: it alone
 * knows the public index, its mirrors and its rules, and no address has to be written down here.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../command.ts';
import type { PythonEnvironmentsOptions } from '../options.ts';
import { proxyAgent } from '../proxy-agent.ts';
import { boundedBytes } from './bounded-body.ts';
import { configuredIndex, type IndexSettings } from './configured-index.ts';
import { KNOWN_WHEELS, type KnownWheels, knownVersions } from './known-wheels.ts';
import { ACCEPT, chooseWheel, parseProjectPage } from './simple-index.ts';
import { unpackUv } from './unpack-wheel.ts';

export { configuredIndex } from './configured-index.ts';
export { ACCEPT, parseProjectPage } from './simple-index.ts';

type FetchOptions = Pick<
  PythonEnvironmentsOptions,
  'environment' | 'launcher' | 'log' | 'proxies' | 'toolsDirectory'
> & {
  /** Interpreters whose pip may be asked, in this order. */
  readonly pythons: readonly string[];
  /** Those of the repository unless given. */
  readonly known?: KnownWheels;
};

const DOWNLOAD_SECONDS = 180;
/** A page of a project with ten thousand files is a third of it. */
const LARGEST_PAGE = 16 * 1024 * 1024;
/** Four times what a wheel of uv takes. */
const LARGEST_WHEEL = 128 * 1024 * 1024;

interface Wheel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Returns the path of the executable. @throws Error with what was tried */
export async function fetchUv(options: FetchOptions, signal: AbortSignal): Promise<string> {
  const index = await configuredIndex(options.environment);
  const started = performance.now();
  const known = options.known ?? KNOWN_WHEELS;
  const { name, bytes: wheel } =
    index.url === undefined
      ? await downloadWithPip(options, known, signal)
      : await downloadFromIndex(index.url, index, options, known, signal);
  const actual = createHash('sha256').update(wheel).digest('hex');
  if (known[name] !== actual)
    throw new Error(`hash mismatch: ${name} has sha256 ${actual} instead of ${known[name] ?? 'one that is known'}`);
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
  known: KnownWheels,
  signal: AbortSignal,
): Promise<Wheel> {
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
  const get = async (address: string, accept: string, limit: number) => {
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
        bytes: await boundedBytes(response, limit, next.href),
      };
    }
    throw new Error(`${address} redirects without end`);
  };
  try {
    const project = await get(page.href, ACCEPT, LARGEST_PAGE);
    const files = parseProjectPage(project.bytes.toString('utf8'), project.type, project.url);
    const wheel = chooseWheel(files.filter((file) => known[file.name] !== undefined));
    if (wheel === undefined)
      throw new Error(
        `${page.href} lists no uv for ${process.platform} ${process.arch} whose digest is known (versions ${knownVersions(known).join(', ')})`,
      );
    return { name: wheel.name, bytes: (await get(wheel.url, '*/*', LARGEST_WHEEL)).bytes };
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

/** The newest known version that pip finds, with the first interpreter that has a pip. */
async function downloadWithPip(options: FetchOptions, known: KnownWheels, signal: AbortSignal): Promise<Wheel> {
  const { proxies, environment, launcher, pythons } = options;
  if (pythons.length === 0)
    throw new Error('no package index is configured, and there is no Python whose pip could be asked');
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
  const folder = await mkdtemp(join(tmpdir(), 'uv-'));
  try {
    const failures: string[] = [];
    for (const python of pythons) {
      for (const version of knownVersions(known)) {
        await writeFile(join(folder, 'requirements.txt'), requirement(version, known));
        const result = await runCommand(launcher, {
          command: python,
          args: ['-c', PIP, ...PIP_DOWNLOAD, '-r', 'requirements.txt', '-d', folder],
          cwd: folder,
          env,
          signal,
          timeoutSeconds: DOWNLOAD_SECONDS,
        });
        const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
        if (result.ok && name !== undefined) return { name, bytes: await readFile(join(folder, name)) };
        failures.push(`pip of ${python} did not download it (${result.status}): ${result.stderr.trim().slice(-800)}`);
        // Another version helps only where the index has not got this one.
        if (!/No matching distribution|from versions:/.test(result.stderr)) break;
      }
    }
    throw new Error(failures.join('\n'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const PIP_DOWNLOAD = [
  'download',
  '--require-hashes',
  '--no-deps',
  '--only-binary=:all:',
  '--disable-pip-version-check',
  '--no-input',
];

/** A line of a requirements file with the digests of all wheels of a version: pip takes the one that fits this machine. */
const requirement = (version: string, known: KnownWheels): string =>
  `uv==${version} ${Object.entries(known)
    .filter(([name]) => name.startsWith(`uv-${version}-`))
    .map(([, sha256]) => `--hash=sha256:${sha256}`)
    .join(' ')}\n`;
