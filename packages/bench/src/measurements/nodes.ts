/** Several nodes: what handing a call over costs, and what one, two and three of them answer for the processor time they use. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { missing, RedisServers, RunningServices } from '@plugin-daemon/services';
import { DaemonClient, DaemonProcess, delay } from '../daemon/index.ts';
import { cpuSeconds, faultlessLoop, quantile, requestBytes } from '../load/index.ts';
import { AUTHOR, benchPackage } from '../plugin/package.ts';
import { type Bench, cpuNote, type Figure, type Measurement } from './measurement.ts';

const PLUGIN = 'speed-tool';
const CALLERS = 24;
const PATIENCE_MS = 60_000;
const MAX_REQUESTS = 500_000;

type Settings = Readonly<Record<string, string>>;

export const nodes: Measurement = {
  name: 'nodes',
  title: 'Several nodes',
  async run(bench) {
    const lacking = [...missing('postgresql'), ...missing('redis')];
    if (lacking.length > 0)
      throw new Error(`needs PostgreSQL and Redis on this machine: ${lacking.join(', ')} not found`);
    await using deployment = await Deployment.start();
    const pair = [await deployment.add({ NODE_ROLE: 'front' }), await deployment.add({ NODE_ROLE: 'runner' })] as const;
    await deployment.install(pair[1]);
    const figures = await handingOver(bench, ...pair);
    await deployment.stop(pair[0]);
    const runners = [pair[1]];
    for (const count of [1, 2, 3]) {
      while (runners.length < count) runners.push(await deployment.add({}));
      await deployment.ready(runners);
      figures.push(...(await throughput(bench, runners)));
    }
    return figures;
  },
};

/** By turns, so that what else the machine does falls on both. */
async function handingOver(bench: Bench, front: DaemonProcess, runner: DaemonProcess): Promise<Figure[]> {
  const direct: number[] = [];
  const handed: number[] = [];
  const cpu: number[] = [];
  await loop(front, 1, 1000);
  await loop(runner, 1, 1000);
  await bench.repeat(async () => {
    direct.push(quantile((await loop(runner, 1, bench.seconds * 1000)).latencies, 0.5));
    const before = cpuSeconds(front.pid);
    const { latencies } = await loop(front, 1, bench.seconds * 1000);
    handed.push(quantile(latencies, 0.5));
    cpu.push((cpuSeconds(front.pid) - before) / latencies.length);
  });
  const added = handed.map((ms, run) => ms - (direct[run] ?? 0));
  return [
    bench.figure('nodes.direct.p50', direct),
    bench.figure('nodes.handed.p50', handed),
    bench.figure('nodes.added.p50', added, `of pairs of runs; of the handing node, ${cpuNote(cpu)}`),
  ];
}

async function throughput(bench: Bench, all: readonly DaemonProcess[]): Promise<Figure[]> {
  const perSecond: number[] = [];
  const perCpu: number[] = [];
  await bench.repeat(async () => {
    const before = all.map(({ pid }) => cpuSeconds(pid));
    const results = await Promise.all(all.map((node) => loop(node, CALLERS / all.length, bench.seconds * 1000)));
    const cpu = all.reduce((sum, { pid }, index) => sum + cpuSeconds(pid) - (before[index] ?? 0), 0);
    const calls = results.reduce((sum, { latencies }) => sum + latencies.length, 0);
    perSecond.push(results.reduce((sum, one) => sum + one.perSecond, 0));
    perCpu.push(calls / cpu);
  });
  const name = `nodes.n${all.length}`;
  return [bench.figure(`${name}.perSecond`, perSecond), bench.figure(`${name}.perCpuSecond`, perCpu)];
}

async function loop(node: DaemonProcess, connections: number, maxMs: number) {
  await using client = new DaemonClient({ url: node.url, key: node.key });
  const data = { provider: PLUGIN, tool: 'echo', tool_parameters: { text: 'hello' }, credentials: {} };
  const parts = client.dispatchRequest('tool/invoke', `${AUTHOR}/${PLUGIN}`, data);
  const request = requestBytes(node.url, { ...parts, headers: { 'X-Api-Key': node.key, ...parts.headers } });
  return await faultlessLoop({
    url: node.url,
    request,
    connections,
    maxMs,
    maxRequests: MAX_REQUESTS,
    expect: 'hello',
  });
}

/** Daemons on one PostgreSQL, one Redis and one folder, all thrown away afterwards. */
class Deployment implements AsyncDisposable {
  readonly #services: RunningServices;
  readonly #redis: RedisServers;
  readonly #settings: Settings;
  readonly #directory: string;
  readonly #nodes: DaemonProcess[] = [];

  static async start(): Promise<Deployment> {
    const services = await RunningServices.start(['postgresql']);
    const redis = new RedisServers();
    const { port } = await redis.single();
    const url = new URL(services.environment['TEST_POSTGRESQL_URL'] ?? '');
    return new Deployment(services, redis, {
      DB_TYPE: 'postgresql',
      DB_HOST: url.hostname,
      DB_PORT: url.port,
      DB_USERNAME: url.username,
      DB_PASSWORD: url.password,
      DB_DATABASE: `bench_${randomBytes(4).toString('hex')}`,
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: String(port),
      SHUTDOWN_BALANCER_SECONDS: '0',
    });
  }

  private constructor(services: RunningServices, redis: RedisServers, settings: Settings) {
    this.#services = services;
    this.#redis = redis;
    this.#directory = mkdtempSync(join(tmpdir(), 'bench-nodes-'));
    this.#settings = { ...settings, PLUGIN_STORAGE_LOCAL_ROOT: join(this.#directory, 'storage') };
  }

  async add(settings: Settings): Promise<DaemonProcess> {
    const innerApi = { url: 'http://127.0.0.1:9', key: 'bench-inner-key' };
    const node = await DaemonProcess.start({ innerApi, settings: { ...this.#settings, ...settings } });
    this.#nodes.push(node);
    return node;
  }

  async install(node: DaemonProcess): Promise<void> {
    await using client = new DaemonClient({ url: node.url, key: node.key });
    const { unique_identifier } = await client.upload(benchPackage({ category: 'tool', name: PLUGIN }));
    await client.install(unique_identifier);
  }

  /** Waits until each of them runs the plugin itself. */
  async ready(nodes: readonly DaemonProcess[]): Promise<void> {
    const until = performance.now() + PATIENCE_MS;
    for (const { url } of nodes) {
      while (!/^active_plugins_total\{[^}]*\} 1$/m.test(await (await fetch(`${url}/metrics/`)).text())) {
        if (performance.now() > until) throw new Error('a node does not run the plugin');
        await delay(50);
      }
    }
  }

  async stop(node: DaemonProcess): Promise<void> {
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.splice(0).map((node) => node.close()));
    await this.#redis.close();
    await this.#services.close();
    rmSync(this.#directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
