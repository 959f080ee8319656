import { chown } from 'node:fs/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { type PluginLimits, pluginLimits } from '@plugin-daemon/plugin-host/isolation';
import { bootstrapArguments } from '@plugin-daemon/plugin-host/plugin-python';
import { isObject, messageOf } from '@plugin-daemon/values';
import {
  type Backend,
  type FunctionInstance,
  functionVariables,
  type ImageBackendOptions,
  type StartRequest,
} from '../backend.ts';
import { untilHealthy } from '../health.ts';
import { OpenedDirectories } from '../opened-directories.ts';
import { withLastWords } from '../output-log.ts';
import { type RelayedPlace, RelayPlaces } from '../relay/index.ts';
import { ContainerInstance, removeContainer } from './container-instance.ts';
import { ContainerEngine, EngineRefusal } from './engine.ts';
import { interpreterMounts, mountOf } from './mounts.ts';
import { ownLimits } from './own-limits.ts';

export interface ContainerBackendOptions extends ImageBackendOptions {
  readonly socketPath: string;
  /** The network of functions that may connect anywhere. */
  readonly network: string;
  /** Further files and directories that functions may read. */
  readonly readable: readonly string[];
}

const OWNER = 'dify.sri.owner';
const FUNCTION = 'dify.sri.function';
const USER_PROCESSES = 4096;
const TEMPORARY = 'rw,nosuid,nodev,mode=1777,size=1073741824';

/**
 * Functions as containers, through the API of Docker or Podman. The image is the system; environment, interpreter and package are mounted
 * read-only where they lie on this machine. Calls come in through a Unix socket, so that a container needs no network.
 */
export class ContainerBackend implements Backend {
  readonly name = 'container';
  readonly showsShared = false;
  readonly #options: ContainerBackendOptions;
  readonly #engine: ContainerEngine;
  readonly #places: RelayPlaces;
  readonly #opened: OpenedDirectories;

  constructor(options: ContainerBackendOptions) {
    this.#options = options;
    this.#opened = new OpenedDirectories(options.openForUser);
    this.#engine = new ContainerEngine(options);
    const { egress: policy, daemonUrl, secrets, log } = options;
    this.#places = new RelayPlaces({ policy, daemonUrl, secrets, log });
  }

  async check(signal: AbortSignal): Promise<void> {
    const { image } = this.#options;
    try {
      await this.#engine.call('GET', `/images/${encodeURIComponent(image)}/json`, { signal });
    } catch (error) {
      if (!(error instanceof EngineRefusal) || error.status !== 404) throw error;
      throw new DaemonError('unavailable', `the container engine does not have the image ${image}`, {
        cause: error,
        remedy: `Pull or build it, or name another one in SRI_CONTAINER_IMAGE`,
      });
    }
  }

  async sweep(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`${OWNER}=${this.#options.owner}`] }));
    let found: unknown;
    try {
      found = await this.#engine.call('GET', `/containers/json?all=true&filters=${filters}`);
    } catch (error) {
      // Launches say the same, to whom it concerns; the server starts, as the engine may come up later.
      this.#options.log.warn({ error: messageOf(error) }, 'what former functions have left could not be looked for');
      return;
    }
    const ids = Array.isArray(found) ? found.filter(isObject).map(({ Id }) => String(Id)) : [];
    for (const id of ids) await removeContainer(this.#engine, id, this.#options.log);
    if (ids.length > 0) this.#options.log.info({ containers: ids.length }, 'containers of a former life were removed');
  }

  async remove(_target: unknown, directory: string): Promise<void> {
    this.#opened.forget(directory);
  }

  async close(): Promise<void> {
    await this.#places.close();
    await this.#engine.close();
  }

  async start(request: StartRequest): Promise<FunctionInstance> {
    const { function: target, signal } = request;
    signal.throwIfAborted();
    const place = await this.#places.create(target.record.identifier, false);
    try {
      const { uid, gid } = this.#options.user;
      if (process.geteuid?.() === 0) await chown(place.directory, uid, gid);
      await this.#opened.ensure(target);
      const id = await this.#create(request, place);
      const instance = new ContainerInstance({
        id,
        engine: this.#engine,
        target,
        address: { origin: 'http://function', socketPath: place.callsSocket },
        graceMs: this.#options.graceMs,
        memoryText: pluginLimits(target.record.memory, this.#options.limits).memoryText,
        log: this.#options.log,
      });
      await instance.run(() => place.leave());
      await this.#ready(instance, signal);
      return instance;
    } catch (error) {
      await place.leave();
      signal.throwIfAborted();
      if (error instanceof DaemonError) throw error;
      throw new DaemonError('internal', `the function failed to start: ${messageOf(error)}`, { cause: error });
    }
  }

  async #create(
    { function: { record, directory, python }, signal }: StartRequest,
    place: RelayedPlace,
  ): Promise<string> {
    const options = this.#options;
    const limits = pluginLimits(record.memory, options.limits);
    const held = options.egress !== 'all';
    const environment = {
      ...options.environment,
      ...(held && place.variables),
      ...functionVariables({
        host: '127.0.0.1',
        port: place.port,
        daemonUrl: place.daemonUrl,
        timeoutSeconds: options.timeoutSeconds,
      }),
      HOME: '/tmp',
      TMPDIR: '/tmp',
    };
    const made = await this.#engine.call('POST', '/containers/create', {
      signal,
      body: {
        Image: options.image,
        Entrypoint: [python],
        Cmd: [...place.relayArguments, python, ...bootstrapArguments(record.runner.entrypoint)],
        WorkingDir: directory,
        User: `${options.user.uid}:${options.user.gid}`,
        Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
        Labels: { [OWNER]: options.owner, [FUNCTION]: record.name },
        AttachStdout: false,
        AttachStderr: false,
        HostConfig: {
          NetworkMode: held ? 'none' : options.network,
          ReadonlyRootfs: true,
          CapDrop: ['ALL'],
          SecurityOpt: ['no-new-privileges'],
          Tmpfs: { '/tmp': TEMPORARY },
          Mounts: [
            mountOf(directory),
            ...(await interpreterMounts(python)),
            ...options.readable.map((path) => mountOf(path)),
            mountOf(place.directory, { writable: true }),
          ],
          Ulimits: ulimits(limits),
          ...(limits.memoryBytes !== undefined && { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
          ...(limits.processes !== undefined && { PidsLimit: limits.processes }),
          ...(limits.cpuPercent !== undefined && { NanoCpus: limits.cpuPercent * 10_000_000 }),
        },
      },
    });
    if (!isObject(made) || typeof made.Id !== 'string') throw new Error('the engine named no container');
    return made.Id;
  }

  async #ready(instance: ContainerInstance, signal: AbortSignal): Promise<void> {
    const { readySeconds } = this.#options;
    const given = new AbortController();
    const limit = AbortSignal.timeout(readySeconds * 1000);
    try {
      await Promise.race([
        untilHealthy(instance.address, AbortSignal.any([signal, given.signal, limit])),
        instance.ended.then(({ text }) => Promise.reject(new Error(text))),
      ]);
    } catch (error) {
      await instance.stop('it was not ready');
      signal.throwIfAborted();
      if (!limit.aborted) throw error;
      const text = `it did not answer /health within ${readySeconds} s (PYTHON_ENV_INIT_TIMEOUT)`;
      throw new Error(withLastWords(text, instance.lastWords));
    } finally {
      given.abort();
    }
  }
}

/** The same as in the process back end, where a container of its own does not count alone: engines make up both where they are not told. */
function ulimits({ openFiles, processes }: PluginLimits): readonly object[] {
  const own = ownLimits();
  const limit = (Name: string, value: number | undefined, most: number | undefined) => {
    if (value === undefined) return [];
    const allowed = Math.min(value, most ?? value);
    return [{ Name, Soft: allowed, Hard: allowed }];
  };
  return [
    { Name: 'core', Soft: 0, Hard: 0 },
    ...limit('nofile', openFiles, own.openFiles),
    // Of the user on the whole machine: the control group counts those of this function alone.
    ...limit('nproc', processes === undefined ? undefined : Math.max(processes, USER_PROCESSES), own.processes),
  ];
}
