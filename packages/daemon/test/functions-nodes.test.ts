/** Functions of several daemons on one database and one Redis: any of them takes their calls back, and one of them launches. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FakeSri, good, say, startFakeSri } from '../src/functions/testing/fake-sri.ts';
import { clusterMissing, TestCluster } from './cluster.ts';
import { eventually, OTHER, textOf } from './harness.ts';
import { manifest, rudePackage, yaml } from './plugins/package.ts';

const reason = clusterMissing();
const LIST = `/plugin/${OTHER}/management/list?page=1&page_size=1`;

describe.skipIf(reason !== undefined)(reason ?? 'functions of two nodes', () => {
  let cluster: TestCluster;
  let sri: FakeSri;
  let server: Server;
  const mayGoOn = Promise.withResolvers<void>();

  /** Calls back at the node that the call names, and says what came of it. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const message = JSON.parse(await textOf(request));
    const id = String(message.session_id);
    const { node = 0, secret, ended, wait } = message.data.tool_parameters;
    const own = String(request.headers['dify-plugin-session-secret']);
    const line = (type: string, data: unknown): string =>
      `${JSON.stringify({ event: 'session', session_id: id, data: { type, data } })}\n\n`;
    const back = async (): Promise<string> => {
      const invoke = { type: 'storage', backwards_request_id: 'r', request: { opt: 'set', key: 'k', value: '00' } };
      const answer = await cluster.node(node).answer('POST', '/backwards-invocation/transaction', {
        key: false,
        body: line('invoke', invoke),
        headers: {
          'Dify-Plugin-Session-ID': id,
          ...(secret !== undefined && { 'Dify-Plugin-Session-Secret': secret === 'own' ? own : secret }),
        },
      });
      return `${answer.status} ${/"data":\{"data":"ok"\}/.test(answer.text) ? 'ok' : ''}`;
    };
    if (wait === true) {
      response.write(line('stream', { type: 'text', message: { text: 'begun' }, meta: null }));
      await mayGoOn.promise;
    }
    response.write(line('stream', { type: 'text', message: { text: ended === true ? id : await back() }, meta: null }));
    response.end(line('end', {}));
  }

  const permission = { tool: { enabled: true }, storage: { enabled: true, size: 1024 } };
  const packed = rudePackage('cloudy', {}, { 'manifest.yaml': yaml(manifest('cloudy', { permission })) });
  const said = async (index: number, parameters: object) =>
    (await cluster.node(index).call('cloudy', 'echo', { parameters })).texts;

  beforeAll(async () => {
    sri = await startFakeSri();
    server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // A TCP server has such an address.
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fn`;
    sri.answers.launch = [
      async (response, asked) => {
        await good(url, 'fn')(response, asked);
        sri.answers.instances = [say(JSON.stringify({ Items: [{ Name: 'fn', Endpoint: url }] }))];
      },
    ];
    cluster = await TestCluster.start([{}, {}], {
      settings: {
        PLATFORM: 'serverless',
        DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: sri.url,
        DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: 'sri-key',
      },
    });
    await Promise.all([cluster.node(0).install(packed), cluster.node(1).install(packed, OTHER)]);
  });
  afterAll(async () => {
    await cluster?.close();
    server?.close();
    server?.closeAllConnections();
    await sri?.[Symbol.asyncDispose]();
  });

  test('two that install a version at the same time have it launched once', () => {
    expect(sri.asked.filter(({ path }) => path === '/v1/launch')).toHaveLength(1);
  });

  test('each calls the function itself, and takes its calls back', async () => {
    expect([await said(0, { node: 0 }), await said(1, { node: 1 })]).toEqual([['200 ok'], ['200 ok']]);
    expect(await cluster.node(0).metric('forwarded_calls_total')).toBe(0);
  });

  test('a call back that reaches another node is handed to the one that holds the session', async () => {
    expect([await said(0, { node: 1 }), await said(1, { node: 0, secret: 'own' })]).toEqual([['200 ok'], ['200 ok']]);
    expect(await cluster.node(1).metric('plugin_function_calls_back_total', { outcome: 'forwarded' })).toBe(1);
    expect(await cluster.node(0).metric('plugin_function_calls_back_total', { outcome: 'forwarded' })).toBe(1);
  });

  test('a wrong secret is refused there', async () => {
    expect(await said(0, { node: 1, secret: 'x'.repeat(32) })).toEqual(['403 ']);
  });

  test('a session that is over is unknown everywhere', async () => {
    const [id = ''] = await said(0, { ended: true });
    await cluster.node(0).expectIdle();
    const { status, text } = await cluster.node(1).answer('POST', '/backwards-invocation/transaction', {
      key: false,
      body: JSON.stringify({ event: 'session', session_id: id, data: { type: 'invoke', data: {} } }),
      headers: { 'Dify-Plugin-Session-ID': id },
    });
    expect([status, text]).toEqual([400, expect.stringContaining('session not found')]);
  });

  test('a node that stops still gets the calls back of its open sessions', async () => {
    const stream = await cluster.node(0).open('cloudy', 'echo', { parameters: { node: 1, wait: true } });
    await stream.text(0);
    const stopped = cluster.node(0).process.stop();
    await eventually('it takes no new calls', async () =>
      (await cluster.node(0).answer('GET', LIST)).status === 503 ? true : undefined,
    );
    mayGoOn.resolve();
    expect(await stream.text(1)).toBe('200 ok');
    await stopped;
  });
});
