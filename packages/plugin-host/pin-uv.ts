/**
 * Renews the digests of uv that the daemon accepts (src/environments/uv-fetch/known-wheels.json) from the package index this machine
 * installs from: `npm run uv:pin`. The change is reviewed like any other; compare it with what uv's release notes give.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import { Installer } from './src/environments/index.ts';
import { ACCEPT, configuredIndex, parseProjectPage } from './src/environments/uv-fetch/index.ts';
import { createProcessLauncher } from './src/launcher/index.ts';

argumentsOf({
  name: 'npm run uv:pin',
  about:
    'Renews the digests of uv that the daemon accepts from the package index this machine installs from. The change is reviewed like any other.',
  options: {},
});

/** As many versions as are kept, newest first; of older minor versions only the last patch. */
const MINORS = 3;
const PATCHES = 4;
/** Statically linked for Linux, what pip takes there, and the other systems. */
const PLATFORM =
  /-py3-none-(?:[\w.]*musllinux_1_\d+_(?:x86_64|aarch64)|manylinux_2_17_(?:x86_64|aarch64)[\w.]*|manylinux_2_28_aarch64[\w.]*|macosx_\w+_(?:x86_64|arm64)|win_(?:amd64|arm64))\.whl$/;
const TARGET = join(import.meta.dirname, 'src/environments/uv-fetch/known-wheels.json');

async function indexAddress(): Promise<string> {
  const configured = (await configuredIndex(process.env)).url;
  if (configured !== undefined) return configured;
  const launcher = createProcessLauncher();
  const options = {
    workingPath: tmpdir(),
    toolsDirectory: join(import.meta.dirname, '../../node_modules/.cache/plugin-daemon-tools'),
    launcher,
    log: { debug() {}, info() {}, warn() {} },
    environment: process.env,
    pythonInterpreterPath: '',
    inactivitySeconds: 60,
    compileAllExtraArgs: '',
    extraArgs: '',
    verbose: false,
    ignoreLock: false,
    mirror: { url: undefined, autoDetect: false, candidates: [], timeoutSeconds: 5 },
    proxies: { http: undefined, https: undefined, no: undefined },
  };
  try {
    const url = await new Installer(options, AbortSignal.timeout(120_000)).publicIndex();
    if (url === undefined) throw new Error('uv does not say which index it uses; name one in UV_DEFAULT_INDEX');
    return url;
  } finally {
    await launcher.close();
  }
}

const page = new URL('uv/', await indexAddress());
const response = await fetch(page, { headers: { accept: ACCEPT } });
if (!response.ok) throw new Error(`${page.href} answered ${response.status}`);
const files = parseProjectPage(await response.text(), response.headers.get('content-type') ?? '', response.url);
const wheels = files.flatMap(({ name, sha256 }) => {
  const version = /^uv-(\d+\.\d+\.\d+)-/.exec(name)?.[1];
  return version !== undefined && sha256 !== undefined && PLATFORM.test(name) ? [{ name, sha256, version }] : [];
});
const newestFirst = (a: string, b: string) => b.localeCompare(a, 'en', { numeric: true });
const versions = [...new Set(wheels.map(({ version }) => version))].sort(newestFirst);
const minorOf = (version: string) => version.split('.').slice(0, 2).join('.');
const minors = [...new Set(versions.map(minorOf))].slice(0, MINORS);
const kept = minors.flatMap((minor, index) =>
  versions.filter((version) => minorOf(version) === minor).slice(0, index === 0 ? PATCHES : 1),
);
const known = kept.flatMap((version) =>
  wheels
    .filter((wheel) => wheel.version === version)
    .sort((a, b) => newestFirst(b.name, a.name))
    .map(({ name, sha256 }) => [name, sha256] as const),
);
await writeFile(TARGET, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`);
process.stdout.write(`${kept.join(', ')}: ${known.length} wheels\n`);
