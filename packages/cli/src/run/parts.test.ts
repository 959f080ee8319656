import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { backwardsKindRow, backwardsKinds } from '@plugin-daemon/plugin-host/backwards-kinds';
import { openDirectory, type PluginDeclaration } from '@plugin-daemon/plugin-package';
import { expect, test } from 'vitest';
import { dify, newPlugin, temporaryFolder } from '../../test/harness.ts';
import { CliError } from '../errors.ts';
import { parseDebugAddress, readEnvFile } from '../files/env-file.ts';
import { compare, differences, makeFixture, readFixture, scriptOf, writeFixture } from './fixture.ts';
import { sampleObject } from './json-sample.ts';
import { answerBackwards, MockStorage } from './mock-dify.ts';
import type { BackwardsAnswer } from './plugin-host.ts';
import { LineWriter, linesOf } from './protocol.ts';
import { dependencyFiles } from './python-environment.ts';
import { buildCall, convert } from './requests/index.ts';

const NONE = { params: new Map<string, string>(), credentials: {} };
const declarationOf = async (...flags: string[]): Promise<PluginDeclaration> =>
  openDirectory(await newPlugin(temporaryFolder(), 'demo', ...flags)).assemble().declaration;

async function collect(chunks: readonly (string | Buffer)[], limit?: number): Promise<(string | undefined)[]> {
  const lines: (string | undefined)[] = [];
  for await (const line of linesOf(Readable.from(chunks), limit)) lines.push(line);
  return lines;
}

test('lines are split at LF alone, wherever the pieces were cut', async () => {
  const text = '{"a":"\u2028ü\u0085"}\r\nb\n\nlast';
  const bytes = Buffer.from(text);
  const pieces = Array.from(bytes, (_byte, index) => bytes.subarray(index, index + 1));
  expect(await collect(pieces)).toEqual(['{"a":"\u2028ü\u0085"}', 'b', '', 'last']);
});

test('a line over the limit is reported and reading goes on', async () => {
  expect(await collect(['a'.repeat(6), 'bbbbbb\nok\n', 'cc\n'], 10)).toEqual([undefined, 'ok', 'cc']);
  expect(await collect([`${'a'.repeat(11)}\nok\n`], 10)).toEqual([undefined, 'ok']);
});

test('messages carry the three keys in order, keys of the response sorted', async () => {
  const stream = new PassThrough();
  const writer = new LineWriter(stream, 'json');
  await writer.send('', 'info', { port: 1, host: 'x', info: 'y' });
  await writer.raw('a', 'plugin_response', '{"b":1}');
  stream.end();
  expect(await collect(await stream.toArray())).toEqual([
    '{"invoke_id":"","type":"info","response":{"host":"x","info":"y","port":1}}',
    '{"invoke_id":"a","type":"plugin_response","response":{"b":1}}',
  ]);
});

test.each([
  ['number', '3.5', 3.5],
  ['boolean', 'yes', true],
  ['boolean', '0', false],
  ['object', '{"a":1}', { a: 1 }],
  ['array', '[1]', [1]],
  ['any', 'plain', 'plain'],
  ['any', '{"a":1}', { a: 1 }],
  ['string', '12', '12'],
  ['select', 'a', 'a'],
  [
    'file',
    'https://x/y/z.png?q',
    expect.objectContaining({
      dify_model_identity: '__dify__file__',
      url: 'https://x/y/z.png?q',
      filename: 'z.png',
      extension: '.png',
    }),
  ],
])('a %s from %s', (type, text, value) => {
  expect(convert('p', type, text, type === 'select' ? ['a', 'b'] : [])).toEqual(value);
});

test.each([
  ['number', 'three'],
  ['boolean', 'perhaps'],
  ['object', '{'],
  ['select', 'c'],
  ['file', '@/none/there'],
])('a %s is not made from %s', (type, text) => {
  expect(() => convert('p', type, text, ['a', 'b'])).toThrow(CliError);
});

test('requests come from the declaration', async () => {
  const tool = await declarationOf();
  expect(buildCall(tool, 'tool', undefined, { ...NONE, params: new Map([['query', 'x']]) })).toMatchObject({
    type: 'tool',
    action: 'invoke_tool',
    request: { provider: 'demo', tool: 'demo', tool_parameters: { query: 'x' } },
  });
  expect(() => buildCall(tool, 'tool', undefined, NONE)).toThrow('needs the parameter query of type string');
  expect(() => buildCall(tool, 'tool', 'other', NONE)).toThrow('no tool named other');
  expect(() =>
    buildCall(tool, 'tool', undefined, {
      ...NONE,
      params: new Map([
        ['query', 'x'],
        ['more', 'y'],
      ]),
    }),
  ).toThrow('has no parameter more');
  expect(() => buildCall(tool, 'llm', undefined, NONE)).toThrow('the plugin has no llm');
  const llm = await declarationOf('--category', 'llm');
  const built = buildCall(llm, 'llm', undefined, {
    params: new Map([
      ['prompt', 'hi'],
      ['temperature', '0.5'],
      ['system', 'be kind'],
    ]),
    credentials: { api_key: 'k' },
  });
  expect(built.request).toMatchObject({
    provider: 'demo',
    model: 'example-chat',
    model_type: 'llm',
    credentials: { api_key: 'k' },
    model_parameters: { temperature: 0.5 },
    prompt_messages: [
      { role: 'system', content: 'be kind' },
      { role: 'user', content: 'hi' },
    ],
    stream: true,
  });
  expect(buildCall(llm, 'llm', 'typed-in', NONE).request).toMatchObject({ model: 'typed-in' });
  const extension = await declarationOf('--category', 'extension');
  const http = Buffer.from(
    String(
      buildCall(extension, 'endpoint', undefined, {
        ...NONE,
        params: new Map([
          ['body', 'äb'],
          ['method', 'POST'],
          ['header.X-Y', 'z'],
        ]),
      }).request.raw_http_request,
    ),
    'hex',
  ).toString();
  expect(http).toBe('POST /demo HTTP/1.1\r\nHost: localhost\r\nX-Y: z\r\nContent-Length: 3\r\n\r\näb');
});

async function answers(
  data: unknown,
  options: Partial<Parameters<typeof answerBackwards>[1]> = {},
): Promise<BackwardsAnswer[]> {
  const got: BackwardsAnswer[] = [];
  await answerBackwards(
    data,
    { permission: undefined, accessType: 'tool', storage: new MockStorage(), ...options },
    (answer) => got.push(answer),
  );
  return got;
}
const call = (type: string, request: unknown = {}): unknown => ({ type, backwards_request_id: 'r', request });
const ALL = {
  tool: { enabled: true },
  app: { enabled: true },
  node: { enabled: true },
  endpoint: { enabled: true },
  storage: { enabled: true, size: 1024 },
  model: {
    enabled: true,
    llm: true,
    text_embedding: true,
    rerank: true,
    tts: true,
    speech2text: true,
    moderation: true,
  },
};

test('calls back need the permission of the manifest', async () => {
  expect(await answers(call('llm'))).toMatchObject([
    { event: 'error', message: 'permission denied, you need to enable llm access in plugin manifest' },
    { event: 'end' },
  ]);
  expect(await answers(call('llm'), { permission: ALL, accessType: 'model' })).toMatchObject([
    { event: 'error', message: 'you can not invoke dify from model' },
    { event: 'end' },
  ]);
});

test.each(['encrypt', '', 'constructor', 'toString', '__proto__'])('there is no kind %j', async (kind) => {
  expect(await answers(call(kind), { permission: ALL })).toMatchObject([
    { event: 'error', message: `unsupported invoke type: ${kind}` },
    { event: 'end' },
  ]);
});

test.each(Object.keys(backwardsKinds))(
  'the stand-in for Dify answers %s when the manifest asks for it',
  async (kind) => {
    const all = {
      ...ALL,
      tool: { enabled: true },
      node: { enabled: true },
      app: { enabled: true },
      storage: { enabled: true, size: 1024 },
    };
    const got = await answers(call(kind, { opt: 'exist', key: 'k' }), { permission: all });
    expect(got.filter(({ event }) => event === 'error')).toEqual([]);
    expect(new Set(got.filter(({ event }) => event === 'response').map(({ message }) => message))).toEqual(
      new Set([backwardsKindRow(kind)?.answer === 'frames' ? 'stream' : 'struct']),
    );
  },
);

test('a model that is offered tools calls the first, then talks', async () => {
  const got = await answers(
    call('llm', {
      model: 'm',
      tools: [
        {
          name: 'search',
          parameters: {
            type: 'object',
            properties: { q: { type: 'string' }, n: { type: 'number', minimum: 10, maximum: 20 } },
          },
        },
      ],
    }),
    { permission: ALL },
  );
  expect(got).toHaveLength(7);
  expect(got[0]).toMatchObject({
    event: 'response',
    message: 'stream',
    data: { delta: { index: 0, message: { tool_calls: [{ id: 'oshiawaseni', function: { name: 'search' } }] } } },
  });
  const data = got
    .slice(1, 6)
    .map((answer) => answer.data as { delta: { index: number; message: { content: string }; usage: unknown } });
  expect(data.map((item) => item.delta.message.content)).toEqual(['hello', ' world', ' world', ' !', ' !']);
  expect(data.map((item) => item.delta.index)).toEqual([1, 1, 2, 3, 3]);
  expect(data[4]?.delta.usage).toMatchObject({ total_tokens: 200, currency: 'USD' });
});

test.each([
  [
    'text_embedding',
    { texts: ['a', 'b'] },
    { embeddings: [expect.any(Array), expect.any(Array)], usage: { tokens: 100 } },
  ],
  ['rerank', { docs: ['a'] }, { docs: [{ index: 0, text: 'a', score: 0.1 }] }],
  ['speech2text', {}, { result: 'hello world' }],
  ['moderation', {}, { result: true }],
  ['fetch_app', {}, { name: 'test' }],
  ['system_summary', { text: 't' }, { summary: 't' }],
  ['node_question_classifier', { classes: [{ id: '1', name: 'first' }] }, { outputs: { class_name: 'first' } }],
  [
    'node_parameter_extractor',
    {
      parameters: [
        { name: 'n', type: 'number' },
        { name: 's', type: 'select', options: ['x'] },
      ],
    },
    { outputs: { n: 1234567890, s: 'x' } },
  ],
])('%s has one answer', async (type, request, data) => {
  expect(await answers(call(type, request), { permission: ALL })).toMatchObject([
    { event: 'response', message: 'struct', data },
    { event: 'end' },
  ]);
});

test.each(['memory', 'folder'])('storage in %s keeps values, and keys stay inside', async (kind) => {
  const storage = new MockStorage(kind === 'folder' ? join(temporaryFolder(), 'kept') : undefined);
  const ask = async (request: unknown): Promise<unknown> =>
    (await answers(call('storage', request), { permission: ALL, storage }))[0];
  expect(await ask({ opt: 'get', key: 'k' })).toMatchObject({
    event: 'error',
    message: expect.stringContaining('load data failed'),
  });
  expect(await ask({ opt: 'set', key: 'a/k', value: 'FF00' })).toMatchObject({ data: { data: 'ok' } });
  expect(await ask({ opt: 'get', key: './a/k' })).toMatchObject({ data: { data: 'ff00' } });
  expect(await ask({ opt: 'exist', key: 'a/k' })).toMatchObject({ data: { data: true, exist_num: 1 } });
  expect(await ask({ opt: 'del', key: 'a/k' })).toMatchObject({ data: { deleted_num: 1 } });
  expect(await ask({ opt: 'set', key: '../x', value: '00' })).toMatchObject({
    event: 'error',
    message: expect.stringContaining('path traversal'),
  });
  expect(await ask({ opt: 'set', key: 'k', value: 'xyz' })).toMatchObject({ event: 'error' });
});

test('answers may be scripted', async () => {
  const script = { llm: [{ a: 1 }, { a: 2 }], moderation: { error: 'no' } };
  expect(await answers(call('llm'), { permission: ALL, script })).toMatchObject([
    { message: 'stream', data: { a: 1 } },
    { data: { a: 2 } },
    { event: 'end' },
  ]);
  expect(await answers(call('moderation'), { permission: ALL, script })).toMatchObject([
    { event: 'error', message: 'no' },
    { event: 'end' },
  ]);
});

test('made-up arguments fit their schema', () => {
  expect(
    sampleObject({
      properties: {
        e: { enum: ['x'] },
        n: { type: 'integer', minimum: 4, maximum: 5 },
        b: { type: 'boolean' },
        l: { type: 'array', items: { type: 'number' } },
        o: { type: 'object', properties: { s: {} } },
      },
    }),
  ).toEqual({ e: 'x', n: 4, b: true, l: [50], o: { s: expect.stringMatching(/^[a-z]{10}$/) } });
});

test('recordings hide secrets and are compared without what always changes', async () => {
  const file = join(temporaryFolder(), 'f.json');
  const result = {
    items: [{ text: 'a', usage: { latency: 1 } }],
    backwards: [{ type: 'llm', request: {}, answers: [{ x: 1 }, { x: 2 }] }],
  };
  await writeFixture(
    file,
    makeFixture('acme/demo:0.0.1', 'tool', 'invoke_tool', { credentials: { key: 'secret' }, tool: 'demo' }, result),
  );
  expect(readFileSync(file, 'utf8')).not.toContain('secret');
  const fixture = await readFixture(file);
  expect(scriptOf(fixture)).toEqual({ llm: [{ x: 1 }, { x: 2 }] });
  expect(differences(fixture, { ...result, items: [{ text: 'a', usage: { latency: 9 } }] })).toEqual([]);
  expect(differences(fixture, { ...result, items: [{ text: 'b', usage: { latency: 9 } }] })).toEqual([
    '[0].text: expected "a", got "b"',
  ]);
  expect(
    differences(fixture, { items: result.items, backwards: [], failure: { errorType: 'E', message: 'm' } }),
  ).toHaveLength(1);
  expect(compare([1], [1, 2], [])).toEqual(['answers: expected 1 items, got 2']);
  writeFileSync(file, '{}');
  await expect(readFixture(file)).rejects.toThrow('not a recorded call');
});

test('environments depend on dependencies, not on names and versions', () => {
  const files = (text: string, more: Record<string, string> = {}): string =>
    Buffer.from(
      dependencyFiles(
        new Map(
          Object.entries({ 'pyproject.toml': text, 'main.py': 'x', ...more }).map(([name, content]) => [
            name,
            () => Buffer.from(content),
          ]),
        ),
      ).get('pyproject.toml') ?? [],
    ).toString();
  const one = '[project]\nname = "a"\nversion = "1.0.0"\ndescription = "say \\"x\\""\ndependencies = ["x"]\n';
  expect(files(one)).toBe(files(one.replace('"a"', '"b"').replace('1.0.0', '2.0.0')));
  expect(files(one)).not.toBe(files(one.replace('["x"]', '["y"]')));
  expect(files(one, { 'uv.lock': '' })).toBe(one);
  expect([
    ...dependencyFiles(
      new Map([
        ['pyproject.toml', () => Buffer.from(`${one}[build-system]\n`)],
        ['src/x.py', () => Buffer.from('x')],
      ]),
    ).keys(),
  ]).toContain('src/x.py');
});

test('debugging addresses and .env files', async () => {
  expect(parseDebugAddress('debug.dify.ai:5003')).toEqual({ host: 'debug.dify.ai', port: 5003 });
  expect(parseDebugAddress('tcp://[::1]:5003')).toEqual({ host: '::1', port: 5003 });
  expect(parseDebugAddress('debug.dify.ai')).toBeUndefined();
  const folder = temporaryFolder();
  writeFileSync(join(folder, '.env'), '# x\nREMOTE_INSTALL_URL="a:1"\nremote_install_key=k\n');
  expect(await readEnvFile(join(folder, '.env'))).toEqual({ REMOTE_INSTALL_URL: 'a:1', REMOTE_INSTALL_KEY: 'k' });
  expect(await readEnvFile(join(folder, 'none'))).toEqual({});
});

test('dev without anything to connect to says what is missing', async () => {
  const path = await newPlugin(temporaryFolder());
  const run = await dify(['plugin', 'dev', path], { env: {} });
  expect(run).toMatchObject({ exit: 2 });
  expect(run.error?.message).toContain('REMOTE_INSTALL_URL is missing');
});

test('invoke lists what there is, and refuses before anything is installed', async () => {
  const path = await newPlugin(temporaryFolder());
  const env = { PATH: '', DIFY_CLI_CACHE_DIR: join(temporaryFolder(), 'cache') };
  expect((await dify(['plugin', 'invoke', path], { env })).outcome?.text).toBe('tool  demo  (query:string)');
  expect(await dify(['plugin', 'invoke', path, 'tool'], { env })).toMatchObject({ exit: 2 });
  expect(await dify(['plugin', 'invoke', path, 'robot'], { env })).toMatchObject({ exit: 2 });
  expect(await dify(['plugin', 'invoke', path, 'tool', '-p', 'query'], { env })).toMatchObject({ exit: 2 });
  expect(await dify(['plugin', 'invoke', path, 'tool', '--credentials', 'env:NOTHING'], { env })).toMatchObject({
    exit: 2,
  });
});

test('test without recordings says how to make one', async () => {
  const path = await newPlugin(temporaryFolder());
  expect((await dify(['plugin', 'test', path])).error).toMatchObject({ code: 'no-fixtures' });
  mkdirSync(join(path, 'tests'));
  expect((await dify(['plugin', 'test', path])).error?.remedy).toContain('--record');
  expect(readdirSync(join(path, 'tests'))).toEqual([]);
});

test.each([
  [['--category', 'tool'], 'tool', 'quary', 'query'],
  [['--category', 'llm'], 'llm', 'promt', 'prompt'],
  [['--category', 'llm'], 'llm', 'temprature', 'temperature'],
  [['--category', 'text-embedding'], 'text-embedding', 'txet', 'text'],
  [['--category', 'rerank'], 'rerank', 'qury', 'query'],
  [['--category', 'tts'], 'tts', 'voise', 'voice'],
  [['--category', 'speech2text'], 'speech2text', 'flie', 'file'],
  [['--category', 'moderation'], 'moderation', 'tex', 'text'],
  [['--category', 'extension'], 'endpoint', 'bdoy', 'body'],
  [['--category', 'trigger'], 'trigger', 'boddy', 'body'],
  [['--category', 'trigger'], 'event', 'sample-fliter', 'sample_filter'],
  [['--category', 'datasource', '--provider-type', 'website_crawl'], 'datasource', 'ulr', 'url'],
  [['--category', 'datasource', '--provider-type', 'online_drive'], 'datasource', 'prefx', 'prefix'],
])('a mistyped parameter of a %s is pointed at', async (flags, kind, typed, meant) => {
  const declaration = await declarationOf(...flags);
  const wrong = (): unknown => buildCall(declaration, kind, undefined, { ...NONE, params: new Map([[typed, 'x']]) });
  expect(wrong).toThrow(
    expect.objectContaining({
      exit: 2,
      message: expect.stringContaining(`has no parameter ${typed}`),
      remedy: expect.stringContaining(`did you mean ${meant}?`),
    }),
  );
});
