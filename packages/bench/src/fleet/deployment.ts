import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, type RedisServer, RedisServers, RunningServices } from '@plugin-daemon/services';
import { type DaemonOptions, DaemonProcess, keptUv, metricOf, s3Settings, until } from '../daemon/index.ts';

export type Settings = Readonly<Record<string, string>>;
/** Where packages are kept: one folder that all see, or S3. */
export type StoreKind = 'folder' | 's3';

export interface DeploymentOptions {
  /** Of every node. */
  readonly settings?: Settings;
  readonly store?: StoreKind;
  /** Behind Sentinel instead of one Redis alone. */
  readonly sentinel?: boolean;
}

const MASTER = 'mymaster';
const INNER_API = { url: 'http://127.0.0.1:9', key: 'bench-inner-key' };

/** Daemons that share everything that daemons share. */
export class Deployment implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly #services: RunningServices;
  readonly #redisServers: RedisServers;
  readonly #settings: Settings;
  readonly #directory: string;
  readonly #nodes: DaemonProcess[] = [];

  /** @throws with what has to be installed first */
  static async start({
    settings = {},
    store = 'folder',
    sentinel = false,
  }: DeploymentOptions = {}): Promise<Deployment> {
    const needed = ['postgresql', 'redis', ...(store === 's3' ? (['versitygw'] as const) : [])] as const;
    const lacking = needed.flatMap((name) => missing(name));
    if (lacking.length > 0)
      throw new Error(`needs ${needed.join(', ')} on this machine: ${lacking.join(', ')} not found`);
    const services = await RunningServices.start(['postgresql', ...(store === 's3' ? (['versitygw'] as const) : [])]);
    const redisServers = new RedisServers();
    try {
      const directory = mkdtempSync(join(tmpdir(), 'bench-nodes-'));
      const behind = sentinel ? await redisServers.sentinel(MASTER) : undefined;
      const redis = behind?.master ?? (await redisServers.single());
      const url = new URL(services.environment['TEST_POSTGRESQL_URL'] ?? '');
      return new Deployment(services, redisServers, redis, directory, {
        DB_TYPE: 'postgresql',
        DB_HOST: url.hostname,
        DB_PORT: url.port,
        DB_USERNAME: url.username,
        DB_PASSWORD: url.password,
        DB_DATABASE: `bench_${randomBytes(4).toString('hex')}`,
        ...(behind === undefined
          ? { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) }
          : {
              REDIS_USE_SENTINEL: 'true',
              REDIS_SENTINELS: behind.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
              REDIS_SENTINEL_SERVICE_NAME: MASTER,
              REDIS_PASSWORD: 'secret',
            }),
        ...storeSettings(services, store, directory),
        ...settings,
      });
    } catch (error) {
      await redisServers.close();
      await services.close();
      throw error;
    }
  }

  private constructor(
    services: RunningServices,
    redisServers: RedisServers,
    redis: RedisServer,
    directory: string,
    settings: Settings,
  ) {
    this.redis = redis;
    this.#services = services;
    this.#redisServers = redisServers;
    this.#directory = directory;
    this.#settings = settings;
  }

  get nodes(): readonly DaemonProcess[] {
    return this.#nodes;
  }

  /** What the nodes are started with. */
  get settings(): Settings {
    return this.#settings;
  }

  node(index: number): DaemonProcess {
    const found = this.#nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  }

  async add(settings: Settings = {}, more: Pick<DaemonOptions, 'through' | 'at'> = {}): Promise<DaemonProcess> {
    const node = await DaemonProcess.start({
      innerApi: INNER_API,
      settings: { NODE_NAME: `node-${this.#nodes.length}`, ...keptUv(), ...this.#settings, ...settings },
      ...more,
    });
    this.#nodes.push(node);
    return node;
  }

  /** Waits until each of them runs as many plugins itself. */
  async ready(nodes: readonly DaemonProcess[], plugins = 1): Promise<void> {
    for (const node of nodes)
      await until('a node runs the plugin', async () => (await metricOf(node, 'active_plugins_total')) === plugins);
  }

  /** Waits until every node knows every other one and takes calls. */
  async complete(): Promise<void> {
    for (const node of this.#nodes) {
      await until(
        'the nodes know each other',
        async () => (await metricOf(node, 'cluster_nodes')) === this.#nodes.length,
      );
      await until('a node is ready', async () => {
        const answer = await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(2000) });
        await answer.arrayBuffer();
        return answer.status === 200;
      });
    }
  }

  async stop(node: DaemonProcess): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.close()));
    await this.#redisServers.close();
    await this.#services.close();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

function storeSettings(services: RunningServices, store: StoreKind, directory: string): Settings {
  if (store === 'folder') return { PLUGIN_STORAGE_LOCAL_ROOT: join(directory, 'storage') };
  return s3Settings(services.environment['TEST_S3_URL'] ?? '', 'plugins');
}
