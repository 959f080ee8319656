/** Local mode: prepares the plugin's environment, runs it for one call, streams what it yields (docs/wire/cli.md#local). */
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { sessionErrorJson } from '@plugin-daemon/plugin-host/errors';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import { CliError } from '../errors.ts';
import { environmentBuilder } from '../machine/environment-builder.ts';
import { answerBackwards, type MockOptions, MockStorage } from '../run/mock-dify.ts';
import { PluginHost } from '../run/plugin-host.ts';
import { readMapping } from '../run/script-file.ts';
import type { LocalConfig } from './config.ts';
import type { SlimInput } from './input.ts';
import type { LineSink } from './json-lines.ts';
import { obtainPlugin } from './plugin-folder.ts';
import { SlimError, withStderr } from './slim-error.ts';

/** Seconds without a sign of life; the SDK sends one every ten. */
const IDLE_SECONDS = 120;

async function preparedPython(
  config: LocalConfig,
  id: string,
  runner: { language: string; version: string },
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<string> {
  const launcher = createProcessLauncher();
  const folder = resolve(config.folder);
  const environments = environmentBuilder({
    workingPath: folder,
    toolsDirectory: join(folder, '.tools'),
    launcher,
    env,
    interpreter: onPath(config.pythonPath, env.PATH ?? ''),
    uvPath: config.uvPath === '' ? undefined : config.uvPath,
    inactivitySeconds: config.initTimeout,
    extraArgs: config.pipExtraArgs,
    ignoreLock: config.ignoreUvLock,
    mirrorUrl: config.pipMirrorUrl,
    // The folder is also the daemon's, whose plugins may run with other rights.
    share: false,
  });
  try {
    const prepared = await environments.prepare({
      identifier: id,
      // The files are in place already: obtaining them is a step of its own.
      readPackage: () => Promise.reject(new Error('the files are unpacked')),
      runner,
      signal,
      onProgress() {},
    });
    return prepared.python;
  } catch (error) {
    throw new SlimError('PLUGIN_INIT_ERROR', `init python env: ${messageOf(error)}`, error);
  } finally {
    await environments.close();
    await launcher.close();
  }
}

async function mockFor(
  file: string | undefined,
  accessType: string,
  declaration: PluginDeclaration,
): Promise<MockOptions> {
  try {
    return {
      permission: declaration.resource.permission ?? undefined,
      accessType,
      storage: new MockStorage(),
      ...(file === undefined ? {} : { script: await readMapping(file) }),
    };
  } catch (error) {
    throw new SlimError('INVALID_INPUT', messageOf(error), error);
  }
}

export interface RunOptions {
  id: string;
  type: string;
  action: string;
  input: SlimInput;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  sink: LineSink;
  /** Exit code 1 after an `error` event. */
  strict: boolean;
  /** Seconds, instead of the configured ones. */
  timeout: number | undefined;
  /** Print what the plugin logs as `log` events. */
  logs: boolean;
  /** Answer calls back into Dify as the mock does. */
  backwards: { script: string | undefined } | undefined;
  /** Refuse downloads without an official signature. */
  verify: boolean;
}

/** @returns the exit code */
export async function runLocal(config: LocalConfig, options: RunOptions): Promise<number> {
  const { id, sink, input, signal } = options;
  const { directory, declaration } = await obtainPlugin(config, id, sink, options.verify);
  const mock =
    options.backwards === undefined ? undefined : await mockFor(options.backwards.script, options.type, declaration);
  await sink.send('message', { stage: 'init', message: 'initializing python environment' });
  const python = await preparedPython(config, id, declaration.meta.runner, options.env, signal);
  await sink.send('message', { stage: 'init', message: 'python environment ready' });

  const limit = options.timeout ?? config.executionTimeout;

  let host: PluginHost;
  try {
    host = await PluginHost.start(
      {
        python,
        directory: resolve(directory),
        entrypoint: declaration.meta.runner.entrypoint,
        env: options.env,
        ...(options.logs ? { onLog: (level, message) => void sink.send('log', { level, message }) } : {}),
        startTimeout: IDLE_SECONDS,
        silenceTimeout: IDLE_SECONDS,
      },
      signal,
    );
  } catch (error) {
    if (error instanceof CliError) throw new SlimError('PLUGIN_EXEC_ERROR', error.message, error);
    throw error;
  }
  let total: NodeJS.Timeout | undefined;
  try {
    return await new Promise<number>((resolveExit, reject) => {
      const fatal = (message: string): void =>
        reject(withStderr(new SlimError('PLUGIN_EXEC_ERROR', message), host.stderr));
      total = setTimeout(() => fatal(`execution timeout: not finished after ${limit} seconds`), limit * 1000);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      host.call(
        {
          type: options.type,
          action: options.action,
          request: input.data,
          userId: input.userId,
          tenantId: input.tenantId,
          requestWins: false,
        },
        {
          chunk: (json) => void sink.raw('chunk', json),
          ...(mock === undefined ? {} : { invoke: (data, respond) => void answerBackwards(data, mock, respond) }),
          end: () => void sink.send('done', null).then(() => resolveExit(0)),
          fail(failure) {
            if (failure.errorType === 'PluginExitError') fatal(failure.message);
            else
              void sink
                .send('error', { code: 'PLUGIN_EXEC_ERROR', message: sessionErrorJson(failure) })
                .then(() => resolveExit(options.strict ? 1 : 0));
          },
        },
      );
    });
  } finally {
    clearTimeout(total);
    await host.close();
  }
}

/** A command by its path: processes are started without a search. What is nowhere stays as it is and fails by its name. */
function onPath(command: string, path: string): string {
  if (/[\\/]/.test(command)) return command;
  const files = path.split(delimiter).map((folder) => join(folder, command));
  return files.find((file) => existsSync(file)) ?? command;
}
