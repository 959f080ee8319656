import type { PreparedEnvironment } from '@plugin-daemon/plugin-host/environments';
import type { CagedLaunch, PluginCages } from '@plugin-daemon/plugin-host/isolation';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import type { Haste, Parents, StartedBy, Way } from '@plugin-daemon/plugin-host/prefork';
import { LocalRuntime, type LocalRuntimeOptions } from '@plugin-daemon/plugin-host/runtimes/local';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';

export interface ProcessStartOptions {
  /** What each process is held in. */
  readonly cages: Pick<PluginCages, 'enter'>;
  /** Processes that fork plugins; absent: every plugin is started plainly. */
  readonly parents?: Parents | undefined;
  /** The environment of plugin processes. */
  readonly environment: Readonly<Record<string, string>>;
  readonly runtime: Pick<
    LocalRuntimeOptions,
    'launcher' | 'log' | 'readySeconds' | 'maxMessageBytes' | 'budgets' | 'liveness' | 'graceMs' | 'cancelGraceMs'
  >;
  /** Asked now and then why a plugin that runs on what was prepared should be started anew. */
  readonly standing?: ((identifier: string) => () => Promise<string | undefined>) | undefined;
  /** Told of each process that is ready. */
  readonly onStarted?: ((identifier: string, by: StartedBy) => void) | undefined;
}

export interface ProcessStartRequest {
  readonly identifier: string;
  readonly prepared: PreparedEnvironment;
  readonly entrypoint: string;
  /** `resource.memory` of the manifest. */
  readonly memory: number;
  /** There may be more than one process of it. */
  readonly several?: boolean;
  readonly signal: AbortSignal;
}

/** From a parent or plainly; undefined where there are no parents. Whoever asks for it starts a process that way. */
export async function chooseWay(
  { parents }: ProcessStartOptions,
  request: ProcessStartRequest,
  haste: Haste,
): Promise<Way | undefined> {
  return await parents?.choose(startOf(request), haste, request.signal);
}

const startOf = ({ identifier, prepared, entrypoint, several = false }: ProcessStartRequest) => ({
  identifier,
  directory: prepared.directory,
  python: prepared.python,
  entrypoint,
  several,
});

/** Each look is a handful of system calls. */
const STANDING_MS = 10_000;

/**
 * From an environment to a ready process: a cage, a parent if there is one, the first heartbeat. What a parent cannot start is started
 * plainly.
 * @throws Error that names exit code, signal and the last of stderr; the signal's reason
 */
export async function startProcess(
  options: ProcessStartOptions,
  request: ProcessStartRequest,
  way: Way | undefined,
): Promise<LocalRuntime> {
  const { parents } = options;
  const { identifier, signal } = request;
  const ready = (runtime: LocalRuntime, way: Way | undefined) => {
    const by: StartedBy = way?.by() ?? { way: 'plain', reason: 'parents are turned off (PLUGIN_PREFORK)' };
    options.onStarted?.(identifier, by);
    if (by.way === 'plain') parents?.prepare(startOf(request));
    return runtime;
  };
  try {
    return ready(await startIn(options, request, way), way);
  } catch (error) {
    const tried = way?.by().way ?? 'plain';
    if (signal.aborted || tried === 'plain') throw error;
    const reason = `it did not start from a ${tried === 'templated' ? 'template' : 'parent'}: ${messageOf(error)}`;
    options.runtime.log.warn({ plugin: identifier, reason }, 'plugin is started plainly');
    const runtime = await startIn(options, request, undefined);
    // It is the plugin that cannot be forked; else the plain start had failed as well, or there is nothing left to fork from.
    if (!way?.sourceEnded()) parents?.refuse(identifier, reason, tried);
    options.onStarted?.(identifier, { way: 'plain', reason });
    return runtime;
  }
}

async function startIn(
  options: ProcessStartOptions,
  { identifier, prepared, entrypoint, memory, signal }: ProcessStartRequest,
  way: Way | undefined,
): Promise<LocalRuntime> {
  let caged: CagedLaunch | undefined;
  try {
    caged = await options.cages.enter({
      identifier,
      directory: prepared.directory,
      fresh: prepared.fresh,
      memory,
      spec: {
        command: prepared.python,
        args: bootstrapArguments(entrypoint),
        cwd: prepared.directory,
        env: options.environment,
      },
      shows: [...(prepared.shared === undefined ? [] : [prepared.shared]), ...(way?.shows ?? [])],
    });
    const { spec, inForce, memoryLimit, leave } = caged;
    const { mode: isolation, reason } = inForce;
    const by = way?.by() ?? { way: 'plain' };
    options.runtime.log.info(
      {
        plugin: identifier,
        isolation,
        ...(reason && { reason }),
        memory_limit: memoryLimit?.bytes,
        start: by.way,
        ...(by.reason && { plain_because: by.reason }),
      },
      'plugin is started',
    );
    const { pluginId } = parseUniqueIdentifier(identifier);
    const problem = options.standing?.(identifier);
    const launcher = way?.launcher ?? options.runtime.launcher;
    const runtime = await LocalRuntime.start(
      {
        ...options.runtime,
        launcher,
        identifier,
        pluginId,
        command: spec,
        ...(memoryLimit && { memoryLimit }),
        ...(problem && { standing: { problem, everyMs: STANDING_MS } }),
      },
      signal,
    );
    // Instances that came from it share its cage.
    void Promise.all([runtime.ended, runtime.left]).then(leave);
    return runtime;
  } catch (error) {
    await caged?.leave();
    throw error;
  }
}
