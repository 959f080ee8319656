/** What an operator does and sees of several nodes through any one of them: open calls, processes, policies, and who called. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterMissing, TestCluster } from './cluster.ts';
import { eventually, failureOf, ONE, OTHER, type TestDaemon, textOf } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const reason = clusterMissing();
const ADMIN = 'a-key-of-the-administrators';

interface OpenCall {
  readonly id: string;
  readonly node: string;
  readonly action: string;
}
interface Processes {
  readonly plugin_unique_identifier: string;
  readonly instances: number;
  readonly node: string;
}

describe.skipIf(reason !== undefined)(reason ?? 'through any node', { timeout: 240_000 }, () => {
  let cluster: TestCluster;
  let identifier: string;
  const ask = async (node: TestDaemon, method: string, path: string, options: object = {}) => {
    const response = await node.request(method, path, options);
    const text = await textOf(response);
    return { status: response.statusCode, silent: response.headers['x-plugin-nodes-silent'], body: JSON.parse(text) };
  };
  const listed = async (node: TestDaemon, tenant = ONE) => {
    const { body, silent } = await ask(node, 'GET', `/plugin/${tenant}/sessions`);
    expect(body.code, JSON.stringify(body)).toBe(0);
    return { calls: body.data as OpenCall[], silent };
  };
  /** The same from every node, once all of them have answered in time. */
  const listedByAll = (node: TestDaemon, tenant = ONE) =>
    eventually('all nodes answer', async () => {
      const { calls, silent } = await listed(node, tenant);
      return silent === undefined ? calls : undefined;
    });
  /** The id of the one call that is open. */
  const openCall = (node: TestDaemon) => eventually('the call is listed', async () => (await listedByAll(node))[0]?.id);
  const admin = (node: TestDaemon, method: string, path: string, body?: object) =>
    ask(node, method, `/admin${path}`, {
      headers: { 'X-Admin-Api-Key': ADMIN, 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
  /** A call that goes on until it is ended, entered at a node that does not run the plugin. */
  const endless = async () => {
    const stream = await cluster.node(1).open('watched', 'drip', { parameters: { count: 100_000, seconds: 0.02 } });
    await stream.text(1);
    return stream;
  };

  beforeAll(async () => {
    const settings = {
      PLACEMENT_RULE: 'demand',
      ADMIN_API_ENABLED: 'true',
      ADMIN_API_KEY: ADMIN,
      TRUSTED_PROXIES: '127.0.0.1',
    };
    cluster = await TestCluster.start([settings], { settings });
    identifier = await cluster.node(0).install(rudePackage('watched'));
    await cluster.add();
    await cluster.add({ NODE_ROLE: 'front' });
    await cluster.complete();
    for (const node of cluster.nodes.slice(1))
      await eventually(
        'it knows where the plugin runs',
        async () => (await node.metric('cluster_ready_plugins')) === 1 || undefined,
      );
  });
  afterAll(() => cluster?.close());

  test('the open calls of all nodes are listed, each with its node, and any of them can be ended', async () => {
    const stream = await endless();
    for (const node of cluster.nodes) {
      expect(await listedByAll(node)).toMatchObject([{ node: 'node-0', action: 'invoke_tool' }]);
      // Of one tenant alone.
      expect(await listedByAll(node, OTHER)).toEqual([]);
    }
    const id = await openCall(cluster.node(2));
    const path = (tenant: string) => `/plugin/${tenant}/sessions/${id}`;
    expect(await ask(cluster.node(2), 'DELETE', path(OTHER))).toMatchObject({ status: 404 });
    expect(await listedByAll(cluster.node(0))).toHaveLength(1);
    expect(await ask(cluster.node(2), 'DELETE', path(ONE))).toMatchObject({ status: 200, body: { data: true } });
    await stream.done;
    expect(stream.failure.message).toContain('the call was cancelled on request');
    expect(await listedByAll(cluster.node(1))).toEqual([]);
    const again = await ask(cluster.node(1), 'DELETE', path(ONE));
    expect([again.status, failureOf(again.body).message]).toEqual([404, expect.stringContaining('session not found')]);
  });

  test('what is ended is audited once, where it was asked for, with who asked', async () => {
    const stream = await endless();
    const id = await openCall(cluster.node(1));
    const headers = { 'X-Forwarded-For': '203.0.113.9' };
    expect(await ask(cluster.node(2), 'DELETE', `/plugin/${ONE}/sessions/${id}`, { headers })).toMatchObject({
      body: { data: true },
    });
    await stream.done;
    const events = await eventually('it is audited', async () => {
      const { body } = await admin(cluster.node(0), 'GET', '/audit?action=session.cancel');
      const found = (body.data as { subject: string; address: string }[]).filter(({ subject }) => subject === id);
      return found.length > 0 ? found : undefined;
    });
    expect(events).toMatchObject([{ subject: id, address: '203.0.113.9' }]);
  });

  test('a node that does not answer is named, and ends the call once it can', async () => {
    const stream = await endless();
    const id = await openCall(cluster.node(1));
    const asleep = cluster.node(0);
    process.kill(asleep.process.pid, 'SIGSTOP');
    try {
      // At once: while it is asleep it is believed in for some seconds, of which each question takes some.
      const [list, end] = await Promise.all([
        listed(cluster.node(1)),
        ask(cluster.node(1), 'DELETE', `/plugin/${ONE}/sessions/${id}`),
      ]);
      // A third one may be late on a busy machine.
      expect(list).toEqual({ calls: [], silent: expect.stringContaining('node-0') });
      expect(end).toMatchObject({ status: 200, silent: expect.stringContaining('node-0'), body: { data: false } });
    } finally {
      process.kill(asleep.process.pid, 'SIGCONT');
    }
    await stream.done;
    expect(stream.failure.message).toContain('the call was cancelled on request');
    await cluster.complete();
  });

  test('what a plugin said is shown by any node, and a node that does not tell is named', async () => {
    await cluster.node(2).call('watched', 'say', { parameters: { line: 'said somewhere' } });
    const path = `/plugin/${ONE}/management/logs?plugin_id=tests/watched&lines=100`;
    for (const node of cluster.nodes)
      await eventually('it shows it', async () => {
        const { text } = await node.answer('GET', path);
        return /said somewhere.*"node":"node-0"/.test(text) || undefined;
      });
    const asleep = cluster.node(0);
    process.kill(asleep.process.pid, 'SIGSTOP');
    try {
      const response = await cluster.node(1).request('GET', path);
      // Another one may be slow beside it.
      expect(response.headers['x-plugin-nodes-silent']).toContain('node-0');
      expect(await textOf(response)).toMatch(/the node node-0 did not answer: its lines are missing/);
    } finally {
      process.kill(asleep.process.pid, 'SIGCONT');
    }
    await cluster.complete();
  });

  test('a policy that one node is told is in force on all, and what runs is seen through each of them', async () => {
    const policy = { plugin_id: 'tests/watched', min: 2, max: 3 };
    expect(await admin(cluster.node(2), 'PUT', '/plugins/policies', policy)).toMatchObject({ status: 200 });
    await eventually('the node that runs it has two', async () => {
      const { body } = await admin(cluster.node(1), 'GET', '/plugins/processes');
      const rows = (body.data as Processes[]).filter((row) => row.plugin_unique_identifier === identifier);
      return rows.find(({ node }) => node === 'node-0')?.instances === 2 || undefined;
    });
    for (const node of cluster.nodes)
      expect((await admin(node, 'GET', '/plugins/policies')).body.data).toMatchObject([
        { plugin_id: 'tests/watched', from: 'api', policy: { min: 2, max: 3 } },
      ]);
    // Taken back at another node.
    const back = { plugin_id: 'tests/watched' };
    expect(await admin(cluster.node(0), 'PUT', '/plugins/policies', back)).toMatchObject({ status: 200 });
    for (const node of cluster.nodes)
      await eventually('it is taken back', async () => {
        const { body } = await admin(node, 'GET', '/plugins/policies');
        return (body.data as unknown[]).length === 0 || undefined;
      });
  });

  test('a call that is handed over brings the address of the client along', async () => {
    const response = await cluster.node(1).request('POST', `/plugin/${ONE}/dispatch/tool/invoke`, {
      headers: {
        'Content-Type': 'application/json',
        'X-Plugin-ID': 'tests/watched',
        'X-Forwarded-For': '203.0.113.7',
      },
      body: JSON.stringify({
        user_id: 'user-1',
        data: {
          provider: 'watched',
          tool: 'nonsense',
          tool_parameters: {},
          credentials: {},
          credential_type: 'api-key',
        },
      }),
    });
    await textOf(response);
    await eventually(
      'the node that served it tells the client',
      () =>
        cluster
          .node(0)
          .process.logTail(100_000)
          .split('\n')
          .some((line) => line.includes('HTTP request') && line.includes('203.0.113.7')) || undefined,
    );
  });

  test.each([
    ['made up', (id: string, now: number) => `1;${id};x;${now};s@10.0.0.1;forged`],
    ['of an unknown version', (id: string, now: number) => `2;${id};x;${now};;forged`],
    ['with a client that is none', (id: string, now: number) => `1;${id};x;${now};@nobody;AAAA`],
    ['long', () => 'x'.repeat(5000)],
    ['empty', () => ''],
  ])('a mark that is %s does not come in, and gives nobody another address', async (_what, make) => {
    const now = Math.floor(Date.now() / 1000);
    const headers = { 'X-Plugin-Daemon-Forward': make('node-0', now) };
    const response = await cluster.node(0).request('GET', `/plugin/${ONE}/sessions`, { headers });
    await textOf(response);
    expect(response.statusCode).toBe(421);
    expect(cluster.node(0).process.logTail(1000)).not.toContain('10.0.0.1');
  });
});
