/** Two nodes of two workers each, on one database and one Redis: every worker is a node like any other. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterMissing, TestCluster } from './cluster.ts';
import { eventually, ONE, type TestDaemon } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const reason = clusterMissing();
const MANY = 24;

describe.skipIf(reason !== undefined)(reason ?? 'two nodes of two workers', () => {
  let cluster: TestCluster;
  const pidsOf = (node: TestDaemon) =>
    Promise.all(Array.from({ length: MANY }, async () => (await node.call('common', 'pid')).texts[0]));
  beforeAll(async () => {
    cluster = await TestCluster.start([{}, {}], { workers: 2 });
    await cluster.node(0).install(rudePackage('common'));
  }, 240_000);
  afterAll(() => cluster?.close());

  test('each node runs a plugin once, and any worker answers', async () => {
    const running = async (node: TestDaemon) => (await node.metric('active_plugins_total')) === 1 || undefined;
    for (const node of cluster.nodes) await eventually('it is ready', () => running(node));
    for (const node of cluster.nodes) expect(new Set(await pidsOf(node)).has(undefined)).toBe(false);
    for (const node of cluster.nodes) expect(await node.metric('active_plugins_total')).toBe(1);
    expect(await cluster.node(0).metric('workers')).toBe(2);
  });

  test('what the plugin said on each node is shown by any of them in the order of time, with who has it', async () => {
    const path = `/plugin/${ONE}/management/logs?plugin_id=tests/common&lines=100`;
    const said = async (node: TestDaemon, count: number) => {
      const { text } = await node.answer('GET', path);
      const all = [...text.matchAll(/^data: (.*)$/gm)].map(([, line = '']) => JSON.parse(line).data);
      const lines: { readonly message: string; readonly node: string }[] = all.filter(({ message }) =>
        message.startsWith('said at '),
      );
      return lines.length === count ? lines : undefined;
    };
    const written: string[] = [];
    // A worker that does not run the plugin hands its call to any one that does, of either node.
    await eventually('both nodes have said something', async () => {
      const node = cluster.node(written.length % 2);
      written.push(`said at ${written.length}`);
      await node.call('common', 'say', { parameters: { line: written.at(-1) } });
      // What is said is read beside the answer, which may be there first.
      const lines = await eventually('it is shown', () => said(node, written.length));
      return new Set(lines.map(({ node }) => node.split('/', 1)[0])).size === 2 || undefined;
    });
    for (const node of cluster.nodes) {
      const lines = await eventually('it shows all', () => said(node, written.length));
      expect(lines.map(({ message }) => message)).toEqual(written);
      for (const line of lines) expect(line.node).toMatch(/^node-[01]\/[12]$/);
    }
  });

  test('a worker that dies is forgotten by all nodes at once, and replaced', async () => {
    const [node, other] = [cluster.node(0), cluster.node(1)];
    const pid = Number(/this worker serves worker=1 pid=(\d+)/.exec(node.log)?.[1]);
    process.kill(pid, 'SIGKILL');
    await eventually('it is replaced', async () => (await node.metric('worker_restarts')) === 1 || undefined);
    await cluster.complete();
    for (const each of [node, other]) expect(new Set(await pidsOf(each)).has(undefined)).toBe(false);
  });

  test('a node that stops hands its calls to the workers of the other one', async () => {
    const stopping = cluster.node(1).process.stop();
    const answers = await pidsOf(cluster.node(0));
    await stopping;
    expect(answers).not.toContain(undefined);
    await eventually('it is gone', async () => (await cluster.node(0).metric('cluster_nodes')) === 2 || undefined);
  });
});
