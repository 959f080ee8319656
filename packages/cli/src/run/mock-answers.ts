/** The fixed answers to calls back into Dify, one entry per kind (docs/wire/cli.md#mocked-dify). Each yields the messages of its answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BackwardsKind } from '@plugin-daemon/plugin-host/backwards-kinds';
import { isObject } from '@plugin-daemon/values';
import { sampleObject } from './json-sample.ts';

export type Request = Readonly<Record<string, unknown>>;
/** Makes the items of a streamed answer, or the one result. */
type Answers = (request: Request) => Iterable<unknown> | AsyncIterable<unknown>;

const PAUSE_MS = 100;
const VECTOR = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function chunk(
  model: unknown,
  index: number,
  message: Record<string, unknown>,
  usage: unknown = null,
): Record<string, unknown> {
  return {
    model: text(model),
    prompt_messages: [],
    system_fingerprint: 'test',
    delta: {
      index,
      message: { role: 'assistant', content: '', name: 'test', tool_calls: [], ...message },
      usage,
      finish_reason: null,
    },
  };
}

const USAGE = {
  prompt_tokens: 100,
  prompt_unit_price: '0',
  prompt_price_unit: '0',
  prompt_price: '0',
  completion_tokens: 100,
  completion_unit_price: '0',
  completion_price_unit: '0',
  completion_price: '0',
  total_tokens: 200,
  total_price: '0',
  currency: 'USD',
  latency: 0.4,
};

async function* llm(request: Request): AsyncIterable<unknown> {
  const [tool] = list(request.tools);
  if (isObject(tool)) {
    const call = {
      id: 'oshiawaseni',
      type: 'function',
      function: { name: text(tool.name), arguments: JSON.stringify(sampleObject(tool.parameters)) },
    };
    yield chunk(request.model, 0, { tool_calls: [call] });
  }
  const words = ['hello', ' world', ' world', ' !', ' !'];
  for (const [position, word] of words.entries()) {
    if (position > 0) await sleep(PAUSE_MS);
    yield chunk(
      request.model,
      [1, 1, 2, 3, 3][position] ?? 3,
      { content: word },
      position === words.length - 1 ? USAGE : null,
    );
  }
}

function* structured(request: Request): Iterable<unknown> {
  const result = sampleObject(request.structured_output_schema);
  const json = JSON.stringify(result);
  for (let part = 0; part < 10; part++) {
    yield chunk(request.model, part, {
      content: json.slice(Math.floor((part * json.length) / 10), Math.floor(((part + 1) * json.length) / 10)),
    });
  }
  yield { ...chunk(request.model, 10, {}), structured_output: result };
}

function embedding(count: number, request: Request): unknown {
  const usage = {
    tokens: 100,
    total_tokens: 100,
    unit_price: '0',
    price_unit: '0',
    total_price: '0',
    currency: 'USD',
    latency: 0.1,
  };
  return { model: text(request.model), embeddings: Array.from({ length: count }, () => VECTOR), usage };
}

function ranked(request: Request, content: (document: unknown) => string): unknown {
  return {
    model: text(request.model),
    docs: list(request.docs).map((document, index) => ({ index, text: content(document), score: 0.1 })),
  };
}

async function* repeat(count: number, item: unknown): AsyncIterable<unknown> {
  for (let index = 0; index < count; index++) {
    if (index > 0) await sleep(PAUSE_MS);
    yield item;
  }
}

async function* app(): AsyncIterable<unknown> {
  const conversation_id = '45701982-8118-4bc5-8e9b-64562b4555f2';
  const message_id = '5ad4cb98-f0c7-4085-b384-88c403be6290';
  const created_at = Math.floor(Date.now() / 1000);
  for (const answer of ['This ', 'is ', 'a fixed answer.']) {
    yield { event: 'agent_message', message_id, conversation_id, answer, created_at };
    await sleep(PAUSE_MS);
  }
  const resource = {
    position: 1,
    dataset_id: '101b4c97-fc2e-463c-90b1-5261a4cdcafb',
    dataset_name: 'Example',
    document_id: '8dd1ad74-0b5f-4175-b735-7d98bbbb4e00',
    document_name: 'Example document',
    score: 0.98,
    content: 'Made-up content',
  };
  yield {
    event: 'message_end',
    id: '5e52ce04-874b-4d27-9045-b3bc80def685',
    conversation_id,
    created_at,
    metadata: { retriever_resources: [resource], usage: USAGE },
  };
  await sleep(PAUSE_MS);
  yield {
    event: 'message_file',
    id: '5e52ce04-874b-4d27-9045-b3bc80def685',
    conversation_id,
    belongs_to: 'assistant',
    url: 'https://example.com/file.png',
    created_at,
  };
}

const EXTRACTED: Record<string, unknown> = {
  string: 'an extracted text',
  number: 1234567890,
  bool: true,
  select: 'an option',
  'array[string]': ['first text', 'second text'],
  'array[number]': [1, 2, 3],
  'array[bool]': [true, false],
  'array[object]': [{ name: 'first' }, { name: 'second' }],
};

function extract(request: Request): unknown {
  const outputs: Record<string, unknown> = {};
  for (const parameter of list(request.parameters)) {
    if (!isObject(parameter)) continue;
    const [option] = list(parameter.options);
    outputs[text(parameter.name)] =
      parameter.type === 'select' && option !== undefined ? option : EXTRACTED[text(parameter.type)];
  }
  return { process_data: {}, outputs, inputs: { query: request.query } };
}

function classify(request: Request): unknown {
  const [first] = list(request.classes);
  return { process_data: {}, outputs: { class_name: isObject(first) ? first.name : '' }, inputs: {} };
}

/** One result. */
const once =
  (answer: (request: Request) => unknown): Answers =>
  (request) => [answer(request)];

/** Storage has no fixed answers: it remembers. */
export const mockAnswers: Readonly<Record<Exclude<BackwardsKind, 'storage'>, Answers>> = {
  llm,
  llm_structured_output: structured,
  text_embedding: once((request) => embedding(list(request.texts).length, request)),
  multimodal_embedding: once((request) => embedding(list(request.documents).length, request)),
  rerank: once((request) => ranked(request, text)),
  multimodal_rerank: once((request) =>
    ranked(request, (document) => (isObject(document) ? text(document.content) : '')),
  ),
  tts: () => repeat(10, { result: 'a1b2c3d4' }),
  speech2text: once(() => ({ result: 'hello world' })),
  moderation: once(() => ({ result: true })),
  tool: () => repeat(10, { type: 'text', message: { text: 'hello world' }, meta: null }),
  app,
  fetch_app: once(() => ({ name: 'test' })),
  node_parameter_extractor: once(extract),
  node_question_classifier: once(classify),
  system_summary: once((request) => ({ summary: text(request.text) })),
  upload_file: once(() => ({ url: 'https://example.com/files/upload' })),
};
