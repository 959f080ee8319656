import {
  EnvironmentError,
  type PreparedEnvironment,
  type PythonEnvironments,
} from '@plugin-daemon/plugin-host/environments';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { LocalRuntime } from '@plugin-daemon/plugin-host/runtimes/local';
import { type PluginDeclaration, parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import type { StartInstance } from './instance-slot.ts';
import { Limiter, Urgency } from './limiter.ts';
import { chooseWay, type ProcessStartOptions, startProcess } from './process-start.ts';

export interface PluginStarterOptions extends ProcessStartOptions {
  readonly environments: Pick<PythonEnvironments, 'prepare' | 'examine'>;
  readonly declarationOf: (identifier: string) => Promise<PluginDeclaration>;
  readonly readPackage: (identifier: string) => Promise<Uint8Array>;
  /** Whether there may be more than one process of a version. */
  readonly several?: (identifier: string) => boolean;
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
  return async (identifier, { signal, onProgress, urgency = new Urgency() }) => {
    const { checksum } = parseUniqueIdentifier(identifier);
    const declaration = await options.declarationOf(identifier);
    const { runner } = declaration.meta;
    onProgress('starting');
    const prepare = () =>
      builds.run(
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
    const started = async (prepared: PreparedEnvironment) => {
      const request = {
        identifier,
        prepared,
        entrypoint: runner.entrypoint,
        memory: declaration.resource.memory,
        several: options.several?.(identifier) === true,
        signal,
      };
      // Before it has a place among those that start: who waits for a parent takes nothing from the others.
      const way = await chooseWay(options, request, urgency.ofCalls);
      const run = async () => {
        onProgress('installing heartbeat, waiting for plugin to be ready...');
        try {
          return await startProcess(options, request, way);
        } catch (error) {
          if (signal.aborted) throw error;
          throw new DaemonError('internal', `plugin failed to start: ${messageOf(error)}`, { cause: error });
        }
      };
      try {
        return await starts.run(signal, run, urgency);
      } finally {
        way?.over();
      }
    };
    try {
      return await started(await prepare());
    } catch (error) {
      if (signal.aborted || error instanceof EnvironmentError) throw error;
      // Others have the same environment: one that is damaged is made anew now, not when each of them has failed.
      if ((await options.environments.examine(identifier)) === undefined) throw error;
      return await started(await prepare());
    }
  };
}
