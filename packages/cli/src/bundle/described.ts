/** What a bundle holds, as it is shown and checked. */
import { githubDependency, marketplaceDependency, openPackage, PackageError } from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import type { Call, Outcome } from '../command.ts';
import { EXIT } from '../errors.ts';
import { type OpenBundle, openBundle } from './store.ts';

interface Described {
  index: number;
  type: string;
  [key: string]: string | number | boolean | null;
}

export function describe(bundle: OpenBundle): Described[] {
  return bundle.manifest.dependencies.map((dependency, index): Described => {
    if (dependency.type === 'github') {
      const [owner = '', repository = '', release = '', asset = ''] = dependency.value.repo_pattern
        .split(':')
        .flatMap((part) => part.split('/'));
      return {
        index,
        type: 'github',
        pattern: dependency.value.repo_pattern,
        repo: `https://github.com/${owner}/${repository}`,
        release,
        asset,
      };
    }
    if (dependency.type === 'marketplace') {
      const [organization = '', plugin = '', version = ''] = dependency.value.marketplace_pattern
        .split(':')
        .flatMap((part) => part.split('/'));
      return {
        index,
        type: 'marketplace',
        pattern: dependency.value.marketplace_pattern,
        organization,
        plugin,
        version,
      };
    }
    const bytes = bundle.files.get(`_assets/${dependency.value.path}`);
    return {
      index,
      type: 'package',
      path: dependency.value.path,
      size: bytes?.length ?? null,
      found: bytes !== undefined,
    };
  });
}

export async function analyze({ args, io, signal }: Call): Promise<Outcome> {
  const bundle = await openBundle(args[0] ?? '', signal);
  const dependencies = describe(bundle);
  for (const warning of bundle.warnings) io.warn(warning.message);
  const lines = dependencies.map(
    ({ index, type, ...rest }) =>
      `${index}  ${type.padEnd(11)}  ${Object.entries(rest)
        .map(([key, value]) => `${key}=${value}`)
        .join('  ')}`,
  );
  for (const dependency of dependencies)
    if (dependency.type === 'package' && dependency.found === false)
      io.error('package not found', { index: dependency.index, path: String(dependency.path) });
  if (dependencies.length === 0) io.info('no dependencies found');
  return {
    text: lines.join('\n'),
    data: { name: bundle.manifest.name, version: bundle.manifest.version, dependencies },
  };
}

export async function validate({ args, signal }: Call): Promise<Outcome> {
  const bundle = await openBundle(args[0] ?? '', signal);
  const problems: string[] = bundle.warnings.map((warning) => warning.message);
  for (const [index, dependency] of bundle.manifest.dependencies.entries()) {
    try {
      if (dependency.type === 'github') githubDependency(dependency.value.repo_pattern);
      else if (dependency.type === 'marketplace') marketplaceDependency(dependency.value.marketplace_pattern);
      else {
        const bytes = bundle.files.get(`_assets/${dependency.value.path}`);
        if (bytes === undefined) throw new PackageError(`package ${dependency.value.path} is not in _assets`);
        const archive = openPackage(bytes);
        assembleDeclaration(archive);
        if (archive.checksum() !== dependency.value.path)
          throw new PackageError(`package ${dependency.value.path} was changed: its checksum is ${archive.checksum()}`);
      }
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      problems.push(`dependency ${index}: ${error.message}`);
    }
  }
  const { icon } = bundle.manifest;
  if (icon !== '' && !bundle.files.has(`_assets/${icon}`)) problems.push(`icon ${icon} is not in _assets`);
  return {
    text: problems.length === 0 ? 'no problems found' : problems.join('\n'),
    data: { problems },
    exit: problems.length === 0 ? EXIT.ok : EXIT.findings,
  };
}
