import { backwardsKindRow, backwardsKinds } from '@plugin-daemon/plugin-host/backwards-kinds';
import { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import type { Permission, PluginDeclaration } from '@plugin-daemon/plugin-package';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { BackwardsCaller, BackwardsEvent, BackwardsInvocations, BackwardsReply } from './contract.ts';
import { DifyClient } from './dify/index.ts';
import { enveloped, type FakeAnswer, type FakeDify, frame, frames, json, startFakeDify } from './fake-dify.ts';
import { createBackwardsInvocations } from './invocations.ts';
import { kinds } from './kinds/index.ts';
import { memoryStorage } from './storage/testing.ts';

const log = { debug: vi.fn(), warn: vi.fn() };
let fake: FakeDify;
let dify: DifyClient;
let invocations: BackwardsInvocations;

beforeAll(async () => {
  fake = await startFakeDify(json({}));
  dify = new DifyClient({
    url: fake.url,
    key: 'k',
    readTimeoutMs: 20_000,
    writeTimeoutMs: 20_000,
    maxResponseBytes: 1 << 20,
  });
});

afterAll(async () => {
  await dify.close();
  await fake[Symbol.asyncDispose]();
});

beforeEach(() => {
  fake.requests.length = 0;
  fake.abandoned.length = 0;
  fake.answer = json({});
  invocations = createBackwardsInvocations({ dify, storage: memoryStorage().storage, log });
});

const everything: Permission = {
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
  app: { enabled: true },
  storage: { enabled: true, size: 1024 },
};

function callerWith(permission: Permission | undefined, changes: Partial<BackwardsCaller> = {}): BackwardsCaller {
  const resource = permission === undefined ? { memory: 1 } : { memory: 1, permission };
  return {
    sessionId: 'session-1',
    tenantId: 'tenant-1',
    userId: 'user-1',
    pluginId: 'author/name',
    identifier: 'author/name:0.0.1@00',
    accessType: 'tool',
    // Nothing else of the declaration is read here.
    declaration: { resource } as PluginDeclaration,
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    signal: new AbortController().signal,
    ...changes,
  };
}

const allowed = callerWith(everything);

async function eventsOf(
  type: string,
  request: Record<string, unknown>,
  caller: BackwardsCaller = allowed,
): Promise<BackwardsEvent[]> {
  const events: BackwardsEvent[] = [];
  await invocations.handle(caller, type, request, (event) => {
    events.push(event);
    return undefined;
  });
  return events;
}

const end = { event: 'end' };
const failed = (message: unknown) => [{ event: 'error', message }, end];
const result = (message: 'stream' | 'struct', data: unknown) => ({
  event: 'response',
  message,
  data: JSON.stringify(data),
});

const base = { tenant_id: 'tenant-1', user_id: 'user-1' };
const message = { role: 'user', content: 'hi' };
const node = { process_data: { p: 1 }, outputs: { o: 1 }, inputs: { i: 1 } };
const llm = {
  provider: 'openai',
  model: 'gpt',
  mode: 'chat',
  completion_params: {},
  prompt_messages: [message],
  tools: [],
  stop: [],
  stream: true,
};
const nodeModel = { provider: 'x', name: 'm', mode: 'chat', completion_params: {} };

/** [type, what the plugin sends, where it goes, what is sent there beside tenant, user and type, Dify's data, the plugin's] */
const exchanges: readonly [string, Record<string, unknown>, string, Record<string, unknown>, unknown, unknown?][] = [
  [
    'tool',
    { tool_type: 'builtin', provider: 'time', tool: 'current_time', tool_parameters: {}, app_id: 'dropped' },
    'invoke/tool',
    { tool_type: 'builtin', credential_id: '', provider: 'time', tool: 'current_time', tool_parameters: {} },
    { type: 'text', message: { text: 'now' }, meta: {} },
  ],
  ['llm', { ...llm, model_type: 'llm' }, 'invoke/llm', llm, { model: 'm', prompt_messages: [], delta: { index: 0 } }],
  [
    'llm_structured_output',
    { ...llm, structured_output_schema: { type: 'object' } },
    'invoke/llm/structured-output',
    { ...llm, structured_output_schema: { type: 'object' } },
    { model: 'm', structured_output: { a: 1 } },
    { model: 'm', structured_output: { a: 1 }, prompt_messages: [] },
  ],
  [
    'text_embedding',
    { provider: 'openai', model: 'emb', model_type: 'text-embedding', texts: ['a'], input_type: 'query' },
    'invoke/text-embedding',
    { provider: 'openai', model: 'emb', texts: ['a'], input_type: 'query' },
    { model: 'emb', embeddings: [[0.1]] },
  ],
  [
    'multimodal_embedding',
    { provider: 'x', model: 'emb', documents: [{ content: 'a', content_type: 'text' }], input_type: 'document' },
    'invoke/multimodal-embedding',
    { provider: 'x', model: 'emb', documents: [{ content: 'a', content_type: 'text' }], input_type: 'document' },
    { model: 'emb', embeddings: [[0.1]] },
  ],
  [
    'rerank',
    { provider: 'x', model: 'rr', query: 'q', docs: ['a', 'b'], score_threshold: null, top_n: 2 },
    'invoke/rerank',
    { provider: 'x', model: 'rr', query: 'q', docs: ['a', 'b'], score_threshold: 0, top_n: 2 },
    { model: 'rr', docs: [] },
  ],
  [
    'multimodal_rerank',
    { provider: 'x', model: 'rr', query: { content: 'q', content_type: 'text' }, docs: [] },
    'invoke/multimodal-rerank',
    {
      provider: 'x',
      model: 'rr',
      query: { content: 'q', content_type: 'text' },
      docs: [],
      score_threshold: 0,
      top_n: 0,
    },
    { model: 'rr', docs: [] },
  ],
  [
    'tts',
    { provider: 'x', model: 'tts', content_text: 'hello', voice: 'v', tenant_id: 'another' },
    'invoke/tts',
    { provider: 'x', model: 'tts', content_text: 'hello', voice: 'v' },
    { result: '00ff' },
  ],
  [
    'speech2text',
    { provider: 'x', model: 'stt', file: '00' },
    'invoke/speech2text',
    { provider: 'x', model: 'stt', file: '00' },
    { result: 'text' },
  ],
  [
    'moderation',
    { provider: 'x', model: 'mod', text: 't' },
    'invoke/moderation',
    { provider: 'x', model: 'mod', text: 't' },
    { result: true },
  ],
  [
    'app',
    {
      app_id: 'app-1',
      inputs: {},
      query: 'q',
      response_mode: 'streaming',
      conversation_id: null,
      user: 'u',
      files: [],
    },
    'invoke/app',
    { app_id: 'app-1', inputs: {}, query: 'q', response_mode: 'streaming', conversation_id: '', user: 'u' },
    { event: 'message', answer: 'a' },
  ],
  ['fetch_app', { app_id: 'app-1' }, 'fetch/app/info', { app_id: 'app-1' }, { data: { name: 'app' } }, { name: 'app' }],
  [
    'upload_file',
    { filename: 'a.txt', mimetype: 'text/plain' },
    'upload/file/request',
    { filename: 'a.txt', mimetype: 'text/plain' },
    { url: 'http://127.0.0.1/upload' },
  ],
  [
    'system_summary',
    { text: 'long', instruction: 'short' },
    'invoke/summary',
    { text: 'long', instruction: 'short' },
    { summary: 'short' },
  ],
  [
    'node_parameter_extractor',
    { parameters: [{ name: 'n', type: 'string', description: 'd', required: true }], model: nodeModel, query: 'q' },
    'invoke/parameter-extractor',
    {
      parameters: [{ name: 'n', type: 'string', options: null, description: 'd', required: true }],
      model: nodeModel,
      instruction: '',
      query: 'q',
    },
    node,
  ],
  [
    'node_question_classifier',
    { classes: [{ id: '1', name: 'one' }], model: nodeModel, instruction: null, query: 'q' },
    'invoke/question-classifier',
    { classes: [{ id: '1', name: 'one' }], model: nodeModel, instruction: '', query: 'q' },
    node,
  ],
];

/** Answers in the framing of the kind. */
function answering(type: string, ...results: readonly unknown[]): FakeAnswer {
  const kind = kinds.get(type);
  return kind?.target === 'dify' && kind.answer === 'frames' ? frames(...results) : json(results[0]);
}

const framingOf = (type: string): 'stream' | 'struct' => {
  const kind = kinds.get(type);
  return kind?.target === 'dify' && kind.answer === 'frames' ? 'stream' : 'struct';
};

test('every kind of the table is served', () => {
  expect([...kinds.keys()].sort()).toEqual(Object.keys(backwardsKinds).sort());
});

test('every kind that Dify serves is covered here', () => {
  const served = [...kinds.values()].filter(({ target }) => target === 'dify').map(({ type }) => type);
  expect(exchanges.map(([type]) => type).sort()).toEqual(served.sort());
});

test.each(exchanges)('%s: request, address and answer', async (type, request, path, sent, data, seen = data) => {
  fake.answer = answering(type, data);
  const given = { ...request, tenant_id: 'not-mine', user_id: 'not-me', type: 'not-this' };
  expect(await eventsOf(type, given)).toEqual([result(framingOf(type), seen), end]);
  expect(fake.requests.map((recorded) => recorded.path)).toEqual([`/inner/api/${path}`]);
  expect(JSON.parse(fake.requests[0]?.body ?? '')).toEqual({ ...base, type, ...sent });
  expect(fake.requests[0]?.headers).toMatchObject({ traceparent: allowed.traceparent, 'x-inner-api-key': 'k' });
});

test.each(exchanges)('%s: without permission', async (type, request) => {
  const word = backwardsKindRow(type)?.right?.word;
  const off: Permission = {
    tool: { enabled: false },
    model: { ...everything.model, enabled: false } as NonNullable<Permission['model']>,
    node: { enabled: false },
    app: { enabled: false },
  };
  for (const permission of [undefined, {}, off]) {
    fake.answer = answering(type, node);
    const events = await eventsOf(type, request, callerWith(permission));
    if (word === undefined) expect(events).not.toContainEqual(expect.objectContaining({ event: 'error' }));
    else expect(events).toEqual(failed(`permission denied, you need to enable ${word} access in plugin manifest`));
  }
});

test('a model permission alone does not open every model', async () => {
  const onlyLlm = callerWith({
    model: { ...everything.model, llm: true, rerank: false } as NonNullable<Permission['model']>,
  });
  expect(await eventsOf('rerank', {}, onlyLlm)).toEqual(
    failed('permission denied, you need to enable rerank access in plugin manifest'),
  );
});

test('denials of storage and multimodal embedding use their own words', async () => {
  const none = callerWith(undefined);
  expect(await eventsOf('storage', { opt: 'get', key: 'k' }, none)).toEqual(
    failed('permission denied, you need to enable storage access in plugin manifest'),
  );
  expect(await eventsOf('multimodal_embedding', {}, none)).toEqual(
    failed('permission denied, you need to enable text-embedding access in plugin manifest'),
  );
});

test('sessions of models may not call back', async () => {
  const model = callerWith(everything, { accessType: 'model' });
  expect(await eventsOf('unknown', {}, model)).toEqual(failed('you can not invoke dify from model'));
  expect(await eventsOf('storage', { opt: 'get', key: 'k' }, model)).toEqual(
    failed('you can not invoke dify from model'),
  );
});

test('unknown kinds and the internal one are refused', async () => {
  for (const type of ['unknown_kind', 'encrypt', '__proto__', '']) {
    expect(await eventsOf(type, {})).toEqual(failed(`unsupported invoke type: ${type}`));
  }
});

const invalid = 'unmarshal backwards invoke request failed: error validating struct: ';
const violation = (path: string, field: string, tag: string): string =>
  `Key: '${path}.${field}' Error:Field validation for '${field}' failed on the '${tag}' tag`;

test.each<[string, Record<string, unknown>, string[]]>([
  [
    'tool',
    { tool_type: 'nope' },
    [
      violation('InvokeToolRequest', 'ToolType', 'tool_type'),
      violation('InvokeToolRequest.InvokeToolSchema', 'Provider', 'required'),
      violation('InvokeToolRequest.InvokeToolSchema', 'Tool', 'required'),
    ],
  ],
  [
    'multimodal_embedding',
    {},
    [
      violation('InvokeMultimodalEmbeddingRequest.BaseRequestInvokeModel', 'Provider', 'required'),
      violation('InvokeMultimodalEmbeddingRequest.BaseRequestInvokeModel', 'Model', 'required'),
      violation('InvokeMultimodalEmbeddingRequest.InvokeMultimodalEmbeddingSchema', 'Documents', 'required'),
      violation('InvokeMultimodalEmbeddingRequest.InvokeMultimodalEmbeddingSchema', 'InputType', 'required'),
    ],
  ],
  ['llm', { ...llm, mode: '' }, [violation('InvokeLLMRequest.InvokeLLMSchema', 'Mode', 'required')]],
  [
    'llm',
    { ...llm, tools: [{ name: 'a' }, { description: 'no name' }] },
    [violation('InvokeLLMRequest.InvokeLLMSchema.Tools[1]', 'Name', 'required')],
  ],
  [
    'storage',
    { opt: 'list', key: '' },
    [violation('InvokeStorageRequest', 'Opt', 'storage_opt'), violation('InvokeStorageRequest', 'Key', 'required')],
  ],
])('%s: an invalid request names what is wrong', async (type, request, lines) => {
  expect(await eventsOf(type, request)).toEqual(failed(invalid + lines.join('\n')));
  expect(fake.requests).toEqual([]);
});

test('a value of the wrong type is refused', async () => {
  expect(await eventsOf('moderation', { provider: 'x', model: 5, text: 't' })).toEqual(
    failed(
      "unmarshal backwards invoke request failed: error decoding map: 1 error(s) decoding:\n\n* 'model' expected type 'string', got unconvertible type 'float64', value: '5'",
    ),
  );
});

test('prompt messages and free parameters are sent as they came', async () => {
  fake.answer = frames();
  const messages = [
    { role: 'assistant', content: null, tool_calls: [{ id: '1', app_id: 'a' }], opaque_body: { deep: [1] } },
    { role: 'user', content: [{ type: 'image', url: 'u', future: true }], name: null },
  ];
  const request = {
    ...llm,
    prompt_messages: messages,
    completion_params: { n: 1.5, x: { y: null } },
    tool_choice: { mode: 'tool', name: 'a' },
  };
  expect(await eventsOf('llm', request)).toEqual([end]);
  expect(JSON.parse(fake.requests[0]?.body ?? '')).toEqual({ ...base, type: 'llm', ...request });
});

test('tool choice must name its tool', async () => {
  expect(await eventsOf('llm', { ...llm, tool_choice: { mode: 'tool', name: ' ' } })).toEqual(
    failed(expect.stringContaining("'required_for_tool' tag")),
  );
});

test('prompt messages that Dify repeats are left out of chunks, all else keeps its text', async () => {
  fake.answer = (_request, response) => {
    response.end(
      frame('{"data":{"model":"m","prompt_messages":[{"role":"user"}],"n":1.0,"big":12345678901234567890},"error":""}'),
    );
  };
  expect(await eventsOf('llm', llm)).toEqual([
    {
      event: 'response',
      message: 'stream',
      data: '{"model":"m","prompt_messages":[],"n":1.0,"big":12345678901234567890}',
    },
    end,
  ]);
});

test.each([
  ['tool', 'invoke tool failed: ', 'read tool response failed: '],
  ['llm', 'invoke llm model failed: ', 'read llm model failed: '],
  ['app', 'invoke app failed: ', 'read app failed: '],
  ['moderation', 'invoke moderation model failed: ', 'invoke moderation model failed: '],
  ['upload_file', 'upload file failed: ', 'upload file failed: '],
])('%s: failures begin with the words of the kind', async (type, failure, readFailure) => {
  const request = exchanges.find(([name]) => name === type)?.[1] ?? {};
  fake.answer = (_request, response) => void response.writeHead(500).end('no');
  expect(await eventsOf(type, request)).toEqual(
    failed(`${failure}request failed with status code: 500 and respond with: no`),
  );
  fake.answer = (_request, response) =>
    response.end(framingOf(type) === 'stream' ? frame(enveloped(null, 'bad')) : enveloped(null, 'bad'));
  expect(await eventsOf(type, request)).toEqual(failed(`${readFailure}request failed: bad`));
});

test('results before a failure in the middle are delivered', async () => {
  fake.answer = (_request, response) =>
    response.end(Buffer.concat([frame(enveloped({ a: 1 })), frame(enveloped(null, 'stopped'))]));
  expect(await eventsOf('app', { app_id: 'a' })).toEqual([
    result('stream', { a: 1 }),
    ...failed('read app failed: request failed: stopped'),
  ]);
});

test('an incomplete answer of a node fails', async () => {
  fake.answer = json({ process_data: {}, outputs: {} });
  const [, request] = exchanges.find(([type]) => type === 'node_question_classifier') ?? [];
  expect(await eventsOf('node_question_classifier', request ?? {})).toEqual(
    failed(
      `invoke question classifier failed: validate request failed: ${violation('InvokeNodeResponse', 'Inputs', 'required')}`,
    ),
  );
});

test('an app without parameters fails', async () => {
  fake.answer = json({ data: null });
  expect(await eventsOf('fetch_app', { app_id: 'a' })).toEqual(failed('fetch app failed: data is nil'));
});

test('nothing is answered before the plugin can listen', async () => {
  const seen: string[] = [];
  const reply: BackwardsReply = ({ event }) => {
    seen.push(event);
    return undefined;
  };
  const found = invocations.handle(allowed, 'storage', { opt: 'exist', key: 'k' }, reply);
  // Everything that needs no turn of the event loop; the storage in memory needs none.
  for (let i = 0; i < 100; i++) await Promise.resolve();
  expect(seen).toEqual([]);
  await found;
  expect(seen).toEqual(['response', 'end']);

  const arrived = performance.now();
  await invocations.handle(callerWith(undefined), 'tool', {}, reply);
  expect(performance.now() - arrived).toBeGreaterThanOrEqual(1);
  expect(seen.slice(2)).toEqual(['error', 'end']);
});

test('the next result waits until the plugin took the one before', async () => {
  fake.answer = frames({ i: 0 }, { i: 1 }, { i: 2 });
  const order: string[] = [];
  await invocations.handle(allowed, 'app', { app_id: 'a' }, async (event) => {
    order.push('begin');
    await new Promise((resolve) => setTimeout(resolve, 5));
    order.push('taken', event.event);
  });
  expect(order.filter((word) => word !== 'begin' && word !== 'taken')).toEqual([
    'response',
    'response',
    'response',
    'end',
  ]);
  expect(order.join(' ').match(/begin taken/g)).toHaveLength(4);
});

test('the end of the session ends the call; the plugin is still told', async () => {
  fake.answer = (_request, response) => void response.write(frame(enveloped({ a: 1 })));
  const abort = new AbortController();
  const events: BackwardsEvent[] = [];
  const reply: BackwardsReply = (event) => {
    events.push(event);
    if (event.event === 'response') abort.abort();
    return undefined;
  };
  await invocations.handle(callerWith(everything, { signal: abort.signal }), 'app', { app_id: 'a' }, reply);
  expect(events.slice(1)).toEqual(failed('read app failed: the session has ended'));
  await vi.waitFor(() => expect(fake.abandoned).toHaveLength(1), { timeout: 60_000 });
});

test('a plugin that is gone ends the call, and nothing is thrown', async () => {
  fake.answer = (_request, response) => void response.write(frame(enveloped({ a: 1 })));
  await invocations.handle(allowed, 'app', { app_id: 'a' }, () => {
    throw new Error('the plugin is gone');
  });
  await vi.waitFor(() => expect(fake.abandoned).toHaveLength(1), { timeout: 60_000 });
});

const ending = (events: readonly BackwardsEvent[]): void => {
  expect(events.filter(({ event }) => event === 'end')).toHaveLength(1);
  expect(events.at(-1)).toEqual(end);
};

test('whatever a plugin asks, it is answered and told the end once', async () => {
  fake.answer = (_request, response) => void response.end();
  const keys = new Set([...kinds.values()].flatMap(({ request }) => request.fields.map(({ key }) => key)));
  const request = fc.dictionary(fc.constantFrom(...keys), fc.oneof(fc.jsonValue(), fc.string()));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...kinds.keys()), request, async (type, given) => {
      ending(await eventsOf(type, { ...given }));
    }),
    { numRuns: 100 },
  );
});

test('whatever Dify answers, the plugin gets objects and is told the end once', async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.jsonValue().map((data) => frame(enveloped(data))),
    fc.jsonValue().map((value) => frame(JSON.stringify(value))),
    fc.jsonValue().map((data) => Buffer.from(`data: ${enveloped(data)}\n`)),
    fc.string().map((text) => frame(text)),
  );
  const status = fc.constantFrom(200, 200, 200, 201, 204, 302, 404, 500);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('app', 'moderation'), fc.array(piece), status, async (type, pieces, code) => {
      fake.answer = (_request, response) => {
        response.writeHead(code);
        for (const bytes of pieces) response.write(bytes);
        response.end();
      };
      const [, request] = exchanges.find(([name]) => name === type) ?? [];
      const events = await eventsOf(type, request ?? {});
      ending(events);
      for (const event of events) {
        if (event.event !== 'response') continue;
        // Only the storage answers in pieces.
        const data = String(event.data);
        expect(JSON.parse(data)).toBeTypeOf('object');
        expect(data).toMatch(/^\{[^\n\u2028\u2029\u0085]*\}$/);
      }
    }),
    { numRuns: 100 },
  );
});

test('failures that the operator can mend are logged for him, with whole session ids nowhere', async () => {
  log.warn.mockClear();
  log.debug.mockClear();
  fake.answer = (_request, response) => void response.writeHead(404).end('{}');
  const caller = callerWith(everything, { sessionId: '0123456789abcdef' });
  await eventsOf('moderation', { provider: 'x', model: 'm', text: 't' }, caller);
  expect(log.warn).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({ type: 'moderation', remedy: expect.stringContaining('DIFY_INNER_API_KEY') }),
    expect.any(String),
  );
  await eventsOf('moderation', {}, caller);
  expect(log.warn).toHaveBeenCalledOnce();
  expect(JSON.stringify([log.warn.mock.calls, log.debug.mock.calls])).not.toContain('0123456789abcdef');
});

test('reads of storage wait for memory, which is given back when the plugin has the answer', async () => {
  const { storage } = memoryStorage();
  const storageReads = new ByteBudget({ what: 'values of storage', total: 6 * 300 });
  const requests = new ByteBudget({ what: 'calls', total: 1 << 20 });
  const limited = createBackwardsInvocations({ dify, storage, log, budgets: { storageReads, requests } });
  await storage.set({ tenantId: 'tenant-1', pluginId: 'acme/plugin' }, 'k', Buffer.alloc(200), undefined);
  const taken: (() => void)[] = [];
  let most = 0;
  const slowly = (event: BackwardsEvent): Promise<void> | undefined => {
    most = Math.max(most, storageReads.used);
    return event.event === 'response' ? new Promise((resolve) => taken.push(resolve)) : undefined;
  };
  const caller = callerWith(everything, { pluginId: 'acme/plugin' });
  const calls = Array.from({ length: 5 }, () => limited.handle(caller, 'storage', { opt: 'get', key: 'k' }, slowly));
  for (let n = 1; n <= 5; n++) {
    await vi.waitFor(() => expect(taken).toHaveLength(n), { timeout: 60_000 });
    // One fits; the others have read nothing yet.
    expect([storageReads.used, storageReads.waiting]).toEqual([6 * 200, 5 - n]);
    taken.at(-1)?.();
  }
  await Promise.all(calls);
  expect([most, storageReads.used, requests.used]).toEqual([6 * 200, 0, 0]);
});

test('a read that waits for memory ends with its session', async () => {
  const { storage } = memoryStorage();
  const storageReads = new ByteBudget({ what: 'values of storage', total: 100 });
  const requests = new ByteBudget({ what: 'calls', total: 1 << 20 });
  const limited = createBackwardsInvocations({ dify, storage, log, budgets: { storageReads, requests } });
  await storage.set({ tenantId: 'tenant-1', pluginId: 'acme/plugin' }, 'k', Buffer.alloc(200), undefined);
  const release = await storageReads.acquire(50, new AbortController().signal);
  const over = new AbortController();
  const caller = callerWith(everything, { pluginId: 'acme/plugin', signal: over.signal });
  const call = limited.handle(caller, 'storage', { opt: 'get', key: 'k' }, () => undefined);
  await vi.waitFor(() => expect(storageReads.waiting).toBe(1), { timeout: 60_000 });
  over.abort(new Error('the session ended'));
  await call;
  release();
  expect([storageReads.used, storageReads.waiting]).toEqual([0, 0]);
});

test('requests beyond what calls back may hold are refused, naming limit and setting', async () => {
  const { storage } = memoryStorage();
  const storageReads = new ByteBudget({ what: 'values of storage', total: 1 << 20 });
  const requests = new ByteBudget({ what: 'calls back into Dify', total: 1000, setting: 'CALL_BACK_BUDGET_BYTES' });
  const limited = createBackwardsInvocations({ dify, storage, log, budgets: { storageReads, requests } });
  const events: BackwardsEvent[] = [];
  const reply: BackwardsReply = (event) => void events.push(event);
  const value = '00'.repeat(1000);
  await limited.handle(callerWith(everything), 'storage', { opt: 'set', key: 'k', value }, reply);
  expect(events).toEqual([
    { event: 'error', message: expect.stringMatching(/no room for this call: .*1000 bytes.*CALL_BACK_BUDGET_BYTES/) },
    { event: 'end' },
  ]);
  await limited.handle(callerWith(everything), 'fetch_app', { app_id: 'a' }, reply);
  expect(requests.used).toBe(0);
});
