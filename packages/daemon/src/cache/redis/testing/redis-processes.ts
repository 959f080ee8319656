/** Real Redis servers for tests: alone, behind Sentinel, as a Cluster; on loopback, in a folder of their own, ended with the test. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

const onPath = (name: string): boolean =>
  (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));

/** Why these tests cannot run here; undefined where they can. */
export const redisIsMissing: string | undefined =
  onPath('redis-server') && onPath('redis-cli')
    ? undefined
    : 'redis-server and redis-cli are not on PATH (Debian: apt-get install redis-server redis-tools)';

export interface RedisProcess {
  readonly port: number;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Starts it again on its port, empty unless it saved. */
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  cli(...args: string[]): Promise<string>;
}

/** Everything a test started; `close` ends it. */
export class RedisProcesses {
  readonly #started: { end(): Promise<void> }[] = [];
  #folder: Promise<string> | undefined;

  /** A server; with further options of its configuration. */
  async single(
    options: readonly string[] = [],
    cli: readonly string[] = [],
    portOption: '--port' | '--tls-port' = '--port',
  ): Promise<RedisProcess> {
    const port = await freePort();
    const folder = await this.#newFolder(`r${port}`);
    const process = new Process(port, [portOption, String(port), ...defaults, '--dir', folder, ...options], cli);
    this.#started.push(process);
    await process.start();
    return process;
  }

  /** A master, a replica and three sentinels that know them as `service`. */
  async sentinel(service: string) {
    const master = await this.single(['--masterauth', 'secret', '--requirepass', 'secret'], auth);
    const replica = await this.single(
      ['--masterauth', 'secret', '--requirepass', 'secret', '--replicaof', `127.0.0.1 ${master.port}`],
      auth,
    );
    const sentinels: RedisProcess[] = [];
    for (let n = 0; n < 3; n++) {
      const port = await freePort();
      const folder = await this.#newFolder(`s${port}`);
      const file = join(folder, 'sentinel.conf');
      await writeFile(
        file,
        [
          `port ${port}`,
          'bind 127.0.0.1',
          `dir ${folder}`,
          `sentinel monitor ${service} 127.0.0.1 ${master.port} 2`,
          `sentinel auth-pass ${service} secret`,
          `sentinel down-after-milliseconds ${service} 500`,
          `sentinel failover-timeout ${service} 2000`,
        ].join('\n'),
      );
      const process = new Process(port, [file, '--sentinel']);
      this.#started.push(process);
      await process.start();
      sentinels.push(process);
    }
    const ready = async () => (await sentinels[0]?.cli('info', 'sentinel'))?.includes('slaves=1,sentinels=3') === true;
    await until(ready, 'the sentinels did not find each other');
    return { master, replica, sentinels };
  }

  /** Three masters that share the slots. */
  async cluster(): Promise<readonly RedisProcess[]> {
    const nodes: RedisProcess[] = [];
    for (let n = 0; n < 3; n++) {
      nodes.push(
        await this.single([
          '--cluster-enabled',
          'yes',
          '--cluster-node-timeout',
          '2000',
          '--cluster-config-file',
          'nodes.conf',
        ]),
      );
    }
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes']);
    for (const node of nodes) {
      await until(
        async () => (await node.cli('cluster', 'info')).includes('cluster_state:ok'),
        'the cluster did not form',
      );
    }
    return nodes;
  }

  async close(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((process) => process.end()));
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
    this.#folder = undefined;
  }

  async #newFolder(name: string): Promise<string> {
    this.#folder ??= mkdtemp(join(tmpdir(), 'redis-test-'));
    const folder = join(await this.#folder, name);
    await mkdir(folder);
    return folder;
  }
}

const defaults = [
  '--bind',
  '127.0.0.1',
  '--save',
  '',
  '--appendonly',
  'no',
  '--repl-diskless-sync-delay',
  '0',
] as const;
const auth = ['-a', 'secret', '--no-auth-warning'] as const;

class Process implements RedisProcess {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #cli: readonly string[];
  #child: ChildProcess | undefined;

  constructor(port: number, args: readonly string[], cli: readonly string[] = []) {
    this.port = port;
    this.#args = args;
    this.#cli = cli;
  }

  async start(): Promise<void> {
    const child = spawn('redis-server', [...this.#args], { stdio: 'ignore' });
    this.#child = child;
    const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
    await Promise.race([failed, until(() => answers(this.port), `redis-server on ${this.port} does not answer`)]);
  }

  async kill(): Promise<void> {
    await this.end();
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  async cli(...args: string[]): Promise<string> {
    return (await run('redis-cli', ['-p', String(this.port), ...this.#cli, ...args])).stdout;
  }
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

async function until(condition: () => Promise<boolean>, otherwise: string): Promise<void> {
  for (let look = 0; look < 1200; look++) {
    if (await condition().catch(() => false)) return;
    await pause(25);
  }
  throw new Error(otherwise);
}

/** Below the range for outgoing connections, and with a free port 10,000 above it, where a Cluster's nodes talk. */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    if ((await isFree(port)) && (await isFree(port + 10_000))) return port;
  }
  throw new Error('no free port was found');
}

async function isFree(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)));
  });
}
