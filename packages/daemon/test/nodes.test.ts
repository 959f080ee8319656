/** Several nodes on one database, one Redis and one store: any of them answers any request. */
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { createTlsFiles } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clusterMissing, TestCluster } from './cluster.ts';
import { eventually, ONE, reservePort, temporaryDirectory } from './harness.ts';
import { hookPackage, rudePackage } from './plugins/package.ts';

const reason = clusterMissing();
const NAMES = ['node-0', 'node-1'];

describe.skipIf(reason !== undefined)(reason ?? 'two nodes, plugins placed by demand', () => {
  let cluster: TestCluster;
  const forwarded = (index: number) => cluster.node(index).metric('forwarded_calls_total', { outcome: 'answered' });
  const said = async (index: number, text: string) =>
    (await cluster.node(index).call('shared', 'echo', { parameters: { text } })).texts;

  beforeAll(async () => {
    cluster = await TestCluster.start(
      NAMES.map(() => ({ PLACEMENT_RULE: 'demand' })),
      { installed: rudePackage('shared') },
    );
    await eventually(
      'the other node knows where it runs',
      async () => (await cluster.node(1).metric('cluster_ready_plugins')) === 1 || undefined,
    );
  });
  afterAll(() => cluster?.close());

  test('a call of a plugin that runs on another node is answered by that one, whoever is asked', async () => {
    expect(await said(0, 'here')).toEqual(['here']);
    expect(await said(1, 'there')).toEqual(['there']);
    expect([await forwarded(0), await forwarded(1)]).toEqual([0, 1]);
    expect(cluster.node(1).processes()).toEqual([]);
  });

  test('streams flow while they are made, and a client that leaves stops the plugin on the other node', async () => {
    const stream = await cluster.node(1).open('shared', 'drip', { parameters: { count: 1000, seconds: 0.02 } });
    const session = await stream.text(0);
    await stream.text(3);
    expect(stream.complete).toBe(false);
    expect(await cluster.node(0).metric('active_sessions_total')).toBe(1);
    stream.leave();
    await eventually('the plugin was told to stop', async () => {
      const seen = await cluster.node(0).call('shared', 'seen', { parameters: { of: session } });
      return seen.texts[0]?.includes('cancel') || undefined;
    });
    await cluster.node(0).expectIdle();
  });

  test('a body of many megabytes goes through', async () => {
    const text = 'z'.repeat(8 * 1024 * 1024);
    const [answer] = await said(1, text);
    expect(answer?.length).toBe(text.length);
  });

  test('errors of the other node reach the client as they are', async () => {
    const direct = await cluster.node(0).call('shared', 'nonsense');
    const handed = await cluster.node(1).call('shared', 'nonsense');
    expect(handed.status).toBe(direct.status);
    expect(handed.failure.inner?.error_type).toBe(direct.failure.inner?.error_type);
  });

  test('webhooks are answered by any node, with the address that the client has called', async () => {
    await cluster.node(0).install(hookPackage('hooked'));
    const client = cluster.node(0).client();
    const installed = (await client.list()).find((one) => one.plugin_id === 'tests/hooked');
    await client.call('POST', '/endpoint/setup', {
      plugin_unique_identifier: installed?.plugin_unique_identifier,
      user_id: 'user-1',
      settings: {},
      name: 'hook',
    });
    const [endpoint] = await cluster
      .node(1)
      .client()
      .call<{ hook_id: string }[]>('GET', '/endpoint/list?page=1&page_size=10');
    const answer = await cluster
      .node(1)
      .answer('POST', `/e/${endpoint?.hook_id}/seen?x=1`, { key: false, body: 'body' });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text).slice(0, 2)).toEqual(['POST /seen?x=1 HTTP/1.1', 4]);
  });

  test('what is uninstalled at one node is gone at the other within a second or so, and its process with it', async () => {
    const [installation] = (await cluster.node(1).client().list()).filter((one) => one.plugin_id === 'tests/shared');
    expect(await said(1, 'still')).toEqual(['still']);
    const before = cluster.node(0).processes().length;
    await cluster
      .node(1)
      .client()
      .uninstall(installation?.id ?? '');
    const answer = await cluster.node(0).call('shared', 'echo', { parameters: { text: 'gone' } });
    expect(answer.status).toBe(404);
    await eventually('its process ended', () => cluster.node(0).processes().length === before - 1 || undefined);
  });

  test('nobody else can come in as a node', async () => {
    const headers = {
      'X-Plugin-Daemon-Forward': `1;x;y;${Math.floor(Date.now() / 1000)};;forged`,
      'X-Plugin-ID': 'tests/hooked',
    };
    const refused = await cluster
      .node(0)
      .answer('POST', `/plugin/${ONE}/dispatch/tool/invoke`, { headers, body: '{}' });
    expect(refused.status).toBe(421);
    await cluster.node(0).logged('a call that another node handed over was refused');
  });
});

describe.skipIf(reason !== undefined)(reason ?? 'nodes that show certificates to each other', () => {
  let cluster: TestCluster;
  let directory: ReturnType<typeof temporaryDirectory>;
  const ports: number[] = [];
  beforeAll(async () => {
    directory = temporaryDirectory();
    const files = createTlsFiles(join(directory.path, 'tls'));
    ports.push(await reservePort(), await reservePort());
    const tls = {
      PLACEMENT_RULE: 'demand',
      NODE_TLS_CERTFILE: files.serverCert,
      NODE_TLS_KEYFILE: files.serverKey,
      NODE_TLS_CA_CERTS: files.ca,
    };
    cluster = await TestCluster.start(
      ports.map((port) => ({ ...tls, NODE_PORT: String(port) })),
      { installed: rudePackage('secret') },
    );
    await eventually(
      'the other node knows where it runs',
      async () => (await cluster.node(1).metric('cluster_ready_plugins')) === 1 || undefined,
    );
  });
  afterAll(async () => {
    await cluster?.close();
    directory?.[Symbol.dispose]();
  });

  test('hand calls over on a port of their own, where nobody else gets in', async () => {
    const answer = await cluster.node(1).call('secret', 'echo', { parameters: { text: 'over TLS' } });
    expect(answer.texts).toEqual(['over TLS']);
    expect(await cluster.node(1).metric('forwarded_calls_total', { outcome: 'answered' })).toBe(1);
    await expect(fetch(`http://127.0.0.1:${ports[0]}/livez`)).rejects.toThrow();
    await expect(fetch(`https://127.0.0.1:${ports[0]}/livez`)).rejects.toThrow();
  });
});

describe.skipIf(reason !== undefined)(reason ?? "beside the existing daemon's nodes", () => {
  test('a plugin that is debugged on one of them is called there, and what one of them sends is answered', async () => {
    const seen: IncomingMessage[] = [];
    const theirs = createServer((request, response) => {
      if (request.url !== '/health/check') seen.push(request);
      request.resume();
      response.end(request.url === '/health/check' ? '{"status":"ok"}' : 'data: from the existing daemon\n\n');
    });
    const port = await new Promise<number>((resolve) => {
      theirs.listen(0, '127.0.0.1', () => {
        const address = theirs.address();
        resolve(address !== null && typeof address === 'object' ? address.port : 0);
      });
    });
    await using cluster = await TestCluster.start([{}]);
    const identifier = `${ONE}/remote:0.0.1@${'a'.repeat(64)}`;
    const write = (hash: string, field: string, value: object) =>
      cluster.redis.cli('hset', `plugin_daemon:${hash}`, field, JSON.stringify(value));
    const ips = [{ ip: '127.0.0.1', port, vote: [] }];
    await write('plugin_state', `theirs:${'b'.repeat(64)}`, { identity: identifier });
    await write('cluster-nodes-status-hash-map', 'theirs', { ips, last_ping_at: Math.floor(Date.now() / 1000) });
    await cluster.node(0).install(rudePackage('ours'));
    await eventually('it is known', async () => (await cluster.node(0).metric('cluster_nodes')) === 2 || undefined);
    const answer = await cluster.node(0).answer('POST', '/v2/invoke/dispatch/tool/invoke', {
      headers: {
        'Content-Type': 'application/json',
        'X-Plugin-Unique-Identifier': identifier,
        Host: 'plugins.example',
      },
      body: '{}',
    });
    expect([answer.status, answer.text]).toEqual([200, 'data: from the existing daemon\n\n']);
    expect(
      seen.map(({ url, headers }) => [url, headers['x-original-host'], headers['x-plugin-unique-identifier']]),
    ).toEqual([['/v2/invoke/dispatch/tool/invoke', 'plugins.example', identifier]]);
    // It stands where they look for nodes, at an address that answers their probe; what they send is like a client's.
    const text = await cluster.redis.cli('hgetall', 'plugin_daemon:cluster-nodes-status-hash-map');
    expect(text).toContain(`"port":${new URL(cluster.node(0).process.url).port}`);
    expect((await cluster.node(0).call('ours', 'echo', { parameters: { text: 'redirected' } })).texts).toEqual([
      'redirected',
    ]);
    theirs.close();
    theirs.closeAllConnections();
  });
});
