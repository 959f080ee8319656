import { join } from 'node:path';
import { type Isolation, type LimitOptions, openIsolation } from '@plugin-daemon/plugin-host/isolation';
import type { ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import type { DataDirectory, Settings } from '../config/index.ts';
import type { Log, Metrics } from '../telemetry/index.ts';
import { observeIsolation } from './observation.ts';

/** What one plugin may use, as the settings say. */
export const limitsOfPlugins = (settings: Settings): LimitOptions => ({
  memoryFactor: settings.PLUGIN_MEMORY_FACTOR,
  memoryFloor: settings.PLUGIN_MEMORY_FLOOR,
  processes: settings.PLUGIN_MAX_PROCESSES,
  openFiles: settings.PLUGIN_MAX_OPEN_FILES,
  fileBytes: settings.PLUGIN_MAX_FILE_BYTES,
  cpuPercent: settings.PLUGIN_CPU_PERCENT,
});

/** What holds plugins and builds in, as the settings say. */
export function isolation(
  settings: Settings,
  parts: {
    readonly dataDirectory: Pick<DataDirectory, 'path' | 'toolsPath'>;
    /** Of the daemon, where this is one of several workers. */
    readonly wholeDirectory?: string | undefined;
    readonly launcher: ProcessLauncher;
    readonly log: Log;
    readonly metrics: Metrics;
  },
): Isolation {
  const { dataDirectory, launcher, log, metrics } = parts;
  return openIsolation({
    setting: settings.PLUGIN_ISOLATION,
    users: settings.PLUGIN_UID_RANGE,
    readable: settings.PLUGIN_READABLE_PATHS,
    writable: settings.PLUGIN_WRITABLE_PATHS,
    dataDirectory: dataDirectory.path,
    wholeDirectory: parts.wholeDirectory,
    workingPath: settings.PLUGIN_WORKING_PATH,
    toolsPath: dataDirectory.toolsPath,
    hidden: [settings.PLUGIN_STORAGE_LOCAL_ROOT, join(process.cwd(), '.env')],
    launcher,
    log,
    limits: limitsOfPlugins(settings),
    onInForce: observeIsolation(metrics),
  });
}
