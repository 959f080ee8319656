/** Debugging as a plugin's author does it: the real SDK in remote mode, one plugin of each category, against a real daemon. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DaemonClient, DaemonProcess, folderPackage, startFakeDify, startFakeOpenAi } from '@plugin-daemon/bench';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';

const EXAMPLES = fileURLToPath(new URL('../../../examples/', import.meta.url));
/** Where the tool is installed; all others only debug. */
const INSTALLED = '00000000-0000-4000-8000-0000000000aa';
const DEBUGGED = '00000000-0000-4000-8000-0000000000bb';
const TOOL = 'examples/text_report';

interface Listed {
  readonly id: string;
  readonly plugin_id: string;
  readonly plugin_unique_identifier: string;
  readonly runtime_type: string;
}

let directory: string;
let dify: Awaited<ReturnType<typeof startFakeDify>>;
let openai: Awaited<ReturnType<typeof startFakeOpenAi>>;
let daemon: DaemonProcess;
let python: string;
const clients = new Map<string, DaemonClient>();
const plugins: RemotePlugin[] = [];

const client = (tenant: string): DaemonClient => {
  const known = clients.get(tenant) ?? new DaemonClient({ url: daemon.url, key: daemon.key, tenant });
  clients.set(tenant, known);
  return known;
};
const listOf = (tenant: string) => client(tenant).list() as Promise<unknown> as Promise<Listed[]>;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) {
    const dead = plugins.find((plugin) => plugin.exited);
    if (dead !== undefined) throw new Error(`${what}: the plugin ended: ${dead.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A plugin of `examples/` on its author's machine. */
class RemotePlugin {
  readonly tenant: string;
  readonly pluginId: string;
  readonly #child: ChildProcess;
  output = '';

  static async start(
    example: string,
    pluginId: string,
    tenant: string,
    edit: (folder: string) => void = () => undefined,
  ): Promise<RemotePlugin> {
    const { key } = await client(tenant).call<{ key: string }>('POST', '/debugging/key');
    const folder = mkdtempSync(join(directory, `${example}-`));
    cpSync(join(EXAMPLES, example), folder, { recursive: true });
    edit(folder);
    const plugin = new RemotePlugin(folder, pluginId, tenant, key);
    plugins.push(plugin);
    return plugin;
  }

  private constructor(cwd: string, pluginId: string, tenant: string, key: string) {
    this.tenant = tenant;
    this.pluginId = pluginId;
    this.#child = spawn(python, ['-m', 'main'], {
      cwd,
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        INSTALL_METHOD: 'remote',
        REMOTE_INSTALL_URL: `127.0.0.1:${daemon.debuggingPort}`,
        REMOTE_INSTALL_KEY: key,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const collect = (bytes: Buffer): void => {
      this.output = (this.output + bytes.toString()).slice(-4000);
    };
    this.#child.stdout?.on('data', collect);
    this.#child.stderr?.on('data', collect);
  }

  get exited(): boolean {
    return this.#child.exitCode !== null;
  }

  /** Waits until the tenant's list shows it. */
  async connected(): Promise<Listed> {
    let row: Listed | undefined;
    await until(`${this.pluginId} connects`, async () => {
      row = (await listOf(this.tenant)).find((one) => one.plugin_id === this.pluginId);
      return row !== undefined;
    });
    if (row === undefined) throw new Error('the row is missing');
    return row;
  }

  async kill(): Promise<void> {
    plugins.splice(plugins.indexOf(this), 1);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'remote-sdk-'));
  openai = await startFakeOpenAi();
  dify = await startFakeDify({ key: 'inner' });
  daemon = await DaemonProcess.start({ innerApi: { url: dify.url, key: 'inner' } });
  const { unique_identifier } = await client(INSTALLED).upload(folderPackage(join(EXAMPLES, 'tool-text-report')));
  await client(INSTALLED).install(unique_identifier);
  // The environment that the daemon made for the tool holds the SDK, which is all that the others need.
  const [found] = globSync('**/.venv/bin/python', { cwd: daemon.dataDirectory });
  if (found === undefined) throw new Error('the installed tool has no environment');
  python = join(daemon.dataDirectory, found);
}, 300_000);

afterEach(async () => {
  for (const plugin of [...plugins]) await plugin.kill();
  await until('the rows go', async () => (await listOf(DEBUGGED)).length === 0);
});

afterAll(async () => {
  for (const one of clients.values()) await one[Symbol.asyncDispose]();
  await daemon?.close();
  await dify?.close();
  await openai?.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}, 240_000);

async function invoke(tenant: string, route: string, pluginId: string, data: object): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of client(tenant).invoke(route, pluginId, data)) events.push(event);
  return events;
}

const textOf = (events: readonly unknown[]): string =>
  (events as readonly { readonly type?: string; readonly message?: { readonly text?: string } }[])
    .map((event) => (event.type === 'text' ? (event.message?.text ?? '') : ''))
    .join('');

const report = {
  provider: 'text_report',
  tool: 'report',
  tool_parameters: { text: 'One two. Three.' },
  credentials: {},
};

test('a tool', async () => {
  const plugin = await RemotePlugin.start('tool-text-report', TOOL, DEBUGGED);
  const row = await plugin.connected();
  expect(row.runtime_type).toBe('remote');
  const events = await invoke(DEBUGGED, 'tool/invoke', TOOL, report);
  expect(textOf(events)).toContain('3 words in 2 sentences.');
  const declared = await client(DEBUGGED).call<{ declaration: { identity: { icon: string } } }>(
    'GET',
    `/management/tool?provider=text_report&plugin_id=${encodeURIComponent(TOOL)}`,
  );
  const asset = await fetch(`${daemon.url}/plugin/${DEBUGGED}/asset/${declared.declaration.identity.icon}`, {
    headers: { 'x-api-key': daemon.key },
  });
  expect(Buffer.from(await asset.arrayBuffer())).toEqual(
    readFileSync(join(EXAMPLES, 'tool-text-report/_assets/icon.svg')),
  );
});

test('a model', async () => {
  const plugin = await RemotePlugin.start('llm-openai-compatible', 'examples/openai_endpoint', DEBUGGED);
  await plugin.connected();
  const events = (await invoke(DEBUGGED, 'llm/invoke', plugin.pluginId, {
    provider: 'openai_endpoint',
    model: 'small-fake',
    model_type: 'llm',
    credentials: { base_url: `${openai.url}/v1` },
    model_parameters: {},
    prompt_messages: [{ role: 'user', content: 'hello' }],
    tools: [],
    stop: [],
    stream: true,
  })) as readonly { readonly delta: { readonly message: { readonly content: string } } }[];
  expect(events.map((event) => event.delta.message.content).join('').length).toBeGreaterThan(0);
});

test('an agent strategy, which calls back into Dify', async () => {
  const plugin = await RemotePlugin.start('agent-strategy-tool-loop', 'examples/tool_loop', DEBUGGED);
  await plugin.connected();
  const events = await invoke(DEBUGGED, 'agent_strategy/invoke', plugin.pluginId, {
    agent_strategy_provider: 'tool_loop',
    agent_strategy: 'loop',
    agent_strategy_params: {
      model: {
        provider: 'a/b/c',
        model: 'm',
        model_type: 'llm',
        mode: 'chat',
        completion_params: {},
        history_prompt_messages: [],
        type: 'model-selector',
      },
      tools: [],
      query: 'hello',
      maximum_iterations: 2,
    },
  });
  expect(textOf(events)).toContain('Hello world');
});

test('an endpoint, with settings that Dify encrypts and storage that the daemon keeps', async () => {
  const plugin = await RemotePlugin.start('endpoint-notes', 'examples/notes', DEBUGGED);
  const row = await plugin.connected();
  await client(DEBUGGED).call('POST', '/endpoint/setup', {
    plugin_unique_identifier: row.plugin_unique_identifier,
    user_id: 'u',
    name: 'notes',
    settings: { token: 'a token of mine' },
  });
  const [endpoint] = await client(DEBUGGED).call<{ id: string; hook_id: string; settings: object }[]>(
    'GET',
    '/endpoint/list?page=1&page_size=10',
  );
  if (endpoint === undefined) throw new Error('the endpoint is missing');
  expect(endpoint.settings).toEqual({ token: 'a ***********ne' });
  const hook = `${daemon.url}/e/${endpoint.hook_id}/notes/a%20b`;
  const headers = { authorization: 'Bearer a token of mine' };
  expect((await fetch(hook)).status).toBe(401);
  const kept = await fetch(hook, { method: 'PUT', headers, body: 'grüße\n' });
  expect([kept.status, await kept.text()]).toEqual([200, 'kept\n']);
  const read = await fetch(hook, { headers });
  expect([read.status, await read.text(), read.headers.get('content-type')]).toEqual([
    200,
    'grüße\n',
    'text/plain; charset=utf-8',
  ]);
  await client(DEBUGGED).call('POST', '/endpoint/remove', { endpoint_id: endpoint.id });
  expect((await fetch(hook, { headers })).status).toBe(404);
});

test('a datasource', async () => {
  const site: Server = createServer((request, response) => {
    const own = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
    if (request.url === '/sitemap.xml') response.end(`<urlset><url><loc>${own}/page</loc></url></urlset>`);
    else response.setHeader('content-type', 'text/html').end('<title>A page</title><p>words</p>');
  }).listen(0, '127.0.0.1');
  await once(site, 'listening');
  const plugin = await RemotePlugin.start('datasource-sitemap', 'examples/sitemap', DEBUGGED);
  await plugin.connected();
  const events = await invoke(DEBUGGED, 'datasource/get_website_crawl', plugin.pluginId, {
    provider: 'sitemap',
    datasource: 'pages',
    credentials: {},
    datasource_parameters: { url: `http://127.0.0.1:${(site.address() as AddressInfo).port}/sitemap.xml` },
  });
  expect(events.at(-1)).toMatchObject({
    result: { status: 'completed', web_info_list: [{ title: 'A page', content: 'words' }] },
  });
  site.closeAllConnections();
  site.close();
});

test('a trigger', async () => {
  const plugin = await RemotePlugin.start('trigger-signed-webhook', 'examples/signed_webhook', DEBUGGED);
  await plugin.connected();
  const body = '{"topic":"news","text":"hello","sender":"me"}';
  const signature = createHmac('sha256', 'shared').update(body).digest('hex');
  const raw = `POST /hook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Signature-256: sha256=${signature}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const [event] = await invoke(DEBUGGED, 'trigger/dispatch_event', plugin.pluginId, {
    provider: 'signed_webhook',
    credential_type: 'unauthorized',
    subscription: { expires_at: -1, endpoint: 'http://x', parameters: {}, properties: { secret: 'shared' } },
    raw_http_request: Buffer.from(raw).toString('hex'),
    credentials: {},
  });
  expect(event).toMatchObject({ user_id: 'me', events: ['message'], payload: { topic: 'news' } });
});

test('an installed plugin is shadowed while it is debugged, and is back afterwards, never uninstalled', async () => {
  const before = await listOf(INSTALLED);
  const said = async () => textOf(await invoke(INSTALLED, 'tool/invoke', TOOL, report));
  expect(await said()).toContain('3 words in');
  const plugin = await RemotePlugin.start('tool-text-report', TOOL, INSTALLED, (folder) => {
    const file = join(folder, 'tools/report.py');
    writeFileSync(file, readFileSync(file, 'utf8').replace('words in {len', 'debugged words in {len'));
  });
  await until('the debugged tool answers', async () => (await said()).includes('3 debugged words in'));
  expect(await listOf(INSTALLED)).toEqual(before);
  await plugin.kill();
  await until('the installed tool answers', async () => (await said()).includes('3 words in'));
  expect(await listOf(INSTALLED)).toEqual(before);
});

test('a plugin that drops fails its calls at once; its successor is reachable without a gap', async () => {
  const connections = () => readFileSync(daemon.logFile, 'utf8').split('debugging plugin connected').length;
  const before = connections();
  const first = await RemotePlugin.start('tool-text-report', TOOL, DEBUGGED);
  const { id } = await first.connected();
  const second = await RemotePlugin.start('tool-text-report', TOOL, DEBUGGED);
  await until('both are connected', async () => connections() === before + 2);
  await first.kill();
  for (let i = 0; i < 20; i++) {
    expect(textOf(await invoke(DEBUGGED, 'tool/invoke', TOOL, report))).toContain('3 words in');
  }
  expect((await second.connected()).id).toBe(id);
});

test('a call that comes while the plugin restarts waits for it', async () => {
  for (let attempt = 1; ; attempt++) {
    const first = await RemotePlugin.start('tool-text-report', TOOL, DEBUGGED);
    await first.connected();
    await first.kill();
    await until('the row goes', async () => (await listOf(DEBUGGED)).length === 0);
    const waiting = invoke(DEBUGGED, 'tool/invoke', TOOL, report).then(textOf, String);
    const second = await RemotePlugin.start('tool-text-report', TOOL, DEBUGGED);
    const said = await waiting;
    // Calls wait for some seconds. On a busy machine the SDK can take longer to start, and the next one starts from warm files.
    if (said.includes('3 words in') || attempt === 4) {
      expect(said).toContain('3 words in');
      return;
    }
    await second.connected();
    await second.kill();
    await until('the row goes again', async () => (await listOf(DEBUGGED)).length === 0);
  }
});

test('the daemon restarts and the plugin finds its way back by itself, with the same key', async () => {
  const plugin = await RemotePlugin.start('tool-text-report', TOOL, DEBUGGED);
  await plugin.connected();
  await daemon.stop('SIGKILL');
  await daemon.start();
  await plugin.connected();
  expect(textOf(await invoke(DEBUGGED, 'tool/invoke', TOOL, report))).toContain('3 words in');
}, 240_000);
