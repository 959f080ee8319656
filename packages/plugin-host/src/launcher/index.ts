/**
 * Starting and ending plugin processes: own process group, three byte pipes, exit, usage, and no survivors.
 *
 * Owns the life of the process and nothing of what flows through its pipes. Touches only the operating system.
 * Called by the local runtime, by environments/ (for uv) and by isolation/ (which describes the cage that is applied here); compose/ hands
 * them one launcher.
 *
 * A start through the helper process blocks the event loop for a tenth of a millisecond, a direct one for 10 ms when the
 * daemon holds 120 MB and 70 ms when it holds 1 GB, because the kernel copies its page tables. The helper is a Python
 * process of 10 MB (a second Node would take 45) that is started with the first plugin, or before (`prepare`)
 * where one is expected.
 */
import { DirectLauncher } from './direct-launcher.ts';
import { HelperLauncher } from './helper-launcher.ts';
import type { ProcessLauncher } from './process-launcher.ts';

export type { Cage, Mount, ResourceLimit } from './cage.ts';
export { type Forked, ForkParent } from './fork-parent.ts';
export { CageUnavailable, HelperShortage, isShortage } from './helper-launcher.ts';
export type { HelperProgram, OpenOptions } from './helper-process.ts';
export { HELPER_BODY, HELPER_START } from './helper-script.ts';
export { explainPid1, type Pid1Finding } from './pid1.ts';
export type {
  Fork,
  LaunchSpec,
  PluginProcess,
  ProcessExit,
  ProcessLauncher,
  ProcessUsage,
} from './process-launcher.ts';
export type { Template, TemplateOutcome } from './template.ts';

export interface ProcessLauncherOptions {
  /** PYTHON_INTERPRETER_PATH: runs the helper; `python3` of PATH is tried when it does not. */
  readonly python?: string;
  /** PATH of the daemon. */
  readonly searchPath?: string;
  /** Told once when plugins are started directly because no helper can be; not called on Windows, where that is normal. */
  readonly onFallback?: (reason: unknown) => void;
  /** Told of a helper that does not answer and is ended for that, with the plugins it has started. */
  readonly onHung?: () => void;
}

export function createProcessLauncher(options: ProcessLauncherOptions = {}): ProcessLauncher {
  const direct = new DirectLauncher();
  if (process.platform === 'win32') return direct;
  return new HelperLauncher({
    pythons: [...new Set([options.python ?? '/usr/bin/python3', '/usr/bin/python3', 'python3'])],
    searchPath: options.searchPath ?? '/usr/local/bin:/usr/bin:/bin',
    fallback: direct,
    onFallback: options.onFallback ?? (() => {}),
    onHung: options.onHung,
  });
}
