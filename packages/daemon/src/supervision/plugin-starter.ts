import type { PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { CagedLaunch, PluginCages } from '@plugin-daemon/plugin-host/isolation';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import { LocalRuntime, type LocalRuntimeOptions } from '@plugin-daemon/plugin-host/runtimes/local';
import { type PluginDeclaration, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { StartInstance } from './instance-slot.ts';
import { Limiter } from './limiter.ts';

export interface PluginStarterOptions {
  readonly environments: PythonEnvironments;
  readonly declarationOf: (identifier: string) => Promise<PluginDeclaration>;
  readonly readPackage: (identifier: string) => Promise<Uint8Array>;
  /** What each process is held in. */
  readonly cages: Pick<PluginCages, 'enter'>;
  /** The environment of plugin processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runtime: Pick<
    LocalRuntimeOptions,
    'launcher' | 'log' | 'readySeconds' | 'maxMessageBytes' | 'budgets' | 'liveness' | 'graceMs' | 'cancelGraceMs'
  >;
  /** Environments built at once; PLUGIN_LOCAL_LAUNCHING_CONCURRENT. */
  readonly buildsAtOnce: number;
  /** Processes started at once: cheap beside building, but each start is a core's worth of imports. */
  readonly startsAtOnce: number;
}

/** From an identifier to a ready process: package, environment, process, first heartbeat (docs/wire/lifecycle.md#installing). */
export function createPluginStarter(
  options: PluginStarterOptions,
): (identifier: string, start: Parameters<StartInstance>[0]) => Promise<LocalRuntime> {
  const builds = new Limiter(options.buildsAtOnce);
  const starts = new Limiter(options.startsAtOnce);
  return async (identifier, { signal, onProgress, urgency }) => {
    const { pluginId, checksum } = parseUniqueIdentifier(identifier);
    const declaration = await options.declarationOf(identifier);
    const { runner } = declaration.meta;
    onProgress('starting');
    const prepared = await builds.run(
      signal,
      () =>
        options.environments.prepare({
          identifier,
          readPackage: () => options.readPackage(identifier),
          checksum,
          runner,
          signal,
          onProgress,
        }),
      urgency,
    );
    const startProcess = async () => {
      onProgress('installing heartbeat, waiting for plugin to be ready...');
      let caged: CagedLaunch | undefined;
      try {
        caged = await options.cages.enter({
          identifier,
          directory: prepared.directory,
          fresh: prepared.fresh,
          memory: declaration.resource.memory,
          spec: {
            command: prepared.python,
            args: bootstrapArguments(runner.entrypoint),
            cwd: prepared.directory,
            env: options.environment,
          },
        });
        const { spec, inForce, memoryLimit, leave } = caged;
        const { mode: isolation, reason } = inForce;
        options.runtime.log.info(
          { plugin: identifier, isolation, ...(reason && { reason }), memory_limit: memoryLimit?.bytes },
          'plugin is started',
        );
        const runtime = await LocalRuntime.start(
          { ...options.runtime, identifier, pluginId, command: spec, ...(memoryLimit && { memoryLimit }) },
          signal,
        );
        void runtime.ended.then(leave);
        return runtime;
      } catch (error) {
        await caged?.leave();
        if (signal.aborted) throw error;
        throw new DaemonError('internal', `plugin failed to start: ${messageOf(error)}`, { cause: error });
      }
    };
    return await starts.run(signal, startProcess, urgency);
  };
}
