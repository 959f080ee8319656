/** `plugin module append tools|endpoints`: writes a module from the templates and names it in the manifest (section 8.2). */
import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Call, Handler, Outcome } from '../command-line/types.ts';
import { CliError, throwIfAborted } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { moduleFiles } from '../init/scaffold.ts';
import { requireFolder } from './folder.ts';
import { appendTo, openManifest, openUp } from './manifest-edit.ts';
import { declarationOf, openSource } from './source.ts';

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
    const taken = [...made.files.keys()].filter((path) => existsSync(join(folder, path)));
    if (taken.length > 0)
      throw new CliError('exists', `${taken.join(', ')} exists already`, {
        file: taken[0] ?? '',
        remedy: 'move it away first: nothing of yours is overwritten',
      });

    const manifest = await openManifest(folder);
    appendTo(manifest.document, ['plugins', made.key], made.file);
    if (category === 'extension' && declaration.resource.permission?.endpoint?.enabled !== true) {
      openUp(manifest.document, ['resource', 'permission']);
      manifest.document.setIn(['resource', 'permission', 'endpoint'], manifest.document.createNode({ enabled: true }));
    }
    const written: string[] = [];
    try {
      for (const [path, text] of made.files) {
        throwIfAborted(signal);
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFileAtomic(join(folder, path), text, { exclusive: true });
        written.push(path);
      }
      await manifest.save();
    } catch (error) {
      for (const path of written) await rm(join(folder, path), { force: true });
      throw error;
    }
    io.info(done, { path: made.file });
    return { data: { files: written, manifest: `plugins.${made.key}` } };
  };
}

export const appendTools = append({ category: 'tool', word: 'tools', done: 'created tool module successfully' });
export const appendEndpoints = append({
  category: 'extension',
  word: 'endpoints',
  done: 'created endpoint module successfully',
});
