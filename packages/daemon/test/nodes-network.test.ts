/** Nodes on machines of their own, between which the network fails silently. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DaemonClient } from '@plugin-daemon/bench';
import {
  type Machine,
  networkMissing,
  type RedisServer,
  RedisServers,
  requirement,
  TestNetwork,
} from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterMissing } from './cluster.ts';
import { eventually, keptUv, ONE, temporaryDirectory, toolBody } from './harness.ts';
import { AUTHOR, rudePackage } from './plugins/package.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const KEY = 'a-key-of-the-whole-deployment';
const PORT = 5002;
const reason = clusterMissing() ?? networkMissing();

class MachineNode {
  readonly machine: Machine;
  readonly url: string;
  readonly client: DaemonClient;
  readonly #child: ChildProcess;
  output = '';

  constructor(machine: Machine, directory: string, settings: Readonly<Record<string, string>>) {
    this.machine = machine;
    this.url = `http://${machine.address}:${PORT}`;
    this.client = new DaemonClient({ url: this.url, key: KEY, tenant: ONE });
    mkdirSync(directory);
    const [program = '', ...args] = [...machine.through, process.execPath, MAIN];
    this.#child = spawn(program, args, {
      cwd: directory,
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        SERVER_HOST: '0.0.0.0',
        SERVER_PORT: String(PORT),
        SERVER_KEY: KEY,
        DIFY_INNER_API_KEY: 'inner-key-of-the-whole-deployment',
        PLUGIN_REMOTE_INSTALLING_ENABLED: 'false',
        FORCE_VERIFYING_SIGNATURE: 'false',
        DETAILS_ACCESS: 'open',
        DATA_DIR: join(directory, 'data'),
        ...keptUv(),
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.output += bytes.toString();
      });
  }

  async get(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(this.url + path);
    return { status: response.status, text: await response.text() };
  }

  async metric(name: string, label = ''): Promise<number> {
    const { text } = await this.get('/metrics/');
    const line = text.split('\n').find((one) => one.startsWith(name) && one.includes(label) && !one.startsWith('#'));
    return Number(line?.slice(line.lastIndexOf(' ') + 1) ?? 0);
  }

  async call(text: string): Promise<string> {
    const response = await fetch(`${this.url}/plugin/${ONE}/dispatch/tool/invoke`, {
      method: 'POST',
      headers: { 'X-Api-Key': KEY, 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/far` },
      body: toolBody('far', 'echo', { text }),
    });
    return await response.text();
  }

  async stop(): Promise<void> {
    await this.client[Symbol.asyncDispose]();
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }
}

describe.skipIf(reason !== undefined)(reason ?? 'nodes on two machines', { timeout: 240_000 }, () => {
  const servers = new RedisServers();
  const nodes: MachineNode[] = [];
  let network: TestNetwork;
  let redis: RedisServer;
  let directory: ReturnType<typeof temporaryDirectory>;

  beforeAll(async () => {
    network = new TestNetwork();
    directory = temporaryDirectory();
    redis = await servers.single();
    const { port, username, password } = new URL(requirement('postgresql'));
    await network.share(redis.port);
    await network.share(Number(port));
    const settings = {
      DB_TYPE: 'postgresql',
      DB_HOST: network.address,
      DB_PORT: port,
      DB_USERNAME: username,
      DB_PASSWORD: password,
      DB_DATABASE: `test_${randomBytes(6).toString('hex')}`,
      REDIS_HOST: network.address,
      REDIS_PORT: String(redis.port),
      PLUGIN_STORAGE_LOCAL_ROOT: join(directory.path, 'storage'),
      PLACEMENT_RULE: 'demand',
    };
    for (const name of ['one', 'other'])
      nodes.push(new MachineNode(network.add(), join(directory.path, name), { ...settings, NODE_NAME: name }));
    for (const node of nodes)
      await eventually(`${node.machine.address} knows the other: ${node.output.slice(-2000)}`, async () => {
        const known = await node.metric('cluster_nodes').catch(() => 0);
        return known === 2 || undefined;
      });
    const packed = rudePackage('far');
    const { unique_identifier } = await at(0).client.upload(packed);
    await at(0).client.install(unique_identifier);
    // Any node does what is to be installed: the second is the one that does not run it.
    await eventually('the other knows where it runs', async () => {
      const known = await Promise.all(nodes.map((node) => node.metric('cluster_ready_plugins')));
      if (known[0] === 1) nodes.reverse();
      return known.includes(1) || undefined;
    });
  });
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    network?.[Symbol.dispose]();
    await servers.close();
    directory?.[Symbol.dispose]();
  });

  const at = (index: number): MachineNode => {
    const node = nodes[index];
    if (node === undefined) throw new Error('no such node');
    return node;
  };

  test('a call goes from machine to machine', async () => {
    expect(await at(1).call('over there')).toContain('over there');
    expect(await at(1).metric('forwarded_calls_total', 'answered')).toBe(1);
  });

  test('who reaches Redis but not the other hears of it and answers by itself, and hands over again when it can', async () => {
    at(1).machine.cut(at(0).machine.address);
    // What was handed over in the moment before is lost in it.
    await sleep(1000);
    // Both are still there, for both.
    expect([await at(0).metric('cluster_nodes'), await at(1).metric('cluster_nodes')]).toEqual([2, 2]);
    await eventually('its calls are answered', async () => (await at(1).call('alone')).includes('alone') || undefined);
    expect(await at(1).metric('forwarded_calls_total', 'lost')).toBe(0);
    expect((await at(1).get('/readyz')).status).toBe(200);
    at(1).machine.mend();
    expect(await at(1).call('together')).toContain('together');
  });

  test('who reaches the other but not Redis is forgotten, goes on, and is known again', async () => {
    at(1).machine.cut(network.address, redis.port);
    await eventually('the other forgets it', async () => (await at(0).metric('cluster_nodes')) === 1 || undefined);
    await eventually('it says so itself', async () => {
      const { text } = await at(1).get('/readyz');
      return text.includes('cluster') || undefined;
    });
    expect(await at(1).call('cut off')).toContain('cut off');
    expect(await at(0).call('not cut off')).toContain('not cut off');
    at(1).machine.mend();
    await eventually('the other knows it again', async () => (await at(0).metric('cluster_nodes')) === 2 || undefined);
    await eventually('it is ready', async () => (await at(1).get('/readyz')).status === 200 || undefined);
  });
});
