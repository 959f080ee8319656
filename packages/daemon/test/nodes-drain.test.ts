/** Nodes that come and go under load, in their roles, and with plugins that are debugged on one of them. */
import { Balancer } from '@plugin-daemon/bench';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestPlugin } from '../src/runtimes/debugging/test-plugin.ts';
import { clusterMissing, s3Missing, TestCluster } from './cluster.ts';
import { EventStream, eventually, ONE, type TestDaemon, toolBody } from './harness.ts';
import { AUTHOR, rudePackage } from './plugins/package.ts';

const reason = clusterMissing();

const ready = (node: TestDaemon) => node.answer('GET', '/readyz');
const knows = (node: TestDaemon, plugins: number) =>
  eventually(
    `a node knows of ${plugins} plugins elsewhere`,
    async () => (await node.metric('cluster_ready_plugins')) === plugins || undefined,
  );

/** A call through a balancer. */
const call = async (balancer: Balancer, plugin: string, tool: string, parameters: object): Promise<EventStream> =>
  new EventStream(
    await balancer.send({
      method: 'POST',
      path: `/plugin/${ONE}/dispatch/tool/invoke`,
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/${plugin}` },
      body: toolBody(plugin, tool, parameters),
    }),
    false,
  );

/** Upgrades the plugin that is called to its next version, and waits for it. */
async function upgrade(node: TestDaemon, version: number): Promise<void> {
  const client = node.client();
  const { unique_identifier } = await client.upload(rudePackage('rolling', { version: `0.0.${version}` }));
  const before = (await client.list()).find(({ plugin_id }) => plugin_id === `${AUTHOR}/rolling`);
  const { task_id } = await client.call<{ task_id: string }>('POST', '/management/install/upgrade', {
    original_plugin_unique_identifier: before?.plugin_unique_identifier,
    new_plugin_unique_identifier: unique_identifier,
    source: 'package',
    meta: {},
  });
  await eventually('the upgrade is done', async () => {
    const task = await client.call<{ status: string }>('GET', `/management/install/tasks/${task_id}`);
    if (task.status === 'failed') throw new Error(JSON.stringify(task));
    return task.status === 'success' || undefined;
  });
}

describe.each([
  { store: 'a folder that all see', s3: false, lacking: reason },
  { store: 'S3', s3: true, lacking: reason ?? s3Missing() },
])('with packages in $store', ({ s3, lacking }) => {
  describe.skipIf(lacking !== undefined)(lacking ?? 'a rolling restart', () => {
    let cluster: TestCluster;
    beforeAll(async () => {
      cluster = await TestCluster.start([{}, {}, {}], { s3 });
      await cluster.node(0).install(rudePackage('rolling'));
      for (const node of cluster.nodes) await knows(node, 2);
    });
    afterAll(() => cluster?.close());

    test('of three nodes under load fails no call', { timeout: 600_000 }, async () => {
      const balancer = new Balancer(() => cluster.nodes.map(({ process }) => process));
      const failed: string[] = [];
      let calls = 0;
      let over = false;
      const caller = async (slow: boolean): Promise<void> => {
        while (!over) {
          try {
            const stream = slow
              ? await call(balancer, 'rolling', 'drip', { count: 8, seconds: 0.1 })
              : await call(balancer, 'rolling', 'echo', { text: 'x' });
            await stream.done;
            calls++;
            if (!stream.complete || stream.texts.length !== (slow ? 9 : 1))
              failed.push(`${stream.status} ${stream.received.slice(0, 300)}`);
          } catch (error) {
            calls++;
            failed.push(String(error));
          }
        }
      };
      const load = [
        ...Array.from({ length: 4 }, () => caller(false)),
        ...Array.from({ length: 4 }, () => caller(true)),
      ];
      // Upgrades go on meanwhile, asked for at whichever node is not being restarted.
      let [stopping, upgrades] = [-1, 0];
      const upgrading = (async () => {
        for (let n = 2; !over; n++) {
          const node = cluster.node((stopping + 1) % cluster.nodes.length);
          await upgrade(node, n);
          upgrades++;
        }
      })();
      // Looked at in the end.
      upgrading.catch(() => undefined);
      try {
        for (const [index, node] of cluster.nodes.entries()) {
          // One that is under way there would end with its client's connection.
          const before = upgrades;
          stopping = index;
          await eventually('an upgrade has ended', () => upgrades > before || undefined);
          await node.process.stop();
          await node.process.start();
          await cluster.complete();
          await eventually('it is ready', async () => (await ready(node)).status === 200 || undefined);
        }
      } finally {
        over = true;
        await Promise.all([...load, upgrading]);
      }
      expect(failed).toEqual([]);
      expect(calls).toBeGreaterThan(50);
      expect(upgrades).toBeGreaterThan(2);
      console.log(`rolling restart of three nodes: ${calls} calls, ${upgrades} upgrades, ${failed.length} failed`);
    });

    test('what is open at a node that stops comes to its end, and readiness says that it stops', {
      timeout: 240_000,
    }, async () => {
      const stream = await cluster.node(1).open('rolling', 'drip', { parameters: { count: 30, seconds: 0.1 } });
      await stream.text(0);
      const stopped = cluster.node(1).process.stop();
      await eventually('readiness says no', async () => {
        const answer = await ready(cluster.node(1)).catch(() => undefined);
        return answer === undefined || answer.text.includes('stopping') || undefined;
      });
      await eventually(
        'the others know',
        async () => (await cluster.node(0).metric('cluster_nodes')) === 2 || undefined,
      );
      await stream.done;
      expect(stream.texts).toHaveLength(31);
      await stopped;
      await cluster.node(1).process.start();
      await cluster.complete();
    });
  });
});

describe.skipIf(reason !== undefined)(reason ?? 'front and runner', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start([{ NODE_ROLE: 'front' }, { NODE_ROLE: 'runner' }]);
  });
  afterAll(() => cluster?.close());

  test('a front node installs, lists and answers, and runs nothing', async () => {
    await cluster.node(0).install(rudePackage('behind'));
    await knows(cluster.node(0), 1);
    const [listed] = await cluster.node(0).client().list();
    expect(listed?.plugin_id).toBe('tests/behind');
    expect((await cluster.node(0).call('behind', 'echo', { parameters: { text: 'hi' } })).texts).toEqual(['hi']);
    expect(cluster.node(0).processes()).toEqual([]);
    expect((await ready(cluster.node(0))).status).toBe(200);
  });

  test('without a runner it says so in the words that are tried again', { timeout: 240_000 }, async () => {
    await cluster.node(1).process.stop();
    const answer = await cluster.node(0).call('behind', 'echo', { parameters: { text: 'hi' } });
    expect(answer.status).toBe(404);
    expect(answer.received).toContain('no available node, plugin runtime not found');
    expect(answer.received).toContain('NODE_ROLE');
    await cluster.node(1).process.start();
    await cluster.complete();
    await knows(cluster.node(0), 1);
    expect((await cluster.node(0).call('behind', 'echo', { parameters: { text: 'back' } })).texts).toEqual(['back']);
  });

  test('what is installed without a runner says so, and goes on when one comes', { timeout: 240_000 }, async () => {
    const [front, runner] = [cluster.node(0), cluster.node(1)];
    await runner.process.stop();
    await eventually('it is gone', async () => (await front.metric('cluster_nodes')) === 1 || undefined);
    const { unique_identifier } = await front.client().upload(rudePackage('alone'));
    const id = await front.beginInstall(unique_identifier);
    const task = () =>
      front.client().call<{ status: string; plugins: { message: string }[] }>('GET', `/management/install/tasks/${id}`);
    await eventually('it says what is missing', async () => {
      const { plugins } = await task();
      return plugins[0]?.message.startsWith('no node that may run this plugin is there') || undefined;
    });
    await runner.process.start();
    await eventually('it is installed', async () => {
      const { status, plugins } = await task();
      if (status === 'failed') throw new Error(JSON.stringify(plugins));
      return status === 'success' || undefined;
    });
    expect((await front.call('alone', 'echo', { parameters: { text: 'hi' } })).texts).toEqual(['hi']);
    expect(front.processes()).toEqual([]);
  });
});

describe.skipIf(reason !== undefined)(reason ?? 'a plugin that is debugged', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await TestCluster.start([{}, {}]);
  });
  afterAll(() => cluster?.close());

  const connect = async (node: TestDaemon): Promise<TestPlugin> => {
    const { data } = JSON.parse((await node.answer('POST', `/plugin/${ONE}/debugging/key`)).text);
    return await TestPlugin.register(node.process.debuggingPort, data.key);
  };
  const call = (node: TestDaemon) =>
    node.answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
      headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': 'acme/search' },
      body: toolBody('search', 'echo'),
    });
  /** Answers one request. */
  const answerOne = async (plugin: TestPlugin, text: string): Promise<void> => {
    let heard = await plugin.hear();
    while (heard['session_id'] === undefined) heard = await plugin.hear();
    const say = (type: string, data: unknown) =>
      plugin.say({ event: 'session', session_id: heard['session_id'], data: { type, data } });
    say('stream', { type: 'text', message: { text }, meta: null });
    say('end', null);
  };

  test('is reached through every node, and its loss is known at every node at once', { timeout: 240_000 }, async () => {
    const plugin = await connect(cluster.node(0));
    await eventually(
      'the other node was told',
      async () => (await cluster.node(1).metric('cluster_debugging_plugins')) === 1 || undefined,
    );
    const [answer] = await Promise.all([call(cluster.node(1)), answerOne(plugin, 'from afar')]);
    expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('from afar')]);
    plugin.leave();
    await eventually(
      'the other node was told',
      async () => (await cluster.node(1).metric('cluster_debugging_plugins')) === 0 || undefined,
    );
    // It comes back to the other node: who calls meanwhile waits.
    const waiting = call(cluster.node(0));
    const back = await connect(cluster.node(1));
    await answerOne(back, 'here again');
    const late = await waiting;
    expect([late.status, late.text]).toEqual([200, expect.stringContaining('here again')]);
    back.leave();
  });
});
