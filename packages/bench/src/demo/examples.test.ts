/** Every example is a complete package, and works on a real daemon with the real SDK. */
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { decodePackage } from '@plugin-daemon/plugin-package';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DaemonClient, DaemonProcess, type Uploaded } from '../daemon/index.ts';
import { type FakeDify, type FakeServer, startFakeDify, startFakeOpenAi } from '../fakes/index.ts';
import { EXAMPLES, folderPackage } from '../plugin/package.ts';
import { llmByPlugin, toolByPlugin } from './dify-stand-in.ts';

const FOLDERS = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const INSTALL_LIMIT_MS = 300_000;

test.each(FOLDERS)('%s is a complete package without index addresses', (folder) => {
  const { identifier, warnings } = decodePackage(folderPackage(join(EXAMPLES, folder)));
  expect([identifier.author, warnings]).toEqual(['examples', []]);
  for (const file of ['README.md', 'PRIVACY.md', 'main.py'])
    expect(existsSync(join(EXAMPLES, folder, file))).toBe(true);
  const lists = ['requirements.txt', 'pyproject.toml'].map((name) => join(EXAMPLES, folder, name)).filter(existsSync);
  expect(lists).toHaveLength(1);
  for (const list of lists) expect(readFileSync(list, 'utf8')).not.toMatch(/https?:|index/);
});

let dify: FakeDify;
let model: FakeServer;
let daemon: DaemonProcess;
let client: DaemonClient;
const uploads = new Map<string, Uploaded>();

beforeAll(async () => {
  model = await startFakeOpenAi();
  dify = await startFakeDify({
    key: 'inner',
    llm: llmByPlugin(() => client, { base_url: `${model.url}/v1` }),
    tool: toolByPlugin(() => client),
  });
  daemon = await DaemonProcess.start({ innerApi: { url: dify.url, key: 'inner' } });
  client = new DaemonClient({ url: daemon.url, key: daemon.key });
  for (const folder of FOLDERS) {
    const uploaded = await client.upload(folderPackage(join(EXAMPLES, folder)));
    await client.install(uploaded.unique_identifier);
    uploads.set(folder, uploaded);
  }
}, INSTALL_LIMIT_MS);

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await daemon?.close();
  await dify?.close();
  await model?.close();
});

/** All messages of a call; they are read as the plugin's author knows them. */
async function call(route: string, plugin: string, data: object): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const message of client.invoke(route, `examples/${plugin}`, data)) messages.push(message as Message);
  return messages;
}

interface Message {
  readonly type?: string;
  readonly message?: {
    readonly text?: string;
    readonly json_object?: Record<string, unknown>;
    readonly blob?: string;
    readonly status?: string;
  };
  readonly delta?: {
    readonly message: { readonly content: string };
    readonly usage: { readonly total_tokens: number } | null;
  };
  readonly result?: { readonly status: string; readonly completed: number; readonly web_info_list: readonly Page[] };
  readonly events?: readonly string[];
  readonly response?: string;
  readonly payload?: object;
  readonly variables?: object;
}

interface Page {
  readonly title: string;
  readonly description: string;
  readonly content: string;
}

const texts = (messages: readonly Message[]) =>
  messages.map((m) => (m.type === 'text' ? m.message?.text : '')).join('');

test('the tool answers with text, JSON, variables and a file', async () => {
  const data = {
    provider: 'text_report',
    tool: 'report',
    tool_parameters: { text: 'One two two.', top: 1 },
    credentials: {},
  };
  const messages = await call('tool/invoke', 'text_report', data);
  expect(texts(messages)).toContain('3 words in 1 sentences');
  expect(messages.find((m) => m.type === 'json')?.message?.json_object).toMatchObject({
    words: 3,
    frequent: [{ word: 'two', count: 2 }],
  });
  expect(messages.filter((m) => m.type === 'variable')).toHaveLength(2);
  const file = messages.filter((m) => m.type === 'blob_chunk').map((m) => Buffer.from(m.message?.blob ?? '', 'base64'));
  expect(Buffer.concat(file).toString()).toBe('word,count\r\ntwo,2\r\n');
});

test('the tool refuses an empty text with a sentence', async () => {
  const data = { provider: 'text_report', tool: 'report', tool_parameters: { text: ' ' }, credentials: {} };
  await expect(call('tool/invoke', 'text_report', data)).rejects.toMatchObject({
    message: expect.stringContaining('there is no text to report on'),
    type: 'ValueError',
  });
});

const question = (base_url: string, more: object = {}) => ({
  provider: 'openai_endpoint',
  model: 'fake',
  model_type: 'llm',
  credentials: { base_url },
  model_parameters: {},
  prompt_messages: [{ role: 'user', content: 'why' }],
  tools: [],
  stop: [],
  stream: true,
  ...more,
});

test('the model streams words and ends with its usage', async () => {
  const messages = await call('llm/invoke', 'openai_endpoint', question(`${model.url}/v1`));
  expect(messages.length).toBeGreaterThan(5);
  expect(messages.map((m) => m.delta?.message.content).join('')).toContain('You asked: "why"');
  expect(messages.at(-1)?.delta?.usage?.total_tokens).toBeGreaterThan(8);
});

test('the model answers in one piece too', async () => {
  const messages = await call('llm/invoke', 'openai_endpoint', question(`${model.url}/v1`, { stream: false }));
  expect(messages).toHaveLength(1);
});

test('a model server that is not there is a connection error', async () => {
  await expect(call('llm/invoke', 'openai_endpoint', question('http://127.0.0.1:1/v1'))).rejects.toMatchObject({
    type: 'InvokeConnectionError',
  });
});

test('a wrong key is an authorization error', async () => {
  await using strict = await startFakeOpenAi({ apiKey: 'right' });
  await expect(call('llm/invoke', 'openai_endpoint', question(`${strict.url}/v1`))).rejects.toMatchObject({
    type: 'InvokeAuthorizationError',
  });
});

test('the agent calls back for the model and the tool', async () => {
  const tools = uploads.get('tool-text-report')?.manifest.tool?.tools.map((tool) => ({
    ...tool,
    identity: { ...tool.identity, provider: 'examples/text_report/text_report' },
    provider_type: 'builtin',
    runtime_parameters: { top: 1 },
  }));
  const parameters = {
    model: {
      provider: 'examples/openai_endpoint/openai_endpoint',
      model: 'fake',
      model_type: 'llm',
      mode: 'chat',
      completion_params: {},
      history_prompt_messages: [],
    },
    tools,
    query: 'one two three',
  };
  const data = { agent_strategy_provider: 'tool_loop', agent_strategy: 'loop', agent_strategy_params: parameters };
  const messages = await call('agent_strategy/invoke', 'tool_loop', data);
  expect(texts(messages)).toBe('The tool says: 3 words in 1 sentences. About 1 seconds to read.');
  expect(messages.filter((m) => m.type === 'log').map((m) => m.message?.status)).toEqual([
    'start',
    'success',
    'start',
    'success',
    'start',
    'success',
  ]);
  expect([dify.requests.get('invoke/llm'), dify.requests.get('invoke/tool')]).toEqual([2, 1]);
});

test('the endpoint keeps notes behind its token', async () => {
  const identifier = uploads.get('endpoint-notes')?.unique_identifier;
  await client.call('POST', '/endpoint/setup', {
    plugin_unique_identifier: identifier,
    user_id: 'u',
    name: 'notes',
    settings: { token: 'geheim' },
  });
  const [endpoint] = await client.call<{ hook_id: string }[]>('GET', '/endpoint/list?page=1&page_size=10');
  const url = `${daemon.url}/e/${endpoint?.hook_id}/notes/today`;
  const headers = { authorization: 'Bearer geheim' };
  expect((await fetch(url, { headers })).status).toBe(404);
  const written = await fetch(url, { method: 'PUT', headers, body: 'buy mîlk' });
  expect([written.status, await written.text()]).toEqual([200, 'kept\n']);
  expect(await (await fetch(url, { headers })).text()).toBe('buy mîlk');
  expect((await fetch(url)).status).toBe(401);
});

test('the datasource reads the pages of a sitemap and reports each', async () => {
  const site = await startSite();
  try {
    const data = {
      provider: 'sitemap',
      datasource: 'pages',
      datasource_parameters: { url: `${site.url}/sitemap.xml`, limit: 2 },
      credentials: {},
    };
    const messages = await call('datasource/get_website_crawl', 'sitemap', data);
    expect(messages.map((m) => [m.result?.status, m.result?.completed])).toEqual([
      ['processing', 0],
      ['processing', 1],
      ['processing', 2],
      ['completed', 2],
    ]);
    const [first, second] = messages.at(-1)?.result?.web_info_list ?? [];
    expect(first).toMatchObject({ title: 'One', content: 'Hello there' });
    expect(second?.description).toContain('not read');
  } finally {
    await new Promise((resolve) => site.server.close(resolve));
  }
});

async function startSite(): Promise<{ server: Server; url: string }> {
  let url = '';
  const server = createServer((request, response) => {
    if (request.url === '/sitemap.xml')
      return response.end(`<urlset><url><loc>${url}/one</loc></url><url><loc>${url}/gone</loc></url></urlset>`);
    if (request.url === '/one') return response.end('<title>One</title><script>x()</script><p>Hello there</p>');
    return response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
  return { server, url };
}

const hook = (body: string, secret: string) => {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const head = `POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nX-Signature-256: sha256=${signature}\r\n\r\n`;
  return Buffer.from(head + body).toString('hex');
};
const subscription = { expires_at: -1, endpoint: 'http://x', parameters: {}, properties: { secret: 's3cret' } };
const trigger = { provider: 'signed_webhook', credential_type: 'unauthorized', credentials: {}, subscription };

test('the trigger lets signed webhooks in and no others', async () => {
  const body = '{"topic":"orders","text":"three boxes"}';
  const [dispatched] = await call('trigger/dispatch_event', 'signed_webhook', {
    ...trigger,
    raw_http_request: hook(body, 's3cret'),
  });
  expect(dispatched).toMatchObject({ events: ['message'], payload: { topic: 'orders' } });
  expect(Buffer.from(dispatched?.response ?? '', 'hex').toString()).toMatch(/^HTTP\/1.1 202 /);
  const forged = call('trigger/dispatch_event', 'signed_webhook', {
    ...trigger,
    raw_http_request: hook(body, 'guess'),
  });
  await expect(forged).rejects.toMatchObject({ type: 'TriggerValidationError' });
});

test('an event becomes variables, or is ignored when its topic is another', async () => {
  const raw_http_request = hook('{}', 's3cret');
  const event = { ...trigger, event: 'message', raw_http_request, payload: { topic: 'orders', text: 'three boxes' } };
  const [answer] = await call('trigger/invoke_event', 'signed_webhook', { ...event, parameters: { topic: 'orders' } });
  expect(answer?.variables).toEqual({ topic: 'orders', text: 'three boxes' });
  const other = await call('trigger/invoke_event', 'signed_webhook', {
    ...event,
    parameters: { topic: 'returns' },
  }).then(
    (messages) => JSON.stringify(messages),
    (error: { type?: string }) => error.type,
  );
  expect(other).toMatch(/EventIgnoreError|"cancelled":true/);
});
