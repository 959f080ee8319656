/**
 * `plugin module append tools|endpoints` (docs/wire/cli.md#modules-permissions-readmes) and `plugin module add <kind> <name>`: write
 * modules from the templates and name them where they belong.
 */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { isSeq } from 'yaml';
import type { Call, Handler, Outcome } from '../command.ts';
import { CliError, throwIfAborted, usageError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import {
  type Category,
  checkDescription,
  checkName,
  isModelCategory,
  MODULE_KINDS,
  type ModelCategory,
  PROVIDER_TYPES,
  type ProviderType,
} from '../init/rules.ts';
import { modelFiles, moduleFiles, partFiles } from '../init/scaffold.ts';
import { requireFolder } from '../source/folder.ts';
import { appendTo, type ManifestFile, openManifest, openUp, openYaml } from '../source/manifest-edit.ts';
import { declarationOf, openSource } from '../source/source.ts';

interface Kind {
  category: 'tool' | 'extension';
  word: string;
  done: string;
}

/** The only categories that may stand together are tools and endpoints. */
const ALONE = {
  model: 'model',
  agent_strategy: 'agent strategy',
  datasource: 'datasource',
  trigger: 'trigger',
} as const;

function append({ category, word, done }: Kind): Handler {
  return async ({ args, io, signal }: Call): Promise<Outcome> => {
    const folder = args[0] ?? '';
    await requireFolder(folder);
    const { declaration } = declarationOf(await openSource(folder, signal));
    const key = category === 'tool' ? 'tools' : 'endpoints';
    if ((declaration.plugins[key] ?? []).length > 0) {
      throw new CliError(
        'exists',
        `you have already declared ${word} in this plugin, add further ones to ${declaration.plugins[key]?.[0]}`,
        { file: 'manifest.yaml' },
      );
    }
    for (const [provider, name] of Object.entries(ALONE)) {
      if (declaration[provider as keyof typeof ALONE] !== undefined) {
        throw new CliError('not-allowed', `${name} plugin does not support declare ${word}`, {
          file: 'manifest.yaml',
          remedy: 'create a plugin of its own with dify plugin init',
        });
      }
    }
    const { name, author, description } = declaration;
    const made = moduleFiles({ name, author, description: description.en_US }, category, 'online_document');
    const manifest = await openManifest(folder);
    appendTo(manifest.document, ['plugins', made.key], made.file);
    if (category === 'extension') allowEndpoints(manifest, declaration);
    const written = await writeAll(folder, made.files, manifest, signal);
    io.info(done, { path: made.file });
    return { data: { files: written, manifest: `plugins.${made.key}` } };
  };
}

function allowEndpoints(manifest: ManifestFile, declaration: PluginDeclaration): void {
  if (declaration.resource.permission?.endpoint?.enabled === true) return;
  openUp(manifest.document, ['resource', 'permission']);
  manifest.document.setIn(['resource', 'permission', 'endpoint'], manifest.document.createNode({ enabled: true }));
}

/** Writes new files and then the YAML that names them; all or nothing, and never over something that exists. */
async function writeAll(
  folder: string,
  files: ReadonlyMap<string, string>,
  named: ManifestFile,
  signal: AbortSignal,
): Promise<string[]> {
  const taken = [...files.keys()].filter((path) => existsSync(join(folder, path)));
  if (taken.length > 0)
    throw new CliError('exists', `${taken.join(', ')} exists already`, {
      file: taken[0] ?? '',
      remedy: 'move it away first: nothing of yours is overwritten',
    });
  const written: string[] = [];
  try {
    for (const [path, text] of files) {
      throwIfAborted(signal);
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFileAtomic(join(folder, path), text, { exclusive: true });
      written.push(path);
    }
    await named.save();
  } catch (error) {
    for (const path of written) await rm(join(folder, path), { force: true });
    throw error;
  }
  return written;
}

export const appendTools = append({ category: 'tool', word: 'tools', done: 'created tool module successfully' });
export const appendEndpoints = append({
  category: 'extension',
  word: 'endpoints',
  done: 'created endpoint module successfully',
});

/** Category of a kind and the list of the manifest that names its provider. */
const PLACES: Readonly<
  Record<string, readonly [Exclude<Category, ModelCategory>, keyof PluginDeclaration['plugins']]>
> = {
  tool: ['tool', 'tools'],
  endpoint: ['extension', 'endpoints'],
  strategy: ['agent-strategy', 'agent_strategies'],
  datasource: ['datasource', 'datasources'],
  event: ['trigger', 'triggers'],
};

/** Whether a list of the document holds a value already. */
function listed(file: ManifestFile, path: readonly string[], value: string): boolean {
  const list = file.document.getIn(path);
  return isSeq(list) && (list.toJSON() as unknown[]).includes(value);
}

function addOnce(file: ManifestFile, path: readonly string[], value: string): void {
  if (!listed(file, path, value)) appendTo(file.document, path, value);
}

export async function addModule({ args, flags, io, signal }: Call): Promise<Outcome> {
  const [kind = '', name = '', folder = '.'] = args;
  if (!(MODULE_KINDS as readonly string[]).includes(kind))
    throw usageError(`there is no kind of module called "${kind}"`, `one of ${MODULE_KINDS.join(', ')}`);
  const description = flags.text('description') ?? name;
  const problem = checkName(name)?.replace('plugin name', 'name') ?? checkDescription(description);
  if (problem !== undefined) throw usageError(problem);
  await requireFolder(folder);
  const { declaration } = declarationOf(await openSource(folder, signal));
  const who = { name, author: declaration.author, description };
  const model = isModelCategory(kind);
  const [category, key] = PLACES[kind] ?? (['tool', 'models'] as const);
  const provider = declaration.plugins[key]?.[0];

  if (provider === undefined) {
    // The first one needs its provider too; only tools and endpoints may join something else.
    if (category !== 'tool' && category !== 'extension') throw noProvider(kind);
    if (model || Object.keys(ALONE).some((alone) => declaration[alone as keyof typeof ALONE] !== undefined))
      throw noProvider(kind);
    const made = moduleFiles(who, category, 'online_document');
    const manifest = await openManifest(folder);
    appendTo(manifest.document, ['plugins', made.key], made.file);
    if (category === 'extension') allowEndpoints(manifest, declaration);
    const files = await writeAll(folder, made.files, manifest, signal);
    io.info('module added', { kind, name, provider: made.file });
    return { data: { kind, name, provider: made.file, files } };
  }

  const yaml = await openYaml(folder, provider);
  let files: Map<string, string>;
  if (model) {
    const made = modelFiles(who, kind);
    const source = `models/${made.directory}/${made.directory}.py`;
    files = made.files;
    // The kind may be there already: then only a predefined model joins the others.
    const known = declaration.model?.supported_model_types?.includes(kind) === true;
    if (known) files.delete(source);
    else {
      appendTo(yaml.document, ['supported_model_types'], kind);
      addOnce(yaml, ['extra', 'python', 'model_sources'], source);
    }
    const paths = yaml.document.getIn(['models', made.directory, 'predefined']);
    const own = `models/${made.directory}/${name}.yaml`;
    const covered = isSeq(paths) && (paths.toJSON() as unknown[]).includes(`models/${made.directory}/*.yaml`);
    if (!covered)
      addOnce(yaml, ['models', made.directory, 'predefined'], known ? own : `models/${made.directory}/*.yaml`);
  } else {
    const made = partFiles(who, category, providerTypeOf(declaration));
    files = made.files;
    appendTo(yaml.document, [made.list], made.file);
  }
  const written = await writeAll(folder, files, yaml, signal);
  io.info('module added', { kind, name, provider });
  return { data: { kind, name, provider, files: written } };
}

function providerTypeOf(declaration: PluginDeclaration): ProviderType {
  const type = declaration.datasource?.provider_type;
  return PROVIDER_TYPES.find((each) => each === type) ?? 'online_document';
}

function noProvider(kind: string): CliError {
  return new CliError('not-allowed', `this plugin has nothing a ${kind} could be added to`, {
    file: 'manifest.yaml',
    remedy: 'create a plugin of its own with dify plugin init',
  });
}
