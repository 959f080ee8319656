import { randomBytes } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { pluginLimits } from '@plugin-daemon/plugin-host/isolation';
import { messageOf } from '@plugin-daemon/values';
import { WayOut } from '../../egress/index.ts';
import {
  type Backend,
  type BuiltFunction,
  type FunctionInstance,
  functionVariables,
  type ImageBackendOptions,
  type StartRequest,
} from '../backend.ts';
import { untilHealthy } from '../health.ts';
import { OpenedDirectories } from '../opened-directories.ts';
import { withLastWords } from '../output-log.ts';
import { KubernetesApi, type KubernetesApiOptions } from './api.ts';
import { jobOf, networkPolicyOf, OWNER, PORT } from './objects.ts';
import { PodInstance } from './pod-instance.ts';
import { Pods } from './pods.ts';

export interface KubernetesBackendOptions extends ImageBackendOptions {
  readonly api: KubernetesApiOptions;
  readonly claim: string;
  readonly dataDirectory: string;
  readonly toolsPath: string;
  /** Where functions reach the proxy of this server, which listens on the port it names; needed unless they may connect anywhere. */
  readonly wayOutUrl: string | undefined;
  /** Where instances answer; another port is for tests alone. */
  readonly port?: number;
}

const JOBS = '/apis/batch/v1';
const POLICIES = '/apis/networking.k8s.io/v1';

/**
 * Functions as pods of a cluster: a Job is one instance. Environments lie on the volume that this server has too; calls go to the pods'
 * own addresses, since which of them gets a call is decided here.
 */
export class KubernetesBackend implements Backend {
  readonly name = 'kubernetes';
  readonly showsShared = false;
  readonly #options: KubernetesBackendOptions;
  readonly #api: KubernetesApi;
  readonly #pods: Pods;
  readonly #opened: OpenedDirectories;
  #prepared: Promise<void> | undefined;
  #wayOut: WayOut | undefined;

  constructor(options: KubernetesBackendOptions) {
    this.#options = options;
    this.#opened = new OpenedDirectories(options.openForUser);
    this.#api = new KubernetesApi(options.api);
    this.#pods = new Pods(this.#api, `${OWNER}=${options.owner}`, options.log);
  }

  /** Applies the network policy and opens the way out, once; asks the cluster each time. */
  async check(signal: AbortSignal): Promise<void> {
    this.#prepared ??= this.#prepare(signal).catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    await this.#prepared;
    await this.#api.get(`${this.#api.path(JOBS, 'jobs')}?limit=1`, signal);
  }

  async sweep(): Promise<void> {
    try {
      await this.#api.delete(
        `${this.#api.path(JOBS, 'jobs')}?labelSelector=${encodeURIComponent(`${OWNER}=${this.#options.owner}`)}`,
      );
    } catch (error) {
      // Launches say the same, to whom it concerns; the server starts, as the cluster may answer later.
      this.#options.log.warn({ error: messageOf(error) }, 'jobs of a former life could not be removed');
    }
  }

  async remove(_target: unknown, directory: string): Promise<void> {
    this.#opened.forget(directory);
  }

  async close(): Promise<void> {
    await this.#pods.close();
    await this.#wayOut?.close();
    await this.#api.close();
  }

  async start({ function: target, signal }: StartRequest): Promise<FunctionInstance> {
    signal.throwIfAborted();
    const name = `${target.record.name}-${randomBytes(4).toString('hex')}`;
    let instance: PodInstance | undefined;
    try {
      await this.check(signal);
      await this.#opened.ensure(target);
      const path = this.#api.path(JOBS, 'jobs', name);
      instance = new PodInstance({
        name,
        port: this.#options.port ?? PORT,
        pods: this.#pods,
        remove: () => this.#api.delete(path),
        graceMs: this.#options.graceMs,
        log: this.#options.log,
      });
      await this.#api.apply(path, await this.#job(name, target), signal);
      await this.#ready(instance, signal);
      return instance;
    } catch (error) {
      await instance?.stop('it was not ready');
      signal.throwIfAborted();
      if (error instanceof DaemonError) throw error;
      throw new DaemonError('internal', `the function failed to start: ${messageOf(error)}`, { cause: error });
    }
  }

  async #prepare(signal: AbortSignal): Promise<void> {
    const { owner, egress, wayOutUrl, daemonUrl, secrets, log } = this.#options;
    const wayOut = egress === 'all' || wayOutUrl === undefined ? undefined : new URL(wayOutUrl);
    const port = wayOut === undefined ? undefined : Number(wayOut.port || 80);
    const name = `dify-sri-${owner}`;
    await this.#api.apply(
      this.#api.path(POLICIES, 'networkpolicies', name),
      networkPolicyOf(name, owner, egress, port),
      signal,
    );
    if (port === undefined || this.#wayOut !== undefined) return;
    const opened = new WayOut({
      at: { host: '0.0.0.0', port },
      policy: egress,
      daemonUrl,
      secrets,
      identifier: undefined,
      log,
    });
    await opened.listen();
    this.#wayOut = opened;
  }

  async #job(name: string, target: BuiltFunction): Promise<object> {
    const { environment, daemonUrl, wayOutUrl, egress, timeoutSeconds, graceMs, limits, ...options } = this.#options;
    const held = egress !== 'all' && wayOutUrl !== undefined;
    return jobOf({
      ...options,
      name,
      // Pods see the interpreter where it really lies: links that lead off the volume lead nowhere.
      function: { ...target, python: await this.#interpreter(target) },
      limits: pluginLimits(target.record.memory, limits),
      graceSeconds: Math.ceil(graceMs / 1000),
      environment: {
        ...environment,
        ...(held && proxyVariables(wayOutUrl)),
        ...functionVariables({
          host: '0.0.0.0',
          port: PORT,
          daemonUrl: held ? wayOutUrl : daemonUrl,
          timeoutSeconds,
        }),
        HOME: '/tmp',
        TMPDIR: '/tmp',
      },
    });
  }

  /** The environment's own: what it links to is the image's system Python, or lies on the volume. */
  async #interpreter({ python, record }: BuiltFunction): Promise<string> {
    const real = await realpath(python);
    const { toolsPath } = this.#options;
    if (real.startsWith('/usr/') || real.startsWith(`${toolsPath}/`)) return python;
    throw new Error(
      `the Python of ${record.name} lies at ${real}, which no pod can see: use one below /usr, or let uv fetch it (PYTHON_INTERPRETER_PATH)`,
    );
  }

  async #ready(instance: PodInstance, signal: AbortSignal): Promise<void> {
    const { readySeconds } = this.#options;
    const given = new AbortController();
    const limit = AbortSignal.timeout(readySeconds * 1000);
    const waiting = AbortSignal.any([signal, given.signal, limit]);
    const ended = instance.ended.then(({ text }) => Promise.reject(new Error(text)));
    try {
      const address = await Promise.race([instance.located(waiting), ended]);
      await Promise.race([untilHealthy(address, waiting), ended]);
    } catch (error) {
      signal.throwIfAborted();
      if (!limit.aborted) throw error;
      const text = `it did not answer /health within ${readySeconds} s (PYTHON_ENV_INIT_TIMEOUT)`;
      throw new Error(withLastWords(text, instance.trouble));
    } finally {
      given.abort();
    }
  }
}

const proxyVariables = (url: string): Readonly<Record<string, string>> => {
  const own = `127.0.0.1,localhost,::1,${new URL(url).hostname}`;
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'];
  const both = (name: string, value: string) => ({ [name]: value, [name.toLowerCase()]: value });
  return Object.assign({}, ...names.map((name) => both(name, url)), both('NO_PROXY', own));
};
