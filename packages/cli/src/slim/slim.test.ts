import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { actionNames, actionRow, actions, isDirect } from '@plugin-daemon/plugin-host/actions';
import { openPackage } from '@plugin-daemon/plugin-package';
import { expect, onTestFinished, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';
import { loadConfig } from './config.ts';
import { escapeJson } from './json-lines.ts';
import { parseGoFlags } from './options.ts';
import { pluginDirectory } from './plugin-folder.ts';
import { runSlim } from './run.ts';
import { clean } from './skeleton.ts';
import { SlimError, truncate, withStderr } from './slim-error.ts';

interface Result {
  code: number;
  lines: Record<string, unknown>[];
  /** Last line of stderr. */
  error: Record<string, unknown> | undefined;
  stderr: string;
}

async function slim(argv: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Result> {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const text = { stdout: '', stderr: '' };
  stdout.on('data', (chunk) => (text.stdout += String(chunk)));
  stderr.on('data', (chunk) => (text.stderr += String(chunk)));
  stdin.end(input);
  const code = await runSlim(argv, env, { stdin, stdout, stderr }, new AbortController().signal);
  const last = text.stderr.trim().split('\n').at(-1) ?? '';
  return {
    code,
    lines: text.stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
    error: last.startsWith('{') ? JSON.parse(last) : undefined,
    stderr: text.stderr,
  };
}

async function server(
  answer: (request: IncomingMessage, body: string) => { status?: number; body: string | Buffer },
): Promise<{ url: string; requests: { path: string; headers: IncomingMessage['headers']; body: string }[] }> {
  const requests: { path: string; headers: IncomingMessage['headers']; body: string }[] = [];
  const listening: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      requests.push({ path: request.url ?? '', headers: request.headers, body });
      const { status, body: text } = answer(request, body);
      response.writeHead(status ?? 200).end(text);
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void listening.close());
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, requests };
}

const ID = 'acme/demo:0.0.1@0123456789012345678901234567890123456789012345678901234567890123';
const remote = (url: string): NodeJS.ProcessEnv => ({ SLIM_DAEMON_ADDR: `${url}/`, SLIM_DAEMON_KEY: 'k' });
const INPUT = '{"data":{"a":1}}';

test('flags are read as Go reads them', () => {
  const flags = [
    { name: 'id', help: '' },
    { name: 'strict', help: '', boolean: true as const },
  ];
  expect(parseGoFlags(flags, ['-id', 'x', '--strict', 'rest'])).toMatchObject({ kind: 'values', rest: ['rest'] });
  expect(parseGoFlags(flags, ['-id=x', '--id=y'])).toMatchObject({ kind: 'values', values: new Map([['id', 'y']]) });
  expect(parseGoFlags(flags, ['-h'])).toEqual({ kind: 'help' });
  expect(parseGoFlags(flags, ['-other'])).toEqual({ kind: 'error', message: 'flag provided but not defined: -other' });
  expect(parseGoFlags(flags, ['-id'])).toMatchObject({ kind: 'error' });
});

test('configuration: defaults, what is required, a file instead of the environment', () => {
  expect(() => loadConfig({}, undefined, { folder: true })).toThrow('remote.daemon_addr is required');
  expect(() => loadConfig({ SLIM_MODE: 'local' }, undefined, { folder: true })).toThrow('local.folder is required');
  expect(() => loadConfig({ SLIM_MODE: 'moon' }, undefined, { folder: true })).toThrow('unknown mode: moon');
  expect(
    loadConfig(
      { SLIM_MODE: 'local', SLIM_FOLDER: 'f', SLIM_MAX_EXECUTION_TIMEOUT: 'x', SLIM_IGNORE_UV_LOCK: 'T' },
      undefined,
      { folder: true },
    ),
  ).toEqual({
    mode: 'local',
    local: {
      folder: 'f',
      pythonPath: 'python3',
      uvPath: '',
      initTimeout: 120,
      executionTimeout: 600,
      pipMirrorUrl: '',
      pipExtraArgs: '',
      marketplaceUrl: 'https://marketplace.dify.ai',
      ignoreUvLock: true,
    },
  });
  const file = join(temporaryFolder(), 'c.json');
  writeFileSync(file, '{"mode":"remote","remote":{"daemon_addr":"http://x/","daemon_key":"k"}}');
  expect(loadConfig({ SLIM_MODE: 'local' }, file, { folder: true })).toEqual({
    mode: 'remote',
    remote: { address: 'http://x', key: 'k' },
  });
  expect(() => loadConfig({}, '/none', { folder: true })).toThrow(SlimError);
});

test.each([
  [[], INPUT, {}, 2, 'INVALID_INPUT'],
  [['-id', ID], INPUT, {}, 2, 'INVALID_INPUT'],
  [['-id', ID, '-action', 'dance'], INPUT, {}, 2, 'UNKNOWN_ACTION'],
  [['-id', ID, '-action', 'start_polling'], INPUT, {}, 2, 'UNKNOWN_ACTION'],
  [['-id', ID, '-action', 'invoke_tool'], INPUT, {}, 2, 'CONFIG_INVALID'],
  [['-id', ID, '-action', 'invoke_tool'], '', remote('http://127.0.0.1:1'), 2, 'INVALID_INPUT'],
  [['-id', ID, '-action', 'invoke_tool'], '{', remote('http://127.0.0.1:1'), 2, 'INVALID_ARGS_JSON'],
  [['-id', ID, '-action', 'invoke_tool'], '{"data":null}', remote('http://127.0.0.1:1'), 2, 'INVALID_ARGS_JSON'],
  [['-id', ID, '-action', 'invoke_tool'], INPUT, remote('http://127.0.0.1:1'), 3, 'NETWORK_ERROR'],
  [
    ['-id', '../../etc', '-action', 'invoke_tool'],
    INPUT,
    { SLIM_MODE: 'local', SLIM_FOLDER: '/tmp' },
    2,
    'INVALID_INPUT',
  ],
  [['extract', '-output', 'xml'], '', { SLIM_MODE: 'local' }, 2, 'INVALID_INPUT'],
  [['extract'], '', { SLIM_MODE: 'local' }, 2, 'INVALID_INPUT'],
  [['extract', '-id', ID], '', { SLIM_MODE: 'local' }, 2, 'CONFIG_INVALID'],
  [['extract', '-id', ID, '-path', 'x'], '', { SLIM_MODE: 'local' }, 2, 'INVALID_INPUT'],
  [['extract', '-path', '/none'], '', { SLIM_MODE: 'local' }, 1, 'PLUGIN_PACKAGE_INVALID'],
  [['extract', '-path', 'x'], '', remote('http://127.0.0.1:1'), 2, 'INVALID_INPUT'],
] as const)('%j ends with its code', async (argv, input, env, code, name) => {
  const result = await slim(argv, env, input);
  expect(result).toMatchObject({ code, lines: [], error: { code: name } });
});

test('an unknown flag prints the usage and no JSON', async () => {
  const result = await slim(['-bogus']);
  expect(result).toMatchObject({ code: 2, error: undefined });
  expect(result.stderr).toContain('Usage of slim');
  expect(await slim(['-h'])).toMatchObject({ code: 0, lines: [] });
});

test('remote calls: path, headers, body, frames; every action has its path', async () => {
  const { url, requests } = await server(() => ({
    body: 'event: x\ndata: {"code":0,"message":"success","data":{"t":"<a>"}}\n\ndata:{"n":1}\n\n: ping\n',
  }));
  const result = await slim(
    ['-id', ID, '-action', 'invoke_tool', '-args', '{"tenant_id":"t","data":{"a":1}}'],
    remote(url),
  );
  expect(result.code).toBe(0);
  expect(result.lines).toEqual([
    { event: 'chunk', data: { code: 0, message: 'success', data: { t: '<a>' } } },
    { event: 'chunk', data: { n: 1 } },
    { event: 'done', data: null },
  ]);
  expect(requests[0]).toMatchObject({
    path: '/v2/invoke/dispatch/tool/invoke',
    headers: { 'x-api-key': 'k', 'x-plugin-unique-identifier': ID },
  });
  expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ tenant_id: 't', user_id: '', data: { a: 1 } });
  for (const action of actionNames.filter((name) => isDirect(actions[name]))) {
    await slim(['-id', ID, '-action', action, '-args', INPUT], remote(url));
    expect(requests.at(-1)?.path).toBe(`/v2/invoke/dispatch${actionRow(action)?.path}`);
  }
  await slim(['-id', ID, '-action', 'invoke_endpoint', '-args', INPUT], remote(url));
  expect(requests.at(-1)?.path).toBe('/v2/invoke/dispatch/endpoint/invoke');
  expect(await slim(['-id', ID, '-action', 'start_polling', '-args', INPUT], remote(url))).toMatchObject({
    error: { code: 'UNKNOWN_ACTION' },
  });
});

test('remote failures', async () => {
  const refused = await server(() => ({ status: 401, body: 'no' }));
  expect(await slim(['-id', ID, '-action', 'invoke_tool'], remote(refused.url), INPUT)).toMatchObject({
    code: 4,
    error: { code: 'DAEMON_ERROR', message: 'status 401: no' },
  });
  const broken = await server(() => ({ body: 'data: {\n' }));
  expect(await slim(['-id', ID, '-action', 'invoke_tool'], remote(broken.url), INPUT)).toMatchObject({
    code: 1,
    error: { code: 'STREAM_PARSE_ERROR' },
  });
  const wrapped = await server(() => ({ body: 'data: {"code":-500,"message":"boom","data":null}\n\n' }));
  expect((await slim(['-id', ID, '-action', 'invoke_tool', '-unwrap'], remote(wrapped.url), INPUT)).lines).toEqual([
    { event: 'error', data: { code: 'DAEMON_ERROR', message: 'boom' } },
  ]);
  expect(
    await slim(['-id', ID, '-action', 'invoke_tool', '-unwrap', '-strict'], remote(wrapped.url), INPUT),
  ).toMatchObject({ code: 1 });
});

test('lines escape what could be taken for markup or a line end', () => {
  expect(escapeJson('{"a":"<&>\u2028\u0085"}')).toBe('{"a":"\\u003c\\u0026\\u003e\\u2028\\u0085"}');
});

test('errors carry the beginning of what the plugin wrote', () => {
  expect(truncate('hello world', 5)).toBe('hello...');
  expect(withStderr(new SlimError('PLUGIN_EXEC_ERROR', 'x'), ' oops ').message).toBe(
    'PLUGIN_EXEC_ERROR: x; stderr: oops',
  );
  expect(withStderr(new SlimError('PLUGIN_EXEC_ERROR', 'x'), '').message).toBe('x');
});

test('plugins lie where callers look for them', () => {
  expect(pluginDirectory('/f', 'acme/demo:1.0.0@abc')).toBe('/f/acme/demo-1.0.0@abc');
  expect(pluginDirectory('/f', 'a:b:c')).toBe('/f/a-b-c');
});

test('extraction from folders and packages: cleaned, or a skeleton that feeds back', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['plugin', 'package', path], { cwd: parent });
  for (const source of [path, join(parent, 'demo.difypkg')]) {
    const whole = await slim(['extract', '-path', source], { SLIM_MODE: 'local' });
    expect(whole.code).toBe(0);
    const text = JSON.stringify(whole.lines);
    for (const key of ['description', 'icon', 'label', 'created_at', 'verified'])
      expect(text).not.toContain(`"${key}":`);
    expect(whole.lines).toMatchObject([
      {
        tenant_id: '00000000-0000-0000-0000-000000000000',
        data: { unique_identifier: expect.stringMatching(/^acme\/demo:0\.0\.1@/), manifest: { name: 'demo' } },
      },
    ]);
    const skeleton = await slim(['extract', '-path', source, '-action', 'invoke_tool'], { SLIM_MODE: 'local' });
    expect(skeleton.lines).toEqual([
      {
        tenant_id: '00000000-0000-0000-0000-000000000000',
        data: { provider: 'demo', tool: 'demo', tool_parameters: { query: '' }, credentials: {} },
      },
    ]);
  }
  expect(await slim(['extract', '-path', path, '-action', 'invoke_llm'], { SLIM_MODE: 'local' })).toMatchObject({
    code: 2,
    error: { message: 'plugin has no model provider' },
  });
  expect(await slim(['extract', '-path', path, '-action', 'subscribe_trigger'], { SLIM_MODE: 'local' })).toMatchObject({
    code: 2,
    error: { code: 'UNKNOWN_ACTION' },
  });
  expect(clean({ a: null, b: '', c: [], d: {}, e: false, f: 0, label: 1, g: [{ icon: 1 }] })).toEqual({
    e: false,
    f: 0,
  });
});

test('local mode fetches what is missing, once, and only what was asked for', async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['plugin', 'package', path], { cwd: parent });
  const bytes = readFileSync(join(parent, 'demo.difypkg'));
  const id = `acme/demo:0.0.1@${openPackage(bytes).checksum()}`;
  const market = await server(() => ({ body: bytes }));
  const env = { SLIM_MODE: 'local', SLIM_FOLDER: join(parent, 'slim'), SLIM_MARKETPLACE_URL: market.url };
  expect((await slim(['extract', '-id', id], env)).code).toBe(0);
  expect(market.requests[0]?.path).toBe(`/api/v1/plugins/download?unique_identifier=${encodeURIComponent(id)}`);
  expect((await slim(['extract', '-id', id], env)).code).toBe(0);
  expect(market.requests).toHaveLength(1);
  expect(readFileSync(join(parent, 'slim', 'acme', id.slice(5).replace(':', '-'), 'manifest.yaml'), 'utf8')).toContain(
    'name: demo',
  );
  const fresh = { ...env, SLIM_FOLDER: join(parent, 'fresh') };
  const call = ['-id', id, '-action', 'invoke_tool', '-args', '{"data":{}}'];
  expect(await slim([...call, '-verify'], fresh)).toMatchObject({
    code: 1,
    error: { code: 'PLUGIN_PACKAGE_INVALID', message: expect.stringContaining('no valid signature') },
  });
  for (const wrong of [
    ['-timeout', 'x'],
    ['-events', 'all'],
    ['-backwards', 'daemon'],
    ['-backwards', 'mock:/none'],
  ])
    expect(await slim([...call, ...wrong], { ...env, SLIM_PYTHON_PATH: '/none/python' })).toMatchObject({
      code: 2,
      error: { code: 'INVALID_INPUT' },
    });
  const other = id.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
  expect(await slim(['extract', '-id', other], env)).toMatchObject({
    code: 1,
    error: { code: 'PLUGIN_PACKAGE_INVALID' },
  });
  const folder = pluginDirectory(join(parent, 'slim'), 'by/hand:1');
  mkdirSync(dirname(folder), { recursive: true });
  openPackage(bytes).extractTo(folder);
  expect((await slim(['extract', '-id', 'by/hand:1'], env)).code).toBe(0);
});

test.each([
  [404, 'x', 1, 'PLUGIN_NOT_FOUND'],
  [500, 'x', 3, 'PLUGIN_DOWNLOAD_ERROR'],
  [200, 'no zip', 1, 'PLUGIN_PACKAGE_INVALID'],
])('a marketplace that answers %i is %s', async (status, body, code, name) => {
  const market = await server(() => ({ status, body }));
  const env = { SLIM_MODE: 'local', SLIM_FOLDER: temporaryFolder(), SLIM_MARKETPLACE_URL: market.url };
  expect(await slim(['extract', '-id', ID], env)).toMatchObject({ code, error: { code: name } });
});
