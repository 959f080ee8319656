/** Calls of plugins back into Dify, through the whole daemon: manifest rights, Dify's answers, storage, and a Dify that is not there. */
import { startFakeDify } from '@plugin-daemon/bench';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { OTHER, reservePort, TestDaemon } from './harness.ts';
import { manifest, rudePackage, yaml } from './plugins/package.ts';

const KEY = 'inner-key';
let dify: Awaited<ReturnType<typeof startFakeDify>>;
let daemon: TestDaemon;

const everything = {
  tool: { enabled: true },
  model: {
    enabled: true,
    llm: true,
    text_embedding: true,
    rerank: true,
    tts: true,
    speech2text: true,
    moderation: true,
  },
  node: { enabled: true },
  endpoint: { enabled: true },
  app: { enabled: true },
  storage: { enabled: true, size: 1024 },
};

beforeAll(async () => {
  dify = await startFakeDify({
    key: KEY,
    tool: async function* (request) {
      yield { type: 'text', message: { text: JSON.stringify(request.tool_parameters) }, meta: {} };
      if (request.tool === 'breaks') throw new Error('the tool of Dify broke');
      yield { type: 'text', message: { text: 'ü and more' }, meta: {} };
    },
  });
  daemon = await TestDaemon.start({ innerApi: { url: dify.url, key: KEY } });
  await daemon.install(
    rudePackage('caller', {}, { 'manifest.yaml': yaml(manifest('caller', { permission: everything })) }),
  );
  await daemon.install(
    rudePackage('humble', {}, { 'manifest.yaml': yaml(manifest('humble', { permission: {} })) }),
    OTHER,
  );
}, 240_000);

afterEach(async () => {
  await daemon.expectIdle();
});

afterAll(async () => {
  await daemon?.close();
  await dify?.close();
});

type Event = readonly [event: string, message: string, data: unknown];

async function callBack(kind: string, request: object, plugin = 'caller', tenant?: string): Promise<readonly Event[]> {
  const answer = await daemon.call(plugin, 'call_back', {
    parameters: { kind, request },
    ...(tenant !== undefined && { tenant }),
  });
  expect(answer.complete).toBe(true);
  return answer.texts.map((text) => JSON.parse(text));
}

const tool = { tool_type: 'builtin', provider: 'time', tool: 'works', tool_parameters: { zone: 'UTC' } };
const model = { provider: 'p', model: 'm', completion_params: {}, mode: 'chat' };

test('a tool: its messages arrive one by one', async () => {
  const events = await callBack('tool', tool);
  expect(events.map(([event]) => event)).toEqual(['response', 'response']);
  expect(events.map(([, , data]) => data)).toMatchObject([
    { type: 'text', message: { text: '{"zone":"UTC"}' } },
    { type: 'text', message: { text: 'ü and more' } },
  ]);
});

test('a tool that breaks half way: what came before it, then the error', async () => {
  const events = await callBack('tool', { ...tool, tool: 'breaks' });
  expect(events.map(([event]) => event)).toEqual(['response', 'error']);
  expect(events[1]?.[1]).toContain('the tool of Dify broke');
});

test.each([
  [
    'llm',
    {
      ...model,
      model_type: 'llm',
      prompt_messages: [{ role: 'user', content: 'hi' }],
      tools: [],
      stop: [],
      stream: true,
    },
    3,
  ],
  ['text_embedding', { ...model, model_type: 'text-embedding', texts: ['a'], input_type: 'query' }, 1],
  ['rerank', { ...model, model_type: 'rerank', query: 'q', docs: ['a'], score_threshold: 0.1, top_n: 1 }, 1],
  ['tts', { ...model, model_type: 'tts', content_text: 'a', voice: 'v', tenant_id: '' }, 1],
  ['speech2text', { ...model, model_type: 'speech2text', file: '00' }, 1],
  ['moderation', { ...model, model_type: 'moderation', text: 'a' }, 1],
  ['fetch_app', { app_id: '00000000-0000-4000-8000-0000000000aa' }, 1],
])('%s', async (kind, request, count) => {
  const events = await callBack(kind, request);
  expect(events.map(([event, message]) => [event, message])).toEqual(
    Array.from({ length: count }, () => ['response', expect.any(String)]),
  );
});

test('storage: kept, counted, limited to what the manifest asks for, apart for each tenant', async () => {
  const hex = (text: string) => Buffer.from(text).toString('hex');
  const storage = (opt: string, key: string, value?: string) =>
    callBack('storage', { opt, key, ...(value && { value }) });
  expect((await storage('set', 'a', hex('first')))[0]).toMatchObject(['response', expect.any(String), { data: 'ok' }]);
  expect((await storage('get', 'a'))[0]?.[2]).toMatchObject({ data: hex('first') });
  const [refused] = await storage('set', 'b', hex('x'.repeat(2000)));
  expect(refused?.[0]).toBe('error');
  expect(refused?.[1]).toMatch(/1024|quota|size|storage/i);
  expect((await storage('get', 'a'))[0]?.[2]).toMatchObject({ data: hex('first') });
  const [escaped] = await storage('get', '../../../../etc/passwd');
  expect(escaped?.[0]).toBe('error');
  await storage('del', 'a');
  expect((await storage('get', 'a'))[0]?.[0]).toBe('error');
});

test.each([
  ['tool', tool],
  ['llm', { ...model, model_type: 'llm', prompt_messages: [], tools: [], stop: [], stream: true }],
  ['storage', { opt: 'get', key: 'a' }],
])('%s without the right to it is refused, and Dify is not asked', async (kind, request) => {
  const before = [...dify.requests.values()].reduce((sum, count) => sum + count, 0);
  const [refused] = await callBack(kind, request, 'humble', OTHER);
  expect(refused?.[0]).toBe('error');
  expect(refused?.[1]).toMatch(/permission/i);
  expect([...dify.requests.values()].reduce((sum, count) => sum + count, 0)).toBe(before);
});

test('a kind that does not exist, and requests of the wrong form', async () => {
  const [unknown] = await callBack('nonsense', {});
  expect(unknown?.[0]).toBe('error');
  const [wrong] = await callBack('tool', { tool_type: 7 });
  expect(wrong?.[0]).toBe('error');
});

test('a Dify that is not there, and one that does not know our key: the plugin is told at once', async () => {
  const absent = `http://127.0.0.1:${await reservePort()}`;
  for (const [innerApi, words] of [
    [{ url: absent, key: KEY }, /refused|reach|connect/i],
    [{ url: dify.url, key: 'another key' }, /404|key|not found/i],
  ] as const) {
    await using lonely = await TestDaemon.start({ innerApi });
    await lonely.install(
      rudePackage('caller', {}, { 'manifest.yaml': yaml(manifest('caller', { permission: everything })) }),
    );
    const answer = await lonely.call('caller', 'call_back', { parameters: { kind: 'tool', request: tool } });
    const [event]: Event[] = answer.texts.map((text) => JSON.parse(text));
    expect(event?.[0]).toBe('error');
    expect(event?.[1]).toMatch(words);
    expect(answer.complete).toBe(true);
  }
});
