/** `dify bundle …` (docs/wire/cli.md#bundle): every command, on folders and on .difybndl files alike. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import {
  githubDependency,
  isUniqueIdentifier,
  marketplaceDependency,
  openPackage,
  PackageError,
} from '@plugin-daemon/plugin-package';
import { assembleDeclaration } from '@plugin-daemon/plugin-package/schema';
import { stringify } from 'yaml';
import type { Call, Handler, Outcome } from '../command.ts';
import { CliError, EXIT, throwIfAborted, usageError } from '../errors.ts';
import { createDirectory, writeFileAtomic } from '../files/atomic.ts';
import { fill } from '../init/render.ts';
import { checkAuthor, checkDescription, checkName, VERSION } from '../init/rules.ts';
import { templateFiles } from '../init/template-files.ts';
import { lastElement, readPackageFile } from '../source/source.ts';
import { bundleBytes, type OpenBundle, openBundle } from './store.ts';

interface Identity {
  name: string;
  author: string;
  description: string;
}

const CHECKS = { name: checkName, author: checkAuthor, description: checkDescription } as const;

async function askIdentity(call: Call, current: Partial<Identity>): Promise<Identity> {
  const given: Identity = {
    name: call.flags.text('name') ?? current.name ?? '',
    author: call.flags.text('author') ?? current.author ?? '',
    description: call.flags.text('description') ?? current.description ?? '',
  };
  const asked = (['name', 'author', 'description'] as const).filter((key) => !call.flags.has(key));
  if (asked.length > 0 && call.io.interactive) {
    const prompts = await import('../init/prompts.ts');
    const words = { name: 'Bundle name', author: 'Author', description: 'Description' };
    await prompts.wizard(
      asked.map((key) => async () => {
        const answer = await prompts.askText({ message: words[key], initial: given[key], check: CHECKS[key] });
        if (answer === prompts.BACK) return prompts.BACK;
        given[key] = answer;
        return undefined;
      }),
    );
  }
  const missing = asked.filter((key) => given[key] === '');
  if (missing.length > 0)
    throw usageError(
      `there is no terminal to ask on, and ${missing.map((key) => `--${key}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    );
  for (const key of ['name', 'author', 'description'] as const) {
    const problem = CHECKS[key](given[key]);
    if (problem !== undefined)
      throw new CliError('invalid-input', problem.replace('plugin name', 'bundle name'), {
        exit: EXIT.usage,
        remedy: `change --${key}`,
      });
  }
  return given;
}

const languages = (text: string) => ({ en_US: text, ja_JP: text, zh_Hans: text, pt_BR: text });

async function init(call: Call): Promise<Outcome> {
  const { name, author, description } = await askIdentity(call, {});
  const manifest = {
    name,
    labels: languages(name),
    description: languages(description),
    icon: 'icon.svg',
    version: '0.0.1',
    author,
    type: 'bundle',
    dependencies: [],
    tags: [],
  };
  const values = { name, author, description, version: '0.0.1', date: new Date().toISOString().slice(0, 10) };
  const template = (path: string): string => templateFiles().get(path) ?? '';
  const files = new Map([
    ['manifest.yaml', stringify(manifest, { lineWidth: 0 })],
    ['README.md', fill(template('bundle/README.md'), values)],
    ['_assets/icon.svg', template('bundle/icon.svg')],
  ]);
  const directory = resolve(call.cwd, name);
  await createDirectory(directory, files, {
    overwrite: call.flags.on('force'),
    signal: call.signal,
    directories: ['.github/workflows'],
  });
  call.io.info('bundle created successfully', { directory });
  return { data: { name, path: directory, files: [...files.keys()] } };
}

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

async function appendGithub({ args, flags, io, signal }: Call): Promise<Outcome> {
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

async function appendMarketplace({ args, flags, io, signal }: Call): Promise<Outcome> {
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

async function appendPackage({ args, flags, io, cwd, signal }: Call): Promise<Outcome> {
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

interface Described {
  index: number;
  type: string;
  [key: string]: string | number | boolean | null;
}

function describe(bundle: OpenBundle): Described[] {
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

async function analyze({ args, io, signal }: Call): Promise<Outcome> {
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

async function validate({ args, signal }: Call): Promise<Outcome> {
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

async function remove({ args, flags, io, signal }: Call): Promise<Outcome> {
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

async function regenerate(call: Call): Promise<Outcome> {
  const bundle = await openBundle(call.args[0] ?? '', call.signal);
  const { manifest, document } = bundle;
  const identity = await askIdentity(call, {
    name: manifest.name,
    author: manifest.author,
    description: manifest.description.en_US,
  });
  document.set('name', identity.name);
  document.set('author', identity.author);
  document.set('labels', document.createNode(languages(identity.name)));
  document.set('description', document.createNode(languages(identity.description)));
  await bundle.save();
  call.io.info('successfully regenerated bundle', { name: identity.name });
  return { data: { ...identity } };
}

async function bump({ args, flags, io, signal }: Call): Promise<Outcome> {
  const version = flags.text('target_version') ?? '';
  if (!VERSION.test(version))
    throw new CliError('invalid-version', `failed to parse target version: "${version}"`, {
      exit: EXIT.usage,
      remedy: 'write three numbers such as 0.0.2',
    });
  const bundle = await openBundle(args[0] ?? '', signal);
  bundle.document.set('version', version);
  await bundle.save();
  io.info('version set', { version, before: bundle.manifest.version });
  return { data: { version, before: bundle.manifest.version } };
}

async function pack({ args, flags, io, cwd, signal }: Call): Promise<Outcome> {
  const path = args[0] ?? '';
  const bundle = await openBundle(path, signal);
  const base = (lastElement(path) ?? bundle.manifest.name).replace(/\.difybndl$/, '');
  const shown = flags.text('output_path') ?? `${base}.difybndl`;
  const output = resolve(cwd, shown);
  if (output === resolve(cwd, path) && existsSync(output))
    throw usageError('the bundle would replace itself', 'choose another output with -o');
  for (const dependency of describe(bundle)) {
    if (dependency.type === 'package' && dependency.found === false)
      throw new CliError(
        'missing-package',
        `dependency ${dependency.index}: package ${String(dependency.path)} is not in _assets`,
        { remedy: 'append it again, or remove the dependency' },
      );
  }
  for (const warning of bundle.warnings) io.warn(warning.message);
  throwIfAborted(signal);
  const bytes = bundleBytes(bundle.files);
  const limit = (flags.number('max-size') ?? 600) * 1024 * 1024;
  if (bytes.length > limit)
    throw new CliError('too-large', `the bundle has ${bytes.length} bytes, more than ${limit}`, {
      remedy: 'daemons refuse it (MAX_BUNDLE_PACKAGE_SIZE): remove packages, or raise --max-size',
    });
  await writeFileAtomic(output, bytes);
  io.info('successfully packaged bundle', { output_path: shown });
  return {
    text: relative(cwd, output),
    data: { output_path: output, size_bytes: bytes.length, dependencies: bundle.manifest.dependencies.length },
  };
}

export const COMMANDS: Readonly<Record<string, Handler>> = {
  init,
  'append github': appendGithub,
  'append marketplace': appendMarketplace,
  'append package': appendPackage,
  analyze,
  validate,
  remove,
  regenerate,
  bump,
  package: pack,
};
