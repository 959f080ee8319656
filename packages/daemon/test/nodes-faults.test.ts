/** Bad days of several nodes: real processes that die, sleep and lose sight of Redis. */
import { globSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { type ClusterOptions, clusterMissing, TestCluster } from './cluster.ts';
import { type EventStream, eventually, failureOf, type Settings, type TestDaemon } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const reason = clusterMissing();
/** Longer than a lease of a node. */
const LONG_MS = 9000;
const FAR = 240_000;

describe.skipIf(reason !== undefined)(reason ?? 'a bad day', { timeout: FAR }, () => {
  let cluster: TestCluster;
  afterEach(() => cluster?.close());

  const two = async (settings: readonly Settings[] = [{}, {}], options?: ClusterOptions): Promise<void> => {
    cluster = await TestCluster.start(
      settings.map((one) => ({ PLACEMENT_RULE: 'demand', ...one })),
      { ...options, installed: rudePackage('bad') },
    );
    await eventually(
      'the other node knows where it runs',
      async () => (await cluster.node(1).metric('cluster_ready_plugins')) === 1 || undefined,
    );
  };
  const said = async (node: TestDaemon, text: string) =>
    (await node.call('bad', 'echo', { parameters: { text } })).texts;
  const members = (node: TestDaemon, count: number) =>
    eventually(`${count} nodes are known`, async () => (await node.metric('cluster_nodes')) === count || undefined);
  const drip = (node: TestDaemon, count: number): Promise<EventStream> =>
    node.open('bad', 'drip', { parameters: { count, seconds: 0.1 } });
  const ready = (node: TestDaemon) => node.answer('GET', '/readyz');

  test('a node is killed while it answers a call of another: that call says so, the next is answered elsewhere', async () => {
    await two();
    const stream = await drip(cluster.node(1), 1000);
    await stream.text(2);
    await cluster.node(0).process.stop('SIGKILL');
    await stream.done;
    expect(stream.failure.message).toContain('node-0 was lost while it worked on this call');
    expect(stream.complete).toBe(true);
    // Nothing begun, nothing lost: this one starts it.
    expect(await said(cluster.node(1), 'again')).toEqual(['again']);
    await members(cluster.node(1), 1);
    await cluster.node(0).process.start();
    await members(cluster.node(1), 2);
    expect(await said(cluster.node(0), 'back')).toEqual(['back']);
  });

  test('a node that is stopped for a while is left out, and before it answers anything it learns what it missed', async () => {
    await two([{}, {}, {}]);
    const asleep = cluster.node(0);
    const [installation] = await cluster.node(1).client().list();
    expect(await said(asleep, 'known in memory')).toEqual(['known in memory']);
    process.kill(asleep.process.pid, 'SIGSTOP');
    try {
      await members(cluster.node(1), 2);
      expect(await said(cluster.node(1), 'without it')).toEqual(['without it']);
      await cluster
        .node(1)
        .client()
        .uninstall(installation?.id ?? '');
    } finally {
      process.kill(asleep.process.pid, 'SIGCONT');
    }
    const answer = await asleep.call('bad', 'echo', { parameters: { text: 'stale' } });
    expect([answer.status, failureOf(answer.received).type]).toEqual([404, 'PluginNotFoundError']);
    await asleep.logged('this process was stopped for a while');
    await members(cluster.node(1), 3);
    expect((await ready(asleep)).status).toBe(200);
  });

  test('Redis is away: what is known goes on, readiness says why; it comes back empty, and all is as before', async () => {
    await two();
    const stream = await drip(cluster.node(1), 200);
    await stream.text(0);
    await cluster.redis.process.kill();
    await sleep(LONG_MS);
    // Here, and handed over.
    expect(await said(cluster.node(0), 'here')).toEqual(['here']);
    expect(await said(cluster.node(1), 'there')).toEqual(['there']);
    const problems = JSON.parse((await ready(cluster.node(1))).text).problems;
    expect(problems.cluster).toContain('cannot be told');
    expect(problems.cache).toContain('Redis cannot be reached');
    await stream.done;
    expect(stream.texts).toHaveLength(201);
    await cluster.redis.process.start();
    for (const node of cluster.nodes) {
      await eventually('it is ready again', async () => (await ready(node)).status === 200 || undefined);
      await members(node, 2);
    }
    expect(await said(cluster.node(1), 'after')).toEqual(['after']);
  });

  test('Redis answers nothing for a while, and is flushed', async () => {
    await two();
    cluster.redis.process.pause();
    await sleep(LONG_MS);
    expect(await said(cluster.node(1), 'meanwhile')).toEqual(['meanwhile']);
    cluster.redis.process.resume();
    for (const node of cluster.nodes)
      await eventually('it is ready again', async () => (await ready(node)).status === 200 || undefined);
    await cluster.redis.cli('flushall');
    await eventually('all are written down again', async () => {
      const written = await cluster.redis.cli('hkeys', 'plugin_daemon:v2:{nodes}:entries');
      // A node's entry has parts, which are named after it.
      return (
        new Set(
          written
            .trim()
            .split(/\s+/)
            .map((field) => field.split('/')[0]),
        ).size === 2 || undefined
      );
    });
    for (const node of cluster.nodes) await members(node, 2);
    expect(await said(cluster.node(1), 'after')).toEqual(['after']);
  });

  test('Sentinel makes another server the master', async () => {
    const { RedisServers } = await import('@plugin-daemon/services');
    await using servers = new RedisServers();
    const { master, sentinels } = await servers.sentinel('mymaster');
    await two([{}, {}], {
      redis: {
        REDIS_USE_SENTINEL: 'true',
        REDIS_SENTINELS: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(','),
        REDIS_SENTINEL_SERVICE_NAME: 'mymaster',
        REDIS_PASSWORD: 'secret',
      },
    });
    await master.process.kill();
    expect(await said(cluster.node(1), 'meanwhile')).toEqual(['meanwhile']);
    for (const node of cluster.nodes) {
      await eventually('it is ready again', async () => (await ready(node)).status === 200 || undefined);
      await members(node, 2);
    }
    // Who comes now is seen by all: they write and read at the new master.
    await cluster.add({ PLACEMENT_RULE: 'demand' });
    for (const node of cluster.nodes) await members(node, 3);
    await cluster.close();
  });

  const [faketime] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
  test.skipIf(faketime === undefined)(
    faketime === undefined ? 'needs libfaketime (apt install libfaketime)' : 'clocks are a minute apart',
    async () => {
      cluster = await TestCluster.start([{ PLACEMENT_RULE: 'demand' }]);
      await cluster.node(0).install(rudePackage('bad'));
      const late = ['env', `LD_PRELOAD=${faketime}`, 'FAKETIME=-60s', 'FAKETIME_DONT_FAKE_MONOTONIC=1'];
      const slow = await cluster.add({ PLACEMENT_RULE: 'demand' }, late);
      await cluster.complete();
      await eventually(
        'it knows where it runs',
        async () => (await slow.metric('cluster_ready_plugins')) === 1 || undefined,
      );
      const { date } = (await slow.request('GET', '/livez')).headers;
      expect(Date.now() - Date.parse(date ?? '')).toBeGreaterThan(50_000);
      expect(await said(slow, 'handed over')).toEqual(['handed over']);
      expect(await slow.metric('forwarded_calls_total', { outcome: 'answered' })).toBe(1);
      await sleep(LONG_MS);
      for (const node of cluster.nodes) await members(node, 2);
    },
  );

  test('from one node to three and back, under load, fails no call', async () => {
    cluster = await TestCluster.start([{}]);
    await cluster.node(0).install(rudePackage('bad'));
    const stay = cluster.node(0);
    const failed: string[] = [];
    let over = false;
    onTestFinished(() => {
      over = true;
    });
    const caller = async (): Promise<number> => {
      for (let calls = 0; ; calls++) {
        if (over) return calls;
        const nodes = cluster.nodes.filter((node) => !leaving.has(node));
        const node = nodes[calls % nodes.length] ?? stay;
        const answer = await node.call('bad', 'echo', { parameters: { text: 'x' } }).catch(String);
        if (typeof answer === 'string' || answer.texts.length !== 1)
          failed.push(typeof answer === 'string' ? answer : answer.received.slice(0, 300));
      }
    };
    // As a balancer that has seen that they are not ready.
    const leaving = new Set<TestDaemon>();
    const load = Array.from({ length: 6 }, caller);
    for (let n = 0; n < 2; n++) await cluster.add();
    await cluster.complete();
    await sleep(1000);
    for (const node of cluster.nodes.slice(1)) {
      leaving.add(node);
      await cluster.stop(node);
    }
    await members(stay, 1);
    over = true;
    const calls = (await Promise.all(load)).reduce((sum, one) => sum + one, 0);
    expect(failed).toEqual([]);
    expect(calls).toBeGreaterThan(20);
    console.log(`from one node to three and back: ${calls} calls, ${failed.length} failed`);
  });
});
