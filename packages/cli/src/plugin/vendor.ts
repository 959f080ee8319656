/**
 * `plugin package --vendor`: the wheels of all dependencies inside the package, so that an installation needs no index.
 * The daemon installs from `vendor/wheels` by the pinned closure in `vendor/requirements.txt`.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { Call } from '../command.ts';
import { CliError, throwIfAborted, usageError } from '../errors.ts';
import { locateTools, uvEnvironment } from '../machine/machine-tools.ts';
import { runTool } from '../machine/run-tool.ts';
import { startProgress } from '../output/progress.ts';

interface Platform {
  name: string;
  /** What uv calls it when it resolves. */
  uv: string;
  /** Wheel tags it accepts. */
  tags: readonly string[];
}

const manylinux = (processor: string): string[] => [
  ...Array.from({ length: 24 }, (_, index) => `manylinux_2_${28 - index}_${processor}`),
  `manylinux2014_${processor}`,
  ...(processor === 'x86_64' ? ['manylinux2010_x86_64', 'manylinux1_x86_64'] : []),
  `linux_${processor}`,
];
const macos = (processor: string, first: number): string[] => [
  ...Array.from({ length: 15 - first }, (_, index) => [
    `macosx_${14 - index}_0_${processor}`,
    `macosx_${14 - index}_0_universal2`,
  ]).flat(),
  ...Array.from({ length: 8 }, (_, index) => [
    `macosx_10_${16 - index}_${processor}`,
    `macosx_10_${16 - index}_universal2`,
  ]).flat(),
];

const PLATFORMS: readonly Platform[] = [
  { name: 'linux-amd64', uv: 'x86_64-manylinux_2_28', tags: manylinux('x86_64') },
  { name: 'linux-arm64', uv: 'aarch64-manylinux_2_28', tags: manylinux('aarch64') },
  { name: 'macos-arm64', uv: 'aarch64-apple-darwin', tags: macos('arm64', 11) },
  { name: 'macos-amd64', uv: 'x86_64-apple-darwin', tags: macos('x86_64', 11) },
  { name: 'windows-amd64', uv: 'x86_64-pc-windows-msvc', tags: ['win_amd64'] },
];

/** The platform this machine is, in the names of the table. */
function ownPlatform(): string {
  const system =
    { linux: 'linux', darwin: 'macos', win32: 'windows' }[process.platform as 'linux' | 'darwin' | 'win32'] ??
    process.platform;
  return `${system}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

export function chosenPlatforms(text: string): Platform[] {
  const names = text === 'auto' || text === '' ? [ownPlatform()] : text.split(',').map((name) => name.trim());
  return names.map((name) => {
    const found = PLATFORMS.find((platform) => platform.name === name);
    if (found === undefined)
      throw usageError(
        `unknown platform ${name}`,
        `choose from ${PLATFORMS.map((platform) => platform.name).join(', ')}`,
      );
    return found;
  });
}

function chosenPythons(text: string | undefined, declared: string): string[] {
  const versions =
    text === undefined || text === ''
      ? [/^\d+\.\d+/.exec(declared)?.[0] ?? '3.12']
      : text.split(',').map((version) => version.trim());
  for (const version of versions)
    if (!/^3\.\d+$/.test(version))
      throw usageError(`"${version}" is not a Python version`, 'write it like 3.12; several with commas');
  return versions;
}

/** The last lines of a tool's complaint. */
const tail = (text: string): string => text.trim().split('\n').slice(-15).join('\n');

export interface Vendored {
  /** Package paths to contents. */
  files: Map<string, Uint8Array>;
  targets: string[];
}

export async function vendorDependencies(
  files: ReadonlyMap<string, Uint8Array>,
  declaration: PluginDeclaration,
  call: Call,
): Promise<Vendored> {
  const { env, signal, flags, io } = call;
  const platforms = chosenPlatforms(flags.text('vendor') ?? 'auto');
  const pythons = chosenPythons(flags.text('python'), declaration.meta.runner.version);
  const work = await mkdtemp(join(tmpdir(), 'dify-vendor-'));
  const progress = startProgress(io);
  progress.update('looking for uv');
  const tools = locateTools({ env, signal });
  const run = async (args: readonly string[], failure: string): Promise<string> => {
    const { uv, python } = await tools;
    const result = await runTool(uv, args, { cwd: work, env: uvEnvironment(env, python), signal });
    if (result.code !== 0) throw new CliError('vendor', `${failure}:\n${tail(result.stderr)}`);
    return result.stdout.toString('utf8');
  };
  try {
    await tools;
    const source = await writeSource(files, work);
    progress.update('resolving dependencies');
    const oldest = pythons.toSorted((a, b) => Number(a.slice(2)) - Number(b.slice(2)))[0] ?? '3.12';
    const locked = files.has('uv.lock') && files.has('pyproject.toml');
    const closure = locked
      ? await run(
          [
            'export',
            '--frozen',
            '--no-dev',
            '--no-hashes',
            '--no-emit-project',
            '--no-header',
            '--no-annotate',
            '--format',
            'requirements.txt',
          ],
          'the lock file cannot be exported',
        )
      : await run(
          [
            'pip',
            'compile',
            source,
            '--universal',
            '--python-version',
            oldest,
            '--no-header',
            '--no-annotate',
            '--quiet',
          ],
          'the dependencies cannot be resolved',
        );
    await writeFile(join(work, 'closure.txt'), closure);
    const wheels = join(work, 'wheels');
    await mkdir(wheels);
    const targets: string[] = [];
    for (const platform of platforms) {
      for (const python of pythons) {
        throwIfAborted(signal);
        const target = `${platform.name}/python${python}`;
        progress.update(`collecting wheels for ${target}`, targets.length / (platforms.length * pythons.length));
        // Markers are decided for the target here, because the downloader decides them for this machine.
        const pins = await run(
          [
            'pip',
            'compile',
            'closure.txt',
            '--python-platform',
            platform.uv,
            '--python-version',
            python,
            '--no-deps',
            '--no-header',
            '--no-annotate',
            '--quiet',
          ],
          `the dependencies cannot be resolved for ${target}`,
        );
        const pinned = `pins-${platform.name}-${python}.txt`;
        await writeFile(join(work, pinned), pins);
        await download(run, platform, python, pinned, wheels, target);
        targets.push(target);
      }
    }
    const collected = new Map<string, Uint8Array>([['vendor/requirements.txt', Buffer.from(closure)]]);
    for (const name of (await readdir(wheels)).sort())
      collected.set(`vendor/wheels/${name}`, await readFile(join(wheels, name)));
    return { files: collected, targets };
  } finally {
    progress.end();
    await rm(work, { recursive: true, force: true });
  }
}

async function writeSource(files: ReadonlyMap<string, Uint8Array>, work: string): Promise<string> {
  for (const name of ['pyproject.toml', 'uv.lock', 'requirements.txt']) {
    const bytes = files.get(name);
    if (bytes !== undefined) await writeFile(join(work, name), bytes);
  }
  if (files.has('requirements.txt')) return 'requirements.txt';
  if (files.has('pyproject.toml')) return 'pyproject.toml';
  throw new CliError('no-dependencies', 'the plugin names its dependencies nowhere', {
    remedy: 'add requirements.txt',
  });
}

/** uv has no download of its own; pip, run by uv, has. For this machine it may also build what has no wheel. */
async function download(
  run: (args: readonly string[], failure: string) => Promise<string>,
  platform: Platform,
  python: string,
  pins: string,
  wheels: string,
  target: string,
): Promise<void> {
  const pip = ['tool', 'run', '--quiet', '--from', 'pip', 'pip'];
  const common = ['--quiet', '--disable-pip-version-check', '--no-deps', '-r', pins];
  const digits = python.replace('.', '');
  const abis = [`cp${digits}`, 'abi3', 'none'].flatMap((abi) => ['--abi', abi]);
  const tags = platform.tags.flatMap((tag) => ['--platform', tag]);
  await run(
    [
      ...pip,
      'download',
      ...common,
      '--only-binary',
      ':all:',
      '--python-version',
      python,
      '--implementation',
      'cp',
      ...abis,
      ...tags,
      '-d',
      wheels,
    ],
    `a dependency has no wheel for ${target}`,
  );
}
