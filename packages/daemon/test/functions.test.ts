/** The serverless platform, through the whole daemon: a connector and functions that the test plays, on their bad days too. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { startFakeDify } from '@plugin-daemon/bench';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type FakeSri, good, say, startFakeSri } from '../src/functions/testing/fake-sri.ts';
import { eventually, failureOf, ONE, OTHER, TestDaemon } from './harness.ts';
import { AUTHOR, manifest, rudePackage, yaml } from './plugins/package.ts';
import { sendOnAfterRefusal } from './refused-sender.ts';

const INNER_KEY = 'inner-key';
const ADMIN = 'admin-key-of-this-test';
const MAX_MESSAGE = 65_536;
const LIST = `/plugin/${ONE}/management/list?page=1&page_size=1`;

interface Call {
  readonly id: string;
  readonly secret: string;
  readonly path: string;
  readonly tool: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly response: ServerResponse;
  say(type: string, data: unknown): void;
  text(text: string): void;
  end(): void;
}

/** What functions do, by the name of the tool. */
const tools: Record<string, (call: Call, attempt: number) => void | Promise<void>> = {
  echo(call) {
    call.text(String(call.parameters.text ?? ''));
    call.end();
  },
  halves({ response, id }) {
    const line = `{"event":"session","session_id":"${id}","data":{"type":"stream","data":{"type":"text","message":{"text":"ü"},"meta":null}}}\n\n{"event":"session","session_id":"${id}","data":{"type":"end","data":{}}}\n\n`;
    const bytes = Buffer.from(line);
    response.writeHead(200);
    let at = 0;
    const timer = setInterval(() => {
      response.write(bytes.subarray(at, at + 7));
      at += 7;
      if (at < bytes.length) return;
      clearInterval(timer);
      response.end();
    }, 1);
  },
  never: () => undefined,
  stops: (call) => call.text('one'),
  breaks(call) {
    call.text('one');
    setTimeout(() => call.response.destroy(), 20);
  },
  unended(call) {
    call.text('one');
    call.response.end();
  },
  endless(call) {
    call.response.writeHead(200);
    const timer = setInterval(() => call.response.write('x'.repeat(1 << 16)), 1);
    call.response.once('close', () => clearInterval(timer));
  },
  flood(call) {
    const timer = setInterval(() => call.text('y'.repeat(1000)), 1);
    call.response.once('close', () => clearInterval(timer));
  },
  redirect({ response }) {
    response.writeHead(302, { Location: '/fn/elsewhere' }).end();
  },
  flaky(call, attempt) {
    if (attempt < 2) return void call.response.writeHead(502).end('bad gateway');
    call.text(`attempt ${attempt}`);
    call.end();
  },
  gone: ({ response }) => void response.destroy(),
  types(call) {
    for (const line of [
      '7',
      '[]',
      '"x"',
      '{"event":7}',
      '{"event":"session"}',
      '{"event":"session","data":[]}',
      '\0\xff',
    ])
      call.response.write(`${line}\n`);
    call.say('stream', { type: 'text', message: { text: 'still here' }, meta: null });
    call.end();
  },
  stranger(call) {
    call.response.write(
      '{"event":"session","session_id":"00000000-0000-4000-8000-000000000099","data":{"type":"stream","data":{"type":"text","message":{"text":"not yours"},"meta":null}}}\n',
    );
    call.end();
  },
  invoke(call) {
    call.say('invoke', { type: 'storage', backwards_request_id: 'x', request: {} });
  },
  html: ({ response }) => void response.writeHead(200).end('<html><body>Please log in</body></html>'),
  lambda: ({ response }) => void response.writeHead(200).end('{"errorType":"Sandbox.Timedout","errorMessage":"3 s"}\n'),
  async back(call) {
    const answer = await callBack(call, call.parameters);
    call.say('stream', { type: 'json', message: { json_object: answer }, meta: null });
    call.end();
  },
};

let dify: Awaited<ReturnType<typeof startFakeDify>>;
let sri: FakeSri;
let server: Server;
let functionUrl: string;
let daemon: TestDaemon;
const calls: Call[] = [];
const attempts = new Map<string, number>();

/** A transaction in the name of a call, with what the parameters say otherwise. */
async function callBack(call: Pick<Call, 'id' | 'secret'>, options: Readonly<Record<string, unknown>>) {
  const {
    kind = 'storage',
    request = { opt: 'set', key: 'k', value: '7b7d' },
    body,
    secret,
    header = call.id,
    gzip,
  } = options;
  const data = { type: kind, backwards_request_id: 'r1', request };
  const line = JSON.stringify({ event: 'session', session_id: options.id ?? call.id, data: { type: 'invoke', data } });
  const response = await daemon.request('POST', '/backwards-invocation/transaction', {
    key: false,
    body: typeof body === 'string' ? body : `${line}\n\n`,
    headers: {
      ...(header === null ? {} : { 'Dify-Plugin-Session-ID': String(header) }),
      ...(secret === undefined
        ? {}
        : { 'Dify-Plugin-Session-Secret': secret === 'own' ? call.secret : String(secret) }),
      ...(gzip === true && { 'Accept-Encoding': 'gzip, deflate' }),
    },
  });
  const bytes = await bytesOf(response);
  const text = response.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes).toString() : bytes.toString();
  return {
    status: response.statusCode,
    encoding: response.headers['content-encoding'] ?? '',
    events: text
      .split('\n\n')
      .filter((one) => one.startsWith('{'))
      .map((one) => {
        const { session_id, event, data: answer } = JSON.parse(one);
        return { mine: session_id === call.id, event, ...answer };
      }),
  };
}

async function bytesOf(response: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return Buffer.concat(parts);
}

async function serveFunction(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const message = JSON.parse((await bytesOf(request)).toString());
  const id = String(message.session_id);
  const attempt = attempts.get(id) ?? 0;
  attempts.set(id, attempt + 1);
  const lines = (type: string, data: unknown): void => {
    if (!response.destroyed)
      response.write(`${JSON.stringify({ event: 'session', session_id: id, data: { type, data } })}\n\n`);
  };
  const call: Call = {
    id,
    secret: String(request.headers['dify-plugin-session-secret']),
    path: request.url ?? '',
    tool: message.data.tool,
    parameters: message.data.tool_parameters,
    response,
    say: lines,
    text: (text) => lines('stream', { type: 'text', message: { text }, meta: null }),
    end() {
      lines('end', {});
      response.end();
    },
  };
  calls.push(call);
  await tools[call.tool]?.(call, attempt);
}

const permission = { tool: { enabled: true }, storage: { enabled: true, size: 1024 } };
const packageNamed = (name: string) => rudePackage(name, {}, { 'manifest.yaml': yaml(manifest(name, { permission })) });

beforeAll(async () => {
  dify = await startFakeDify({
    key: INNER_KEY,
    tool: async function* () {
      yield { type: 'text', message: { text: 'from Dify \u2028' }, meta: {} };
    },
  });
  sri = await startFakeSri();
  server = createServer((request, response) => void serveFunction(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has such an address.
  functionUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/fn`;
  sri.answers.launch = [good(functionUrl, 'fn')];
  daemon = await TestDaemon.start({
    innerApi: { url: dify.url, key: INNER_KEY },
    settings: {
      PLATFORM: 'serverless',
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: sri.url,
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: 'sri-key',
      ADMIN_API_ENABLED: 'true',
      ADMIN_API_KEY: ADMIN,
      PLUGIN_MAX_MESSAGE_BYTES: String(MAX_MESSAGE),
      PLUGIN_IDLE_TIMEOUT: '2',
      MAX_SERVERLESS_REQUEST_BYTES: '8192',
      CALL_BACK_BUDGET_BYTES: String(32 * 1024 * 1024),
    },
  });
  await daemon.install(packageNamed('cloudy'));
}, 240_000);

afterEach(() => daemon.expectIdle());

afterAll(async () => {
  await daemon?.close();
  server?.close();
  server?.closeAllConnections();
  await sri?.[Symbol.asyncDispose]();
  await dify?.close();
});

const callTool = (tool: string, parameters: object = {}, tenant = ONE) =>
  daemon.call('cloudy', tool, { parameters, tenant });
const lastCall = (tool: string): Call => {
  const found = calls.findLast((call) => call.tool === tool);
  if (found === undefined) throw new Error(`${tool} was not called`);
  return found;
};

test('a plugin is installed as a function and called there, on a connection that is kept', async () => {
  const first = await callTool('echo', { text: 'ü\u2028' });
  expect(first.texts).toEqual(['ü\u2028']);
  const second = await callTool('echo', { text: 'again' });
  expect(second.texts).toEqual(['again']);
  expect(lastCall('echo').path).toBe('/fn/invoke?action=invoke_tool');
  expect(lastCall('echo').secret).toMatch(/^[\w-]{32}$/);
  const ports = calls.slice(-2).map(({ response }) => response.req.socket.remotePort);
  expect(ports[0]).toBe(ports[1]);
  expect(daemon.processes()).toEqual([]);
  expect(await daemon.metric('plugin_function_requests_total', { outcome: 'answered' })).toBeGreaterThan(1);
});

test('a second tenant has the function that there is; the last uninstall makes an end of it', async () => {
  const launches = sri.asked.filter(({ path }) => path === '/v1/launch').length;
  sri.answers.instances = [say(JSON.stringify({ Items: [{ Name: 'fn', Endpoint: functionUrl }] }))];
  const identifier = await daemon.install(packageNamed('cloudy'), OTHER);
  expect((await callTool('echo', { text: 'for the other' }, OTHER)).texts).toEqual(['for the other']);
  expect(sri.asked.filter(({ path }) => path === '/v1/launch')).toHaveLength(launches);
  const { list } = await daemon
    .client(OTHER)
    .call<{ list: { id: string }[] }>('GET', '/management/list?page=1&page_size=9');
  await daemon.client(OTHER).call('POST', '/management/uninstall', { plugin_installation_id: list[0]?.id });
  expect((await callTool('echo', {}, OTHER)).status).toBe(404);
  expect((await callTool('echo', { text: 'still' })).texts).toEqual(['still']);
  const direct = await daemon.answer('POST', '/v2/invoke/dispatch/tool/invoke', {
    headers: {
      'Content-Type': 'application/json',
      'X-Plugin-Unique-Identifier': identifier.replace(/@.*/, `@${'b'.repeat(64)}`),
    },
    body: JSON.stringify({
      tenant_id: ONE,
      user_id: '',
      data: { provider: 'x', tool: 'echo', tool_parameters: {}, credentials: {} },
    }),
  });
  expect(direct.status).toBe(500);
  expect(failureOf(direct.text).message).toBe('failed to get plugin runtime');
});

describe('functions on their bad days', () => {
  test.each([
    ['gone', 'PluginDaemonInnerError', /all 3 attempts failed, last error: attempt 3\/3 failed: Post "http.*": EOF$/],
    ['redirect', 'PluginRuntimeError', /^Plugin runtime request failed: 302 Found$/],
    ['breaks', 'PluginDaemonInnerError', /^failed to read response body: unexpected EOF$/],
    ['unended', 'PluginRuntimeError', /the response ended before its end message/],
    ['invoke', 'serverless_event_not_supported', /full duplex/],
    ['html', 'PluginRuntimeError', /no valid session response/],
    ['stranger', undefined, undefined],
    ['lambda', 'PluginRuntimeError', /^Plugin runtime request failed: Sandbox.Timedout: 3 s$/],
  ])('%s', async (tool, type, text) => {
    const answer = await callTool(tool);
    if (type === undefined) expect(answer.received).toBe('');
    else expect(answer.failure.inner).toMatchObject({ error_type: type, message: expect.stringMatching(text ?? '') });
  });

  test('one that answers in halves of characters and lines', async () => {
    expect((await callTool('halves')).texts).toEqual(['ü']);
  });

  test('one whose gateway says 502 twice', async () => {
    expect((await callTool('flaky')).texts).toEqual(['attempt 2']);
  });

  test('values of any type between its messages', async () => {
    expect((await callTool('types')).texts).toEqual(['still here']);
  });

  test.each(['never', 'stops'])('one that %s is given up, and told so', async (tool) => {
    const answer = await callTool(tool);
    expect(answer.failure.message).toContain('killed by timeout: the plugin sent nothing for 2 s');
    await eventually('its connection is closed', () => lastCall(tool).response.destroyed || undefined);
  });

  test('an endless line fails at the limit for one message, and is not read further', async () => {
    const answer = await callTool('endless');
    expect(answer.failure.inner).toMatchObject({
      error_type: 'PluginMessageTooLargeError',
      args: { limit_bytes: MAX_MESSAGE },
    });
    await eventually('its connection is closed', () => lastCall('endless').response.destroyed || undefined);
  });

  test('a caller who leaves ends an endless answer', async () => {
    const stream = await daemon.open('cloudy', 'flood');
    await stream.text(3);
    stream.leave();
    await eventually('its connection is closed', () => lastCall('flood').response.destroyed || undefined);
  });

  test('a request over the limit is not sent', async () => {
    const before = calls.length;
    const answer = await callTool('echo', { text: 'x'.repeat(10_000) });
    expect(answer.failure.message).toMatch(
      /^ServerlessPayloadTooLarge: action=invoke_tool payload_bytes=\d+ max_request_bytes=8192\nfailed to write request$/,
    );
    expect(calls).toHaveLength(before);
  });

  test('the daemon still serves', async () => {
    expect((await callTool('echo', { text: 'fine' })).texts).toEqual(['fine']);
  });
});

describe('calls back', () => {
  const back = async (parameters: object = {}) => {
    const answer = await callTool('back', parameters);
    const [event] = answer.events;
    if (event === undefined) throw new Error(`no answer: ${answer.received}`);
    // What the tool `back` says.
    return (event.data as { message: { json_object: Awaited<ReturnType<typeof callBack>> } }).message.json_object;
  };

  test('of a function that knows its session alone, as SDKs do', async () => {
    expect(await back({ gzip: true })).toEqual({
      status: 200,
      encoding: 'gzip',
      events: [
        { mine: true, event: 'response', backwards_request_id: 'r1', message: 'struct', data: { data: 'ok' } },
        { mine: true, event: 'end', backwards_request_id: 'r1', message: '', data: null },
      ],
    });
    expect((await back({ request: { opt: 'get', key: 'k' } })).events[0]).toMatchObject({ data: { data: '7b7d' } });
  });

  test('into Dify, and refused without the right', async () => {
    const request = { tool_type: 'builtin', provider: 'p', tool: 't', tool_parameters: {} };
    expect((await back({ kind: 'tool', request })).events.map(({ data }) => data?.message?.text)).toEqual([
      'from Dify \u2028',
      undefined,
    ]);
    expect((await back({ kind: 'app', request: {} })).events[0]).toMatchObject({
      event: 'error',
      message: expect.stringContaining('permission denied'),
    });
  });

  test('with the secret of the session, and with a wrong one', async () => {
    expect((await back({ secret: 'own' })).status).toBe(200);
    const refused = await back({ secret: 'A'.repeat(32) });
    expect(refused).toMatchObject({
      status: 403,
      events: [{ mine: true, event: 'error', message: expect.stringContaining('secret') }, { event: 'end' }],
    });
    await daemon.logged('in the name of a session that is not theirs');
    const audit = await daemon.answer('GET', '/admin/audit?limit=1', {
      headers: { 'X-Admin-Api-Key': ADMIN },
      key: false,
    });
    expect(JSON.parse(audit.text).data[0]).toMatchObject({
      action: 'call-back',
      outcome: 'failed',
      detail: 'wrong-secret',
      tenant_id: ONE,
    });
    expect(await daemon.metric('plugin_function_calls_back_total', { outcome: 'wrong-secret' })).toBe(1);
  });

  test('once the secret was shown, nobody gets in without it', async () => {
    tools.twice = async (call) => {
      const first = await callBack(call, { secret: 'own' });
      const second = await callBack(call, {});
      call.text(`${first.status} ${second.status}`);
      call.end();
    };
    expect((await callTool('twice')).texts).toEqual(['200 403']);
  });

  test('with the secret of another session, or its id in the header', async () => {
    const other = await daemon.open('cloudy', 'stops');
    await other.text(0);
    const { id, secret } = lastCall('stops');
    expect((await back({ secret })).status).toBe(403);
    expect((await back({ header: id })).status).toBe(403);
    // The other session's own call is served.
    expect((await callBack({ id, secret }, { secret: 'own' })).status).toBe(200);
    other.leave();
  });

  test('after its session', async () => {
    await callTool('echo');
    const { id, secret } = lastCall('echo');
    await daemon.expectIdle();
    const refused = await callBack({ id, secret }, { secret: 'own' });
    expect(refused).toMatchObject({
      status: 400,
      events: [{ mine: true, event: 'error', message: expect.stringContaining('session not found') }, { event: 'end' }],
    });
    expect(await daemon.metric('plugin_function_calls_back_total', { outcome: 'unknown-session' })).toBe(1);
  });

  test.each([
    ['nope', 400],
    ['', 400],
    ['[]', 400],
    ['{"event":"heartbeat"}', 400],
    ['{"event":"session"}', 400],
    [`{"event":"session","session_id":${'['.repeat(3000)}`, 400],
    ['{"event":"session","session_id":"<SID>"}', 400],
    ['{"event":"session","session_id":"<SID>","data":"x"}', 400],
    ['{"event":"session","session_id":"<SID>","data":{"type":"invoke"}}', 400],
    ['{"event":"session","session_id":"<SID>","data":{"type":"invoke","data":[]}}', 500],
    ['{"event":"session","session_id":"<SID>","data":{"type":"invoke","data":{"type":"storage","request":{}}}}', 500],
    [' '.repeat(7_000_000), 413],
  ])('%#: what is none is refused at once', async (body, status) => {
    tools.odd = async (call) => {
      call.text(String((await callBack(call, { body: body.replace('<SID>', call.id) })).status));
      call.end();
    };
    expect((await callTool('odd')).texts).toEqual([String(status)]);
  });

  test('a stranger is not read as far as a function that was called', async () => {
    const members = Array.from({ length: 120_000 }, (_, n) => `"name ${n}":0`).join();
    const data = {
      type: 'invoke',
      data: { type: 'storage', backwards_request_id: 'r1', request: { opt: 'get', key: 'k' } },
    };
    tools.many = async (call) => {
      // However long it takes here, it is not given up as idle.
      const alive = setInterval(() => call.text('.'), 100);
      const line = JSON.stringify({ event: 'session', session_id: call.id, data });
      const body = `${line.slice(0, -1)},${members}}`;
      const stranger = await callBack(call, { body, header: null });
      const own = await callBack(call, { body, secret: 'own' });
      clearInterval(alive);
      call.text(`${stranger.status} ${stranger.events[0]?.message} ${own.status}`);
      call.end();
    };
    expect((await callTool('many')).texts.at(-1)).toMatch(/^400 .*more than 100000 lists, objects and members.* 200$/);
  });

  test('whoever is refused may finish sending, and reads why', async () => {
    const path = '/backwards-invocation/transaction';
    expect(await sendOnAfterRefusal(daemon.process.url, path, 7_000_000)).toBe('413 ended');
  });

  test('however many strangers begin one and never finish it, under any names', async () => {
    const { port, hostname } = new URL(daemon.process.url);
    const strangers = Array.from({ length: 40 }, (_, n) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      const headers = `Host: x\r\nDify-Plugin-Session-ID: stranger-${n}\r\nContent-Length: 6000000\r\n`;
      socket.write(`POST /backwards-invocation/transaction HTTP/1.1\r\n${headers}\r\n{`);
      return socket;
    });
    try {
      await Promise.all(strangers.map((socket) => once(socket, 'ready')));
      expect((await back()).status).toBe(200);
    } finally {
      for (const socket of strangers) socket.destroy();
    }
  });

  test('from nowhere', async () => {
    const { status, text } = await daemon.answer('POST', '/backwards-invocation/transaction', {
      key: false,
      body: '{"event":"session","session_id":"x","data":{}}',
    });
    expect([status, text]).toEqual([400, expect.stringContaining('"event":"backwards_response"')]);
    expect((await daemon.answer('GET', '/backwards-invocation/transaction')).status).toBe(404);
  });
});

test('operators point a plugin to another function and back', async () => {
  const identifier = (await daemon.client().upload(packageNamed('cloudy'))).unique_identifier;
  const point = (url: string) =>
    daemon.answer('POST', '/admin/plugin/serverless/switch-endpoint', {
      key: false,
      headers: { 'X-Admin-Api-Key': ADMIN, 'Content-Type': 'application/json' },
      body: JSON.stringify({ plugin_unique_identifier: identifier, function_name: 'f', function_url: url }),
    });
  expect(JSON.parse((await point('not a url')).text)).toMatchObject({ data: true });
  expect((await callTool('echo')).failure.inner?.message).toContain('unsupported protocol scheme');
  await point(functionUrl);
  expect((await callTool('echo', { text: 'back' })).texts).toEqual(['back']);
  const reinstall = (id: string) =>
    daemon.answer('POST', '/admin/plugin/serverless/reinstall', {
      key: false,
      headers: { 'X-Admin-Api-Key': ADMIN, 'Content-Type': 'application/json' },
      body: JSON.stringify({ plugin_unique_identifier: id }),
    });
  expect((await reinstall(identifier)).text).toContain('"event":"done","data":"successfully reinstalled"');
  expect((await callTool('echo', { text: 'anew' })).texts).toEqual(['anew']);
  sri.answers.launch = [say('data: {"Stage":"build","State":"failed","Message":"no such base image"}\n\n')];
  const failed = await reinstall(identifier);
  expect(failed.text).toContain(
    '"event":"error","data":"failed to reinstall plugin to serverless\\nno such base image"',
  );
  expect((await reinstall('no identifier')).status).toBe(400);
  sri.answers.launch = [good(functionUrl, 'fn')];
  const audit = await daemon.answer('GET', '/admin/audit?limit=4', {
    headers: { 'X-Admin-Api-Key': ADMIN },
    key: false,
  });
  expect(JSON.parse(audit.text).data).toMatchObject([
    { action: 'reinstall-function', outcome: 'failed', detail: expect.stringContaining('no such base image') },
    { action: 'reinstall-function', subject: identifier, outcome: 'done', credential: 'admin-key' },
    { action: 'switch-function' },
    { action: 'switch-function' },
  ]);
});

test('a daemon starts and serves while its connector is away', async () => {
  await sri.down();
  await daemon.process.stop();
  await daemon.process.start();
  await daemon.logged('the serverless connector does not answer; it is asked until it does');
  expect((await callTool('echo', { text: 'without it' })).texts).toEqual(['without it']);
  await sri.up();
  await eventually(
    'the connector is found again',
    async () => (await daemon.metric('plugin_function_connector_up')) === 1 || undefined,
  );
});

test('while the daemon stops, open calls still call back, and no new ones are let in', async () => {
  const stopping = Promise.withResolvers<void>();
  tools.last = async (call) => {
    call.text('begun');
    await stopping.promise;
    const { status } = await callBack(call, {});
    const alive = await daemon.answer('GET', '/livez');
    call.text(`${status} ${alive.status}`);
    call.end();
  };
  const stream = await daemon.open('cloudy', 'last');
  await stream.text(0);
  const stopped = daemon.process.stop();
  await eventually('new calls are refused', async () =>
    (await daemon.answer('GET', LIST)).status === 503 ? true : undefined,
  );
  stopping.resolve();
  expect(await stream.text(1)).toBe('200 200');
  await stopped;
  await daemon.process.start();
});

test('texts are embedded in batches', async () => {
  tools.unused = () => undefined;
  const texts = Array.from({ length: 12 }, (_, n) => String(n).repeat(900));
  const before = calls.length;
  server.removeAllListeners('request');
  const sizes: number[] = [];
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void bytesOf(request).then((bytes) => {
      const { session_id, data } = JSON.parse(bytes.toString());
      sizes.push(bytes.length);
      const usage = {
        tokens: 1,
        total_tokens: 2,
        unit_price: '0.1',
        price_unit: 0.001,
        total_price: '0.1',
        currency: 'USD',
        latency: 0.5,
      };
      const result = { model: 'm', embeddings: data.texts.map((text: string) => [text.length]), usage };
      const line = (type: string, value: unknown) =>
        `${JSON.stringify({ event: 'session', session_id, data: { type, data: value } })}\n\n`;
      response.end(line('stream', result) + line('end', {}));
    });
  });
  const answer = await daemon.answer('POST', `/plugin/${ONE}/dispatch/text_embedding/invoke`, {
    headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': `${AUTHOR}/cloudy` },
    body: JSON.stringify({
      user_id: 'u',
      data: { provider: 'p', model: 'm', model_type: 'text-embedding', credentials: {}, texts, input_type: 'document' },
    }),
  });
  const event = JSON.parse(answer.text.trim().replace(/^data: /, ''));
  expect(event.data.embeddings).toEqual(texts.map((text) => [text.length]));
  expect(sizes.length).toBeGreaterThan(1);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(8192);
  expect(event.data.usage).toMatchObject({
    tokens: sizes.length,
    total_price: (sizes.length / 10).toString(),
    price_unit: '0.001',
  });
  expect(calls).toHaveLength(before);
});
