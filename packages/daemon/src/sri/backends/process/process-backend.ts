import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { CagedLaunch, PluginCages } from '@plugin-daemon/plugin-host/isolation';
import type { PluginProcess, ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import type { Parents, StartedBy, Way } from '@plugin-daemon/plugin-host/prefork';
import { MemoryWatch } from '@plugin-daemon/plugin-host/runtimes/local';
import { messageOf } from '@plugin-daemon/values';
import type { Log } from '../../../telemetry/index.ts';
import {
  type Backend,
  type BackendOptions,
  type BuiltFunction,
  type FunctionInstance,
  functionVariables,
  type InstanceAddress,
  type StartRequest,
} from '../backend.ts';
import { untilHealthy } from '../health.ts';
import { OutputLog, withLastWords } from '../output-log.ts';
import { type RelayedPlace, RelayPlaces } from '../relay/index.ts';
import { freePort, listensItself } from './listener.ts';

export interface ProcessBackendOptions extends BackendOptions {
  readonly launcher: ProcessLauncher;
  readonly cages: Pick<PluginCages, 'enter' | 'forget'>;
  /** Processes that fork functions; absent: every one is started plainly. */
  readonly parents?: Parents | undefined;
}

const HOST = '127.0.0.1';
/** Somebody else may take the port between our looking and the plugin's binding. */
const ATTEMPTS = 3;
/** A call waits for every start of a function. */
const WAITED_FOR = { urgent: true, raised: Promise.resolve() };
const OTHER_LISTENER = 'another program listens on the port that was meant for it';

/**
 * Functions as processes of this machine, in the cage that plugins have at home, each on a port of the loopback. They end with this
 * server, however it ends: the launcher sees to that.
 */
export class ProcessBackend implements Backend {
  readonly name = 'process';
  readonly showsShared = true;
  readonly #options: ProcessBackendOptions;
  /** Undefined: functions stay in the network of this machine. */
  readonly #places: RelayPlaces | undefined;

  constructor(options: ProcessBackendOptions) {
    this.#options = options;
    const { egress: policy, daemonUrl, secrets, log } = options;
    this.#places = policy === 'all' ? undefined : new RelayPlaces({ policy, daemonUrl, secrets, log });
  }

  async check(): Promise<void> {}

  async sweep(): Promise<void> {}

  async close(): Promise<void> {
    await this.#places?.close();
  }

  async remove({ identifier }: { readonly identifier: string }, directory: string): Promise<void> {
    await this.#options.cages.forget(identifier, directory);
  }

  async start(request: StartRequest): Promise<FunctionInstance> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(request, await freePort());
      } catch (error) {
        request.signal.throwIfAborted();
        const text = messageOf(error);
        const taken = text.includes('Address already in use') || text.includes(OTHER_LISTENER);
        if (!taken || attempt === ATTEMPTS)
          throw new DaemonError('internal', `the function failed to start: ${text}`, { cause: error });
      }
    }
  }

  /** From a parent that has imported the SDK, where there is one; else, and if that goes wrong, plainly. */
  async #attempt(request: StartRequest, port: number): Promise<FunctionInstance> {
    const { parents, log } = this.#options;
    const { record, directory, python } = request.function;
    const start = { identifier: record.identifier, directory, python, entrypoint: record.runner.entrypoint };
    // A relay is a program of its own, which no parent has loaded.
    const way = this.#places === undefined ? await parents?.choose(start, WAITED_FOR, request.signal) : undefined;
    try {
      const instance = await this.#startIn(request, port, way);
      if (this.#places === undefined && way?.by().way !== 'forked') parents?.prepare(start);
      return instance;
    } catch (error) {
      if (request.signal.aborted || way?.by().way !== 'forked') throw error;
      const reason = `it did not start from a parent: ${messageOf(error)}`;
      log.warn({ plugin: record.identifier, reason }, 'a function is started plainly');
      const instance = await this.#startIn(request, await freePort(), undefined);
      if (!way.sourceEnded()) parents?.refuse(record.identifier, reason);
      return instance;
    } finally {
      way?.over();
    }
  }

  async #startIn(
    { function: target, signal }: StartRequest,
    port: number,
    way: Way | undefined,
  ): Promise<FunctionInstance> {
    signal.throwIfAborted();
    const place = await this.#places?.create(target.record.identifier, true);
    let caged: CagedLaunch | undefined;
    let instance: ProcessInstance;
    try {
      caged = await this.#enter(target, port, place, way);
      const launcher = way?.launcher ?? this.#options.launcher;
      instance = new ProcessInstance(await launcher.launch(caged.spec), {
        target,
        address: place === undefined ? { origin: `http://${HOST}:${port}` } : relayed(place),
        start: way?.by().way ?? 'plain',
        graceMs: this.#options.graceMs,
        memoryLimit: caged.memoryLimit,
        log: this.#options.log,
      });
    } catch (error) {
      await caged?.leave();
      await place?.leave();
      throw error;
    }
    void instance.ended.then(async () => {
      await caged.leave();
      await place?.leave();
    });
    await this.#ready(instance, place === undefined ? port : undefined, signal);
    return instance;
  }

  #enter(
    { record, directory, python, shared, fresh }: BuiltFunction,
    port: number,
    place: RelayedPlace | undefined,
    way: Way | undefined,
  ): Promise<CagedLaunch> {
    const { cages, environment, daemonUrl, timeoutSeconds } = this.#options;
    const command = bootstrapArguments(record.runner.entrypoint);
    return cages.enter({
      identifier: record.identifier,
      directory,
      fresh,
      memory: record.memory,
      ...(place !== undefined && { shared: place.directory }),
      shows: [...(shared === undefined ? [] : [shared]), ...(way?.shows ?? [])],
      spec: {
        command: python,
        args: place === undefined ? command : [...place.relayArguments, python, ...command],
        cwd: directory,
        env: {
          ...environment,
          ...place?.variables,
          ...functionVariables({
            host: HOST,
            port: place?.port ?? port,
            daemonUrl: place?.daemonUrl ?? daemonUrl,
            timeoutSeconds,
          }),
        },
      },
    });
  }

  /** Waits until it answers, itself. Ends it if it does not. */
  async #ready(instance: ProcessInstance, port: number | undefined, signal: AbortSignal): Promise<void> {
    const { readySeconds } = this.#options;
    const given = new AbortController();
    const limit = AbortSignal.timeout(readySeconds * 1000);
    const waiting = AbortSignal.any([signal, given.signal, limit]);
    try {
      await Promise.race([
        untilHealthy(instance.address, waiting),
        instance.ended.then(({ text }) => Promise.reject(new Error(text))),
      ]);
      if (port !== undefined && (await listensItself(instance.pid, port)) === false) throw new Error(OTHER_LISTENER);
    } catch (error) {
      await instance.stop('it was not ready');
      signal.throwIfAborted();
      if (limit.aborted)
        throw new Error(
          withLastWords(
            `it did not answer /health within ${readySeconds} s (PYTHON_ENV_INIT_TIMEOUT)`,
            instance.lastWords,
          ),
        );
      throw error;
    } finally {
      given.abort();
    }
  }
}

/** What is sent there does not depend on the name. */
const relayed = ({ callsSocket }: RelayedPlace): InstanceAddress => ({
  origin: 'http://function',
  socketPath: callsSocket,
});

interface ProcessInstanceOptions {
  readonly target: BuiltFunction;
  readonly address: InstanceAddress;
  readonly start: StartedBy['way'];
  readonly graceMs: number;
  readonly memoryLimit: CagedLaunch['memoryLimit'];
  readonly log: Log;
}

class ProcessInstance implements FunctionInstance {
  readonly id: string;
  readonly address: InstanceAddress;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly ended: Promise<{ readonly text: string }>;
  readonly #process: PluginProcess;
  readonly #options: ProcessInstanceOptions;
  readonly #output: OutputLog;
  readonly #memory: MemoryWatch | undefined;
  #exceeded = false;
  #endReason: string | undefined;

  constructor(process: PluginProcess, options: ProcessInstanceOptions) {
    const { target, address, start, log, memoryLimit } = options;
    this.#process = process;
    this.#options = options;
    this.id = `${target.record.name}-${process.pid}`;
    this.address = address;
    this.facts = { pid: process.pid, start };
    this.#output = new OutputLog(log, { plugin: target.record.identifier, pid: process.pid });
    process.stdout.on('data', (bytes: Buffer) => this.#output.push('stdout', bytes));
    process.stderr.on('data', (bytes: Buffer) => this.#output.push('stderr', bytes));
    if (memoryLimit?.watch === true)
      this.#memory = new MemoryWatch(process, memoryLimit.bytes, () => {
        this.#exceeded = true;
        process.kill('SIGKILL');
      });
    this.ended = this.#watch();
  }

  get pid(): number {
    return this.#process.pid;
  }

  get lastWords(): string {
    return this.#output.lastWords;
  }

  async stop(reason: string): Promise<void> {
    this.#endReason ??= reason;
    this.#process.kill('SIGTERM');
    const kill = setTimeout(() => this.#process.kill('SIGKILL'), this.#options.graceMs);
    try {
      await this.ended;
    } finally {
      clearTimeout(kill);
    }
  }

  async #watch(): Promise<{ readonly text: string }> {
    const exit = await this.#process.exited;
    // What it wrote last may still be on its way.
    await new Promise((resolve) => setImmediate(resolve));
    const how = exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
    this.#memory?.stop();
    const limit = this.#exceeded || exit.limit === 'memory' ? this.#options.memoryLimit : undefined;
    const cause = limit === undefined ? this.#endReason : `it used more than ${limit.text}`;
    const text = `the process of the function ended (${how}${cause === undefined ? '' : `, because ${cause}`})`;
    return { text: withLastWords(text, this.lastWords) };
  }
}
