/**
 * Starting and ending plugin processes: own process group, three byte pipes, exit, usage, and no survivors.
 *
 * Owns the life of the process and nothing of what flows through its pipes. Touches only the operating system.
 * Called by the local runtime, which is handed one launcher by compose.ts.
 */
import { DirectLauncher } from './direct-launcher.ts';
import type { ProcessLauncher } from './process-launcher.ts';

export { explainPid1, type Pid1Finding } from './pid1.ts';
export type { LaunchSpec, PluginProcess, ProcessExit, ProcessLauncher, ProcessUsage } from './process-launcher.ts';

export function createProcessLauncher(): ProcessLauncher {
  return new DirectLauncher();
}
