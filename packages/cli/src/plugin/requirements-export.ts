/**
 * The requirements.txt of a plugin that has only pyproject.toml and uv.lock: exported by uv into the package, never
 * into the folder (docs/wire/cli.md#plugin-package).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { Call } from '../command.ts';
import { CliError } from '../errors.ts';
import { locateTools, uvEnvironment } from '../machine/machine-tools.ts';
import { runTool } from '../machine/run-tool.ts';
import type { PluginSource } from '../source/source.ts';

/**
 * What upstream's arguments give, because the text is part of the checksum. (Upstream says `--no-group dev`, which newer uv refuses for a
 * project without such a group.)
 */
const EXPORT = [
  'export',
  '--frozen',
  '--format',
  'requirements.txt',
  '--no-dev',
  '--no-emit-project',
  '--no-hashes',
  '--no-header',
  '--no-annotate',
];

export async function exportRequirements(
  source: PluginSource,
  root: string,
  declaration: PluginDeclaration,
  { env, signal }: Call,
): Promise<Uint8Array | undefined> {
  if (declaration.meta.runner.language !== 'python') return undefined;
  // Also one that is left out of the package counts as there.
  if (existsSync(join(root, 'requirements.txt')) || source.files.has('requirements.txt')) return undefined;
  if (!existsSync(join(root, 'pyproject.toml')) || !existsSync(join(root, 'uv.lock'))) return undefined;
  const { uv, python } = await locateTools({ env, signal }).catch((error: unknown) => {
    if (!(error instanceof CliError) || error.code !== 'no-uv') throw error;
    throw new CliError(
      'no-uv',
      `failed to find uv executable for exporting requirements.txt: the plugin has uv.lock but no requirements.txt\n${error.message}`,
      { cause: error, ...(error.remedy === undefined ? {} : { remedy: error.remedy }) },
    );
  });
  const result = await runTool(uv, EXPORT, { cwd: root, env: uvEnvironment(env, python), signal });
  if (result.code !== 0)
    throw new CliError('uv-failed', `uv export failed: ${result.stderr.trim()}`, {
      file: 'uv.lock',
      remedy: 'run `uv lock` in the folder of the plugin',
    });
  return result.stdout;
}
