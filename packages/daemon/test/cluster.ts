/** Several daemons on one PostgreSQL, one Redis and one store, for tests of what they do together. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { s3Settings } from '@plugin-daemon/bench';
import { missing, provided, type RedisServer, RedisServers, requirement, skipReason } from '@plugin-daemon/services';
import { eventually, type Settings, TestDaemon } from './harness.ts';

const SERVER_KEY = 'a-key-of-the-whole-deployment';

/** Why there can be no cluster on this machine; undefined if there can. */
export function clusterMissing(): string | undefined {
  if (provided('postgresql') === undefined) return skipReason('postgresql');
  return missing('redis').length > 0 ? skipReason('redis') : undefined;
}

export interface ClusterOptions {
  /** Of every node. */
  readonly settings?: Settings;
  /** Installed before the other nodes come, so that it is the first one that runs it: any node does what is to be installed. */
  readonly installed?: Buffer;
  /** WORKERS of every node; 1 unless given. */
  readonly workers?: number;
  /** Instead of a Redis of its own. */
  readonly redis?: Settings;
  /** Packages are kept in S3 instead of a folder that all see. */
  readonly s3?: boolean;
}

/** Why nodes cannot share an S3 store on this machine; undefined if they can. */
export const s3Missing = (): string | undefined =>
  provided('versitygw') === undefined ? skipReason('versitygw') : undefined;

export class TestCluster implements AsyncDisposable {
  readonly nodes: TestDaemon[] = [];
  readonly #redisServers = new RedisServers();
  readonly #directory = mkdtempSync(join(tmpdir(), 'cluster-'));
  readonly #database = `test_${randomBytes(6).toString('hex')}`;
  readonly #options: ClusterOptions;
  #redis: RedisServer | undefined;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** @param nodes settings of each */
  static async start(nodes: readonly Settings[], options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options);
    try {
      if (options.redis === undefined) cluster.#redis = await cluster.#redisServers.single();
      for (const settings of nodes) {
        const node = await cluster.add(settings);
        if (options.installed !== undefined && cluster.nodes.length === 1) await node.install(options.installed);
      }
      await cluster.complete();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get redis(): RedisServer {
    if (this.#redis === undefined) throw new Error('the test brings its own Redis');
    return this.#redis;
  }

  get redisServers(): RedisServers {
    return this.#redisServers;
  }

  node(index: number): TestDaemon {
    const found = this.nodes[index];
    if (found === undefined) throw new Error(`there is no node ${index}`);
    return found;
  }

  /**
   * Starts one more node.
   * @param through a command in front of it that ends by becoming it
   */
  async add(settings: Settings = {}, through?: readonly string[]): Promise<TestDaemon> {
    const node = await TestDaemon.start({
      serverKey: SERVER_KEY,
      ...(through !== undefined && { through }),
      settings: { ...this.settings(`node-${this.nodes.length}`), ...this.#options.settings, ...settings },
    });
    this.nodes.push(node);
    return node;
  }

  settings(name: string): Settings {
    const { hostname, port, username, password } = new URL(provided('postgresql') ?? '');
    const redis = this.#options.redis ?? { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(this.redis.port) };
    return {
      NODE_NAME: name,
      DB_TYPE: 'postgresql',
      DB_HOST: hostname,
      DB_PORT: port,
      DB_USERNAME: username,
      DB_PASSWORD: password,
      DB_DATABASE: this.#database,
      ...(this.#options.s3 === true
        ? s3Settings(requirement('versitygw'), this.#database.replace('_', '-'))
        : { PLUGIN_STORAGE_LOCAL_ROOT: join(this.#directory, 'storage') }),
      SHUTDOWN_BALANCER_SECONDS: '1',
      // All nodes and their database share the machine.
      DB_CONNECT_TIMEOUT: '60s',
      WORKERS: String(this.#options.workers ?? 1),
      ...redis,
    };
  }

  /** Every node that runs knows every other one. */
  async complete(nodes: readonly TestDaemon[] = this.nodes): Promise<void> {
    const { workers = 1 } = this.#options;
    for (const node of nodes) {
      await eventually(
        `a node knows all ${nodes.length}`,
        async () => (await node.metric('cluster_nodes')) === nodes.length * workers || undefined,
      );
    }
  }

  /** Stops one as an operator does; what it kept on its disk goes. */
  async stop(node: TestDaemon): Promise<void> {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    await node.close();
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.splice(0).map((node) => node.close()));
    await this.#redisServers.close();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
    await this.#dropDatabase();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #dropDatabase(): Promise<void> {
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: provided('postgresql') });
    await client.connect();
    await client.query(`drop database if exists ${this.#database} with (force)`);
    await client.end();
  }
}
