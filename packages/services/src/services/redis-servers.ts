/** Redis servers for tests that kill and pause them: alone, behind Sentinel, as a Cluster; ended with the test. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { executable } from '../executables.ts';
import { reservePort } from '../ports.ts';
import { ServerProcess } from '../server-process.ts';

const run = promisify(execFile);
const patienceMs = 120_000;
const lookMs = 25;
/** How far above its port a node of a Cluster talks to the others. */
const CLUSTER_BUS = 10_000;

/** Nothing is saved: a server that is started again is empty. */
const defaults = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--repl-diskless-sync-delay', '0'];
const password = ['--requirepass', 'secret', '--masterauth', 'secret'];
const withPassword = ['-a', 'secret', '--no-auth-warning'];

export interface RedisServer {
  readonly process: ServerProcess;
  readonly port: number;
  /** Runs a command and returns what redis-cli prints. */
  cli(...args: readonly string[]): Promise<string>;
}

export interface RedisServerOptions {
  /** Of its configuration, as on its command line. */
  readonly configuration?: readonly string[];
  /** With what redis-cli is let in. */
  readonly cli?: readonly string[];
  /** The port speaks TLS only. */
  readonly tls?: boolean;
}

export class RedisServers implements AsyncDisposable {
  readonly #processes: ServerProcess[] = [];
  /** What was made here, and goes with them. */
  #ownDirectory: string | undefined;
  readonly #given: string | undefined;

  /** @param directory somebody else's, for their files; one that is made when a server is started, and removed with them, if absent */
  constructor(directory?: string) {
    this.#given = directory;
  }

  #directoryOf(port: number): string {
    if (this.#given === undefined) this.#ownDirectory ??= mkdtempSync(join(tmpdir(), 'redis-'));
    const directory = join(this.#given ?? this.#ownDirectory ?? '', String(port));
    mkdirSync(directory);
    return directory;
  }

  async single({ configuration = [], cli = [], tls = false }: RedisServerOptions = {}): Promise<RedisServer> {
    const port = await reservePort({ and: CLUSTER_BUS });
    const directory = this.#directoryOf(port);
    const ports = tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
    return await this.#start(port, directory, [...ports, ...defaults, '--dir', directory, ...configuration], cli);
  }

  /** A master with a replica, password `secret`, and three sentinels that know them as `service`. */
  async sentinel(service: string) {
    const master = await this.single({ configuration: password, cli: withPassword });
    const replicaOf = ['--replicaof', `127.0.0.1 ${master.port}`];
    const replica = await this.single({ configuration: [...password, ...replicaOf], cli: withPassword });
    const sentinels: RedisServer[] = [];
    for (let n = 0; n < 3; n++) {
      const port = await reservePort({ and: CLUSTER_BUS });
      const directory = this.#directoryOf(port);
      const file = join(directory, 'sentinel.conf');
      writeFileSync(
        file,
        `port ${port}
bind 127.0.0.1
dir ${directory}
sentinel monitor ${service} 127.0.0.1 ${master.port} 2
sentinel auth-pass ${service} secret
sentinel down-after-milliseconds ${service} 500
sentinel failover-timeout ${service} 2000
`,
      );
      sentinels.push(await this.#start(port, directory, [file, '--sentinel'], []));
    }
    await until('the sentinels find each other', async () =>
      (await sentinels[0]?.cli('info', 'sentinel'))?.includes('slaves=1,sentinels=3'),
    );
    return { master, replica, sentinels };
  }

  /** Three masters that share the slots. */
  async cluster(): Promise<readonly RedisServer[]> {
    const configuration = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'];
    const nodes = [];
    for (let n = 0; n < 3; n++) nodes.push(await this.single({ configuration }));
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const words = ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'];
    await run(executable('redis-cli'), words);
    for (const node of nodes) {
      await until('the cluster forms', async () => (await node.cli('cluster', 'info')).includes('cluster_state:ok'));
    }
    return nodes;
  }

  async close(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.kill()));
    if (this.#ownDirectory !== undefined) rmSync(this.#ownDirectory, { recursive: true, force: true, maxRetries: 5 });
    this.#ownDirectory = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(
    port: number,
    directory: string,
    args: readonly string[],
    options: readonly string[],
  ): Promise<RedisServer> {
    const cli = async (...words: readonly string[]) =>
      (await run(executable('redis-cli'), ['-p', String(port), ...options, ...words])).stdout;
    const process = new ServerProcess({
      name: `redis on ${port}`,
      command: [executable('redis-server'), ...args],
      logFile: join(directory, 'log'),
      ask: async () => {
        const answer = await cli('ping');
        if (answer.trim() !== 'PONG') throw new Error(answer);
      },
      stopSignal: 'SIGTERM',
    });
    this.#processes.push(process);
    await process.start();
    return { process, port, cli };
  }
}

async function until(what: string, condition: () => Promise<boolean | undefined>): Promise<void> {
  for (const end = Date.now() + patienceMs; Date.now() < end; ) {
    if ((await condition().catch(() => false)) === true) return;
    await pause(lookMs);
  }
  throw new Error(`this never happened: ${what}`);
}
