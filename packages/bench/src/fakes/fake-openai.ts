/**
 * A server with the chat completions API of OpenAI and a very small mind: it answers with words about the question, and
 * if it is offered tools and has seen no result yet, it calls the first one with the question as every required text.
 */
import { isObject } from '@plugin-daemon/values';
import { type FakeServer, jsonObject, sendJson, startServer } from './server.ts';

export interface FakeOpenAiOptions {
  readonly port?: number;
  /** Pause between two streamed words, in milliseconds. */
  readonly delayMs?: number;
  /** If set, requests must carry it as bearer token. */
  readonly apiKey?: string;
}

interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export async function startFakeOpenAi(options: FakeOpenAiOptions = {}): Promise<FakeServer> {
  return await startServer(async (request, response, body) => {
    if (options.apiKey && request.headers.authorization !== `Bearer ${options.apiKey}`)
      return sendJson(response, 401, {
        error: { message: 'Incorrect API key provided', type: 'invalid_request_error' },
      });
    if (!request.url?.endsWith('/chat/completions'))
      return sendJson(response, 404, { error: { message: `no route ${request.url}` } });

    const question = jsonObject(body);
    const messages = chatMessages(question.messages);
    const model = typeof question.model === 'string' ? question.model : 'fake';
    const base = { id: 'chatcmpl-1', created: 1_700_000_000, model };
    const call = toolCall(question.tools, messages);
    const words = call ? [] : answerWords(messages);
    const usage = {
      prompt_tokens: messages.length * 8,
      completion_tokens: words.length,
      total_tokens: messages.length * 8 + words.length,
    };
    const finish = call ? 'tool_calls' : 'stop';
    if (question.stream !== true) {
      const message = { role: 'assistant', content: words.join(''), ...(call ? { tool_calls: [call] } : {}) };
      const choices = [{ index: 0, message, finish_reason: finish }];
      return sendJson(response, 200, { ...base, object: 'chat.completion', choices, usage });
    }

    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const send = (delta: unknown, finish_reason: string | null, more: object = {}) =>
      response.write(
        `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`,
      );
    for (const content of words) {
      if (response.destroyed) return;
      send({ role: 'assistant', content }, null);
      if (options.delayMs) await new Promise((resolve) => setTimeout(resolve, options.delayMs));
    }
    if (call) for (const piece of pieces(call)) send({ tool_calls: [piece] }, null);
    send({}, finish, { usage });
    response.end('data: [DONE]\n\n');
  }, options.port);
}

function chatMessages(value: unknown): ChatMessage[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(isObject)
    .map((m) => ({ role: String(m.role), content: typeof m.content === 'string' ? m.content : '' }));
}

interface ToolCall {
  readonly id: string;
  readonly type: 'function';
  readonly function: { readonly name: string; readonly arguments: string };
}

function toolCall(tools: unknown, messages: readonly ChatMessage[]): ToolCall | undefined {
  if (!Array.isArray(tools) || messages.some((m) => m.role === 'tool')) return undefined;
  const tool: unknown = tools[0];
  if (!isObject(tool) || !isObject(tool.function)) return undefined;
  const { name, parameters } = tool.function;
  const question = messages.findLast((m) => m.role === 'user')?.content ?? '';
  const required = isObject(parameters) && Array.isArray(parameters.required) ? parameters.required : [];
  const args = Object.fromEntries(required.map((parameter) => [String(parameter), question]));
  return { id: 'call_1', type: 'function', function: { name: String(name), arguments: JSON.stringify(args) } };
}

/** A call as OpenAI streams it: name first, arguments in parts. */
function pieces(call: ToolCall): unknown[] {
  const text = call.function.arguments;
  const half = Math.ceil(text.length / 2);
  return [
    { index: 0, id: call.id, type: call.type, function: { name: call.function.name, arguments: '' } },
    { index: 0, function: { arguments: text.slice(0, half) } },
    { index: 0, function: { arguments: text.slice(half) } },
  ];
}

function answerWords(messages: readonly ChatMessage[]): string[] {
  const result = messages.findLast((m) => m.role === 'tool')?.content;
  const question = messages.findLast((m) => m.role === 'user')?.content ?? '';
  const text = result
    ? `The tool says: ${result.split('\n').filter(Boolean).slice(0, 2).join(' ')}`
    : `You asked: "${question}" This answer comes from a small fake model, word by word.`;
  return text.split(/(?<= )/);
}
