/**
 * The inner API of Dify, as far as plugins reach it through the daemon.
 *
 * Language models and tools can be answered by the caller (the demo hands them to installed plugins, as Dify does);
 * everything else gets a small fixed answer of the right shape.
 */

import type { ServerResponse } from 'node:http';
import { isObject, messageOf } from '@plugin-daemon/values';
import { encodeFrame } from './frames.ts';
import { type FakeServer, jsonObject, sendJson, startServer } from './server.ts';

export type InnerApiRequest = Readonly<Record<string, unknown>>;
/** Yields what Dify would stream, one object per frame; throwing ends the stream with an error frame. */
export type StreamAnswer = (
  request: InnerApiRequest,
  signal: AbortSignal,
) => AsyncIterable<unknown> | Iterable<unknown>;

export interface FakeDifyOptions {
  /** The key that the daemon must send (`DIFY_INNER_API_KEY`). */
  readonly key: string;
  readonly port?: number;
  readonly llm?: StreamAnswer;
  readonly tool?: StreamAnswer;
}

export interface FakeDify extends FakeServer {
  /** Number of requests answered so far, by path below /inner/api/. */
  readonly requests: ReadonlyMap<string, number>;
}

const USAGE = {
  prompt_tokens: 1,
  prompt_unit_price: '0',
  prompt_price_unit: '0',
  prompt_price: '0',
  completion_tokens: 1,
  completion_unit_price: '0',
  completion_price_unit: '0',
  completion_price: '0',
  total_tokens: 2,
  total_price: '0',
  currency: 'USD',
  latency: 0.1,
};
const EMBEDDING_USAGE = {
  tokens: 1,
  total_tokens: 1,
  unit_price: '0',
  price_unit: '0',
  total_price: '0',
  currency: 'USD',
  latency: 0.1,
};

export function llmChunk(index: number, content: string, last = false): unknown {
  return {
    model: 'fake',
    prompt_messages: [],
    system_fingerprint: null,
    delta: {
      index,
      message: { role: 'assistant', content, name: '', tool_calls: [] },
      usage: last ? USAGE : null,
      finish_reason: last ? 'stop' : null,
    },
  };
}

const STREAMS: Readonly<Record<string, StreamAnswer>> = {
  'invoke/llm': () => [llmChunk(0, 'Hello'), llmChunk(1, ' world'), llmChunk(2, '', true)],
  'invoke/llm/structured-output': () => [
    { ...(llmChunk(0, '{"a":1}') as object), structured_output: { a: 1 } },
    llmChunk(1, '', true),
  ],
  'invoke/tool': () => [0, 1, 2].map((n) => ({ type: 'text', message: { text: `part ${n}` }, meta: {} })),
  'invoke/tts': () => [{ result: '52494646' }],
  'invoke/app': () => [
    { event: 'message', answer: 'Hello' },
    { event: 'message_end', id: '1' },
  ],
};

const NODE_RESULT = { process_data: {}, outputs: { value: 1 }, inputs: {} };
const PLAIN: Readonly<Record<string, unknown>> = {
  'invoke/text-embedding': { model: 'fake', embeddings: [[0.25, 0.5]], usage: EMBEDDING_USAGE },
  'invoke/multimodal-embedding': { model: 'fake', embeddings: [[0.25, 0.5]], usage: EMBEDDING_USAGE },
  'invoke/rerank': { model: 'fake', docs: [{ index: 0, text: 'a', score: 0.5 }] },
  'invoke/multimodal-rerank': { model: 'fake', docs: [{ index: 0, text: 'a', score: 0.5 }] },
  'invoke/speech2text': { result: 'hello' },
  'invoke/moderation': { result: false },
  'invoke/parameter-extractor': NODE_RESULT,
  'invoke/question-classifier': NODE_RESULT,
  'invoke/summary': { summary: 'short' },
  'upload/file/request': { url: 'http://127.0.0.1:9/files/upload' },
  // Dify wraps the parameters of an app once more.
  'fetch/app/info': { data: { name: 'app' } },
};

export async function startFakeDify(options: FakeDifyOptions): Promise<FakeDify> {
  const requests = new Map<string, number>();
  const streams: Record<string, StreamAnswer> = { ...STREAMS };
  if (options.llm) streams['invoke/llm'] = options.llm;
  if (options.tool) streams['invoke/tool'] = options.tool;

  const server = await startServer(async (request, response, body) => {
    const path = (request.url ?? '').split('?')[0]?.replace(/^\/inner\/api\//, '') ?? '';
    requests.set(path, (requests.get(path) ?? 0) + 1);
    // Dify hides the inner API from callers without the key.
    if (request.headers['x-inner-api-key'] !== options.key) return sendJson(response, 404, { error: 'not found' });
    const message = jsonObject(body);
    if (path === 'invoke/encrypt') return sendJson(response, 200, { data: { data: crypt(message) }, error: '' });
    const answer = streams[path];
    if (answer) return await stream(response, answer, message);
    if (path in PLAIN) return sendJson(response, 200, { data: PLAIN[path], error: '' });
    return sendJson(response, 404, { code: 'not_found', message: `no route ${path}`, status: 404 });
  }, options.port);
  return { ...server, requests };
}

async function stream(response: ServerResponse, answer: StreamAnswer, message: InnerApiRequest): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const frames = answer(message, gone.signal);
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  // What is known at once leaves at once: who measures the daemon does not want to wait for this program.
  if (Array.isArray(frames))
    return void response.end(Buffer.concat(frames.map((data: unknown) => encodeFrame({ data, error: '' }))));
  response.flushHeaders();
  try {
    for await (const data of frames) response.write(encodeFrame({ data, error: '' }));
  } catch (error) {
    const text = messageOf(error);
    if (!gone.signal.aborted) response.write(encodeFrame({ data: null, error: text }));
  }
  response.end();
}

/** Secrets become `enc:<base64>` and back, so that a test can see which way they went. */
function crypt(message: InnerApiRequest): Record<string, unknown> {
  const data = isObject(message.data) ? message.data : {};
  const config = Array.isArray(message.config) ? message.config.filter(isObject) : [];
  const secrets = new Set(config.filter((field) => field.type === 'secret-input').map((field) => field.name));
  const turn = (value: string) => {
    if (message.opt === 'encrypt') return `enc:${Buffer.from(value).toString('base64')}`;
    return value.startsWith('enc:') ? Buffer.from(value.slice(4), 'base64').toString() : value;
  };
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [
      name,
      secrets.has(name) && typeof value === 'string' ? turn(value) : value,
    ]),
  );
}
