/** Plugins of every category on the real SDK, as functions of our own connector: this daemon drives it, unmodified plugins run behind it. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  DaemonClient,
  DaemonProcess,
  EXAMPLES,
  folderPackage,
  llmByPlugin,
  startFakeDify,
  startFakeOpenAi,
  toolByPlugin,
} from '@plugin-daemon/bench';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keptUv } from './harness.ts';
import { KEY, TestSri } from './sri-harness.ts';

const SETUP_MS = 600_000;

/** Where this machine gets packages from, if it is not the usual place. */
const packageIndex = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      /^(UV_|PIP_|SSL_CERT_|REQUESTS_CA_BUNDLE)/.test(name) && value !== undefined ? [[name, value]] : [],
    ),
  );

let model: Awaited<ReturnType<typeof startFakeOpenAi>>;
let dify: Awaited<ReturnType<typeof startFakeDify>>;
let sri: TestSri;
let daemon: DaemonProcess;
let client: DaemonClient;
const uploads = new Map<string, Awaited<ReturnType<DaemonClient['upload']>>>();

beforeAll(async () => {
  model = await startFakeOpenAi();
  dify = await startFakeDify({
    key: 'inner',
    llm: llmByPlugin(() => client, { base_url: `${model.url}/v1` }),
    tool: toolByPlugin(() => client),
  });
  const at = await DaemonProcess.reserve();
  sri = await TestSri.start({ ...packageIndex(), ...keptUv(), SRI_DAEMON_URL: at.url });
  daemon = await DaemonProcess.start({
    at,
    innerApi: { url: dify.url, key: 'inner' },
    settings: {
      PLATFORM: 'serverless',
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: sri.url,
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: KEY,
    },
  });
  client = new DaemonClient({ url: daemon.url, key: daemon.key });
  for (const folder of readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    const uploaded = await client.upload(folderPackage(join(EXAMPLES, folder.name)));
    await client.install(uploaded.unique_identifier);
    uploads.set(folder.name, uploaded);
  }
}, SETUP_MS);

afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  await daemon?.close();
  await sri?.[Symbol.asyncDispose]();
  await dify?.close();
  await model?.close();
});

interface Message {
  readonly type?: string;
  readonly message?: { readonly text?: string };
  readonly delta?: { readonly message: { readonly content: string } };
  readonly result?: { readonly status: string; readonly completed: number };
  readonly events?: readonly string[];
}

async function call(route: string, plugin: string, data: object): Promise<Message[]> {
  const messages: Message[] = [];
  // What the plugins of the examples say.
  for await (const message of client.invoke(route, `examples/${plugin}`, data)) messages.push(message as Message);
  return messages;
}

const texts = (messages: readonly Message[]) =>
  messages.map((one) => (one.type === 'text' ? one.message?.text : '')).join('');

test('a tool, with its answer and its error', async () => {
  const ask = (text: string) =>
    call('tool/invoke', 'text_report', {
      provider: 'text_report',
      tool: 'report',
      tool_parameters: { text, top: 1 },
      credentials: {},
    });
  expect(texts(await ask('One two two.'))).toContain('3 words in 1 sentences');
  await expect(ask(' ')).rejects.toMatchObject({ type: 'ValueError' });
});

test('a language model, as a stream', async () => {
  const messages = await call('llm/invoke', 'openai_endpoint', {
    provider: 'openai_endpoint',
    model: 'fake',
    model_type: 'llm',
    credentials: { base_url: `${model.url}/v1` },
    model_parameters: {},
    prompt_messages: [{ role: 'user', content: 'why' }],
    tools: [],
    stop: [],
    stream: true,
  });
  expect(messages.map((one) => one.delta?.message.content).join('')).toContain('You asked: "why"');
});

test('an agent, which calls back for a model and a tool', async () => {
  const tools = uploads.get('tool-text-report')?.manifest.tool?.tools.map((tool) => ({
    ...tool,
    identity: { ...tool.identity, provider: 'examples/text_report/text_report' },
    provider_type: 'builtin',
    runtime_parameters: { top: 1 },
  }));
  const messages = await call('agent_strategy/invoke', 'tool_loop', {
    agent_strategy_provider: 'tool_loop',
    agent_strategy: 'loop',
    agent_strategy_params: {
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
    },
  });
  expect(texts(messages)).toBe('The tool says: 3 words in 1 sentences. About 1 seconds to read.');
  expect([dify.requests.get('invoke/llm'), dify.requests.get('invoke/tool')]).toEqual([2, 1]);
});

test('an endpoint, which keeps what it is sent in its storage', async () => {
  await client.call('POST', '/endpoint/setup', {
    plugin_unique_identifier: uploads.get('endpoint-notes')?.unique_identifier,
    user_id: 'u',
    name: 'notes',
    settings: { token: 'geheim' },
  });
  const [endpoint] = await client.call<{ hook_id: string }[]>('GET', '/endpoint/list?page=1&page_size=10');
  const url = `${daemon.url}/e/${endpoint?.hook_id}/notes/today`;
  const headers = { authorization: 'Bearer geheim' };
  expect((await fetch(url, { method: 'PUT', headers, body: 'buy mîlk' })).status).toBe(200);
  expect(await (await fetch(url, { headers })).text()).toBe('buy mîlk');
});

test('a datasource', async () => {
  const site = createServer((request, response) => {
    const { port } = site.address() as AddressInfo;
    if (request.url === '/sitemap.xml')
      response.end(`<urlset><url><loc>http://127.0.0.1:${port}/one</loc></url></urlset>`);
    else response.end('<title>One</title><p>Hello there</p>');
  });
  site.listen(0, '127.0.0.1');
  await once(site, 'listening');
  // A TCP server has such an address.
  const { port } = site.address() as AddressInfo;
  try {
    const messages = await call('datasource/get_website_crawl', 'sitemap', {
      provider: 'sitemap',
      datasource: 'pages',
      datasource_parameters: { url: `http://127.0.0.1:${port}/sitemap.xml`, limit: 1 },
      credentials: {},
    });
    expect(messages.at(-1)?.result).toMatchObject({ status: 'completed', completed: 1 });
  } finally {
    site.close();
  }
});

test('a trigger', async () => {
  const body = '{"topic":"orders","text":"three boxes"}';
  const signature = createHmac('sha256', 's3cret').update(body).digest('hex');
  const head = `POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nX-Signature-256: sha256=${signature}\r\n\r\n`;
  const [answer] = await call('trigger/dispatch_event', 'signed_webhook', {
    provider: 'signed_webhook',
    subscription: { expires_at: -1, endpoint: 'http://x', parameters: {}, properties: { secret: 's3cret' } },
    raw_http_request: Buffer.from(head + body).toString('hex'),
    credentials: {},
    credential_type: 'unauthorized',
  });
  expect(answer?.events).toEqual(['message']);
});
