/** What a bundle holds: plugins of GitHub and of the marketplace by pattern, and packages that come with it. */
import { resolve } from 'node:path';
import {
  githubDependency,
  isUniqueIdentifier,
  marketplaceDependency,
  openPackage,
  PackageError,
} from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT, throwIfAborted, usageError } from '../errors.ts';
import { readPackageFile } from '../source/source.ts';
import { type OpenBundle, openBundle } from './store.ts';

function invalid(error: unknown, flag: string, example: string): never {
  if (error instanceof PackageError)
    throw new CliError('invalid-pattern', error.message, {
      exit: EXIT.usage,
      remedy: `write --${flag} like ${example}`,
      cause: error,
    });
  throw error;
}

/** Adds a dependency node, written in block style like the others. */
function addDependency(bundle: OpenBundle, dependency: unknown): void {
  const sequence = bundle.document.get('dependencies');
  if (typeof sequence === 'object' && sequence !== null && 'items' in sequence && Array.isArray(sequence.items)) {
    if ('flow' in sequence) sequence.flow = false;
    sequence.items.push(bundle.document.createNode(dependency));
  } else bundle.document.set('dependencies', bundle.document.createNode([dependency]));
}

export async function appendGithub({ args, flags, io, signal }: Call): Promise<Outcome> {
  const pattern = flags.text('repo_pattern') ?? '';
  try {
    githubDependency(pattern);
  } catch (error) {
    invalid(error, 'repo_pattern', 'acme/weather:1.x.x/weather.difypkg');
  }
  const bundle = await openBundle(args[0] ?? '', signal);
  addDependency(bundle, { type: 'github', value: { repo_pattern: pattern } });
  await bundle.save();
  io.info('successfully added github dependency', { pattern });
  return { data: { index: bundle.manifest.dependencies.length, repo_pattern: pattern } };
}

export async function appendMarketplace({ args, flags, io, signal }: Call): Promise<Outcome> {
  const pattern = flags.text('marketplace_pattern') ?? '';
  try {
    marketplaceDependency(pattern);
  } catch (error) {
    invalid(error, 'marketplace_pattern', 'acme/weather:^1.2.0');
  }
  const bundle = await openBundle(args[0] ?? '', signal);
  addDependency(bundle, { type: 'marketplace', value: { marketplace_pattern: pattern } });
  await bundle.save();
  io.info('successfully added marketplace dependency', { pattern });
  return { data: { index: bundle.manifest.dependencies.length, marketplace_pattern: pattern } };
}

export async function appendPackage({ args, flags, io, cwd, signal }: Call): Promise<Outcome> {
  const path = resolve(cwd, flags.text('package_path') ?? '');
  const bytes = await readPackageFile(path);
  let checksum: string;
  let identifier: string;
  try {
    const archive = openPackage(bytes);
    const { declaration } = assembleDeclaration(archive);
    checksum = archive.checksum();
    identifier = `${declaration.author}/${declaration.name}:${declaration.version}@${checksum}`;
  } catch (error) {
    if (!(error instanceof PackageError)) throw error;
    throw new CliError(
      'invalid-plugin',
      `failed to append package dependency: ${error.message}\nplease provide a valid difypkg file`,
      { file: path, cause: error },
    );
  }
  if (!isUniqueIdentifier(identifier)) io.warn('an installation will refuse this package', { identifier });
  const bundle = await openBundle(args[0] ?? '', signal);
  addDependency(bundle, { type: 'package', value: { path: checksum } });
  throwIfAborted(signal);
  await bundle.save({ add: new Map([[`_assets/${checksum}`, bytes]]) });
  io.info('successfully added package dependency', { plugin: identifier });
  return { data: { index: bundle.manifest.dependencies.length, path: checksum, unique_identifier: identifier } };
}

export async function remove({ args, flags, io, signal }: Call): Promise<Outcome> {
  const text = flags.text('index') ?? '';
  if (!/^\d+$/.test(text)) throw usageError('invalid index', 'give --index a number as shown by dify bundle analyze');
  const index = Number(text);
  const bundle = await openBundle(args[0] ?? '', signal);
  const removed = bundle.manifest.dependencies[index];
  if (removed === undefined)
    throw new CliError('out-of-bounds', 'failed to remove dependency: index out of bounds', {
      remedy: `the bundle has ${bundle.manifest.dependencies.length} dependencies, counted from 0`,
    });
  bundle.document.deleteIn(['dependencies', index]);
  const shared = bundle.manifest.dependencies.some(
    (other, position) =>
      position !== index &&
      other.type === 'package' &&
      removed.type === 'package' &&
      other.value.path === removed.value.path,
  );
  await bundle.save({ remove: removed.type === 'package' && !shared ? [`_assets/${removed.value.path}`] : [] });
  io.info('successfully removed dependency', { index });
  return { data: { index, removed } };
}
