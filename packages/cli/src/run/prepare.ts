/** A plugin made ready to start: files in place, environment there. What was unpacked for it is removed again on close. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PluginDeclaration, parseUniqueIdentifier, workingDirectoryName } from '@plugin-daemon/plugin-package';
import type { Call } from '../command.ts';
import { CliError } from '../errors.ts';
import { startProgress } from '../output/progress.ts';
import {
  checksumOfSource,
  declarationOf,
  identifierOf,
  openSource,
  type PluginSource,
  packageError,
} from '../source/source.ts';
import type { HostOptions } from './plugin-host.ts';
import { dependencyFiles, preparePython, type ReadyPython } from './python-environment.ts';

export interface ReadyPlugin {
  source: PluginSource;
  declaration: PluginDeclaration;
  /** `author/name:version@checksum` */
  identifier: string;
  /** Folder to run in. */
  directory: string;
  python: string;
  /** As `ReadyPython.mend`. */
  mend(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** Finds or makes the environment for a plugin's files. */
export async function environmentFor(
  source: PluginSource,
  declaration: PluginDeclaration,
  call: Call,
): Promise<ReadyPython> {
  const { files } = source;
  const readers = new Map(files.names.map((name) => [name, () => files.read(name)] as const));
  const progress = startProgress(call.io);
  try {
    const ready = await preparePython({
      files: dependencyFiles(readers),
      runner: declaration.meta.runner,
      env: call.env,
      uv: call.flags.text('uv'),
      python: call.flags.text('python'),
      signal: call.signal,
      onProgress: (text) => {
        progress.update(text);
        call.io.debug(text);
      },
    });
    call.io.debug(ready.fresh ? 'environment made' : 'environment reused', { python: ready.python });
    return ready;
  } finally {
    progress.end();
  }
}

export async function preparePlugin(path: string, call: Call): Promise<ReadyPlugin> {
  const source = await openSource(path, call.signal);
  const { declaration } = declarationOf(source);
  const identifier = identifierOf(declaration, checksumOfSource(source));
  if (source.archive === undefined) {
    const { python, mend } = await environmentFor(source, declaration, call);
    const directory = source.folder?.root ?? path;
    return { source, declaration, identifier, directory, python, mend, close: async () => {} };
  }
  const scratch = await mkdtemp(join(tmpdir(), 'plugin-run-'));
  const close = (): Promise<void> => rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  try {
    let directory: string;
    try {
      directory = join(scratch, ...workingDirectoryName(parseUniqueIdentifier(identifier)).split('/'));
      source.archive.extractTo(directory);
    } catch (error) {
      throw packageError(error, path);
    }
    const { python, mend } = await environmentFor(source, declaration, call);
    return { source, declaration, identifier, directory, python, mend, close };
  } catch (error) {
    await close();
    throw error instanceof CliError ? error : packageError(error, path);
  }
}

/** Starts a plugin, and once more when its environment turns out to be damaged. @throws what `start` throws */
export async function startPlugin<T>(
  { python, directory, declaration, mend }: ReadyPlugin,
  { env, io, signal }: Call,
  start: (options: HostOptions) => Promise<T>,
): Promise<T> {
  const options = { python, directory, entrypoint: declaration.meta.runner.entrypoint, env };
  try {
    return await start(options);
  } catch (error) {
    if (signal.aborted) throw error;
    const problem = await mend();
    if (problem === undefined) throw error;
    io.warn('the Python environment was damaged and is made anew', { problem });
    return await start(options);
  }
}
