/**
 * What holds plugins in: finds out what this system allows, gives every plugin version a user of its own, and describes the cage
 * in which the launcher starts it.
 *
 * Owns the file of user ids, the scratch directories of plugins, their control groups, and owner and mode of their working
 * directories. Touches no process: the launcher applies the cage. Called by supervision/ for plugins, by environments/ for builds.
 */
import { BuildCages } from './build-cages.ts';
import { Foundation, type IsolationOptions } from './foundation.ts';
import { PluginCages, type PluginCagesOptions } from './plugin-cages.ts';

export type { BuildCages, BuildRequest, CagedBuild } from './build-cages.ts';
export type { IsolationOptions } from './foundation.ts';
export { type LimitOptions, type MemoryLimit, type PluginLimits, pluginLimits } from './limits.ts';
export { describeMode, type IsolationMode, type IsolationSetting } from './modes.ts';
export type { CagedLaunch, CageRequest, InForce, PluginCages, PluginCagesOptions } from './plugin-cages.ts';
export type { UserRange } from './users.ts';

export interface Isolation {
  readonly plugins: PluginCages;
  readonly builds: BuildCages;
  /** Finds out now what is possible, for a first start that will not have to wait for it. Resolves when it is known; never rejects. */
  prepare(): Promise<void>;
  /** After every process has ended. */
  close(): Promise<void>;
}

/** What is possible is found out when the first process is to be started, or before with `prepare`. */
export function openIsolation(options: IsolationOptions & PluginCagesOptions): Isolation {
  const foundation = new Foundation(options);
  return {
    plugins: new PluginCages(foundation, options),
    builds: new BuildCages(foundation, options.limits),
    async prepare() {
      options.launcher.prepare?.();
      // Why it is not possible is told where it matters: to who starts the first process.
      await foundation.mode().catch(() => undefined);
    },
    close: () => foundation.close(),
  };
}
