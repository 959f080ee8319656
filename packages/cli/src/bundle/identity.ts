/** Who a bundle is: made with a name, an author and a description, or given others. */
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT, usageError } from '../errors.ts';
import { createDirectory } from '../files/atomic.ts';
import { fill } from '../init/render.ts';
import { checkAuthor, checkDescription, checkName, VERSION } from '../init/rules.ts';
import { templateFiles } from '../init/template-files.ts';
import { openBundle } from './store.ts';

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

export async function init(call: Call): Promise<Outcome> {
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

export async function regenerate(call: Call): Promise<Outcome> {
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

export async function bump({ args, flags, io, signal }: Call): Promise<Outcome> {
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
