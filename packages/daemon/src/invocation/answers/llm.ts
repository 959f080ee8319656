/** LLM chunks (http-api §6.2, runtime-protocols §2.2). */
import {
  any,
  decimal,
  decodeStrict,
  formatViolations,
  int,
  nested,
  nullable,
  number,
  record,
  required,
  string,
  validate,
} from '@plugin-daemon/wire-schema';
import type { SessionError } from '../../errors/index.ts';
import { findMember } from '../../json/slice.ts';
import { toLatin1 } from '../../runtimes/protocol/line-safety.ts';
import {
  type AnswerReader,
  type AnswerSpec,
  fromLatin1,
  isStringContent,
  parseJson,
  unmarshalError,
} from './answer.ts';

export const LLMUsage = record('LLMUsage', {
  prompt_tokens: nullable(int('PromptTokens')).check(present()),
  prompt_unit_price: decimal('PromptUnitPrice'),
  prompt_price_unit: decimal('PromptPriceUnit'),
  prompt_price: decimal('PromptPrice'),
  completion_tokens: nullable(int('CompletionTokens')).check(present()),
  completion_unit_price: decimal('CompletionUnitPrice'),
  completion_price_unit: decimal('CompletionPriceUnit'),
  completion_price: decimal('CompletionPrice'),
  total_tokens: nullable(int('TotalTokens')).check(present()),
  total_price: decimal('TotalPrice'),
  currency: nullable(string('Currency')).check(present()),
  latency: nullable(number('Latency')).check(present()),
});

const Message = record('PromptMessage', {
  role: string('Role').called('model_entities.PromptMessageRole'),
  content: any('Content'),
  name: string('Name'),
  tool_calls: any('ToolCalls'),
  tool_call_id: string('ToolCallId'),
});

const Chunk = record('LLMResultChunk', {
  model: string('Model').check(required).called('model_entities.LLMModel'),
  system_fingerprint: string('SystemFingerprint'),
  delta: nested(
    'Delta',
    record('LLMResultChunkDelta', {
      index: nullable(int('Index')).check(present()),
      message: nested('Message', Message),
      usage: nullable(nested('Usage', LLMUsage)),
      finish_reason: nullable(string('FinishReason')),
    }),
  ),
});

/** A presence check: 0 and '' pass (http-api §6.2). */
export function present() {
  return { tag: 'required', ok: (value: unknown) => value !== null && value !== undefined, presence: true };
}

/** What differs between the chunks of one answer: a number and a text. All else stays, so its form is decided once. */
interface Pattern {
  readonly seen: readonly [string, string, string];
  readonly sent: readonly [string, string, string];
}

const digits = /\d{1,15}/y;

function reader(): AnswerReader {
  let pattern: Pattern | undefined;
  return (json) => {
    const quick = pattern === undefined ? undefined : apply(pattern, json);
    if (quick !== undefined) return quick;
    const out = readOrdinary(json);
    if (typeof out === 'string') pattern = learn(json, out);
    return out;
  };
}

/** Rewrites a chunk of known form; undefined if it differs in more than index and content. */
function apply({ seen: [head, middle, tail], sent }: Pattern, json: string): string | undefined {
  if (!json.startsWith(head)) return undefined;
  digits.lastIndex = head.length;
  if (!digits.test(json)) return undefined;
  const afterIndex = digits.lastIndex;
  if (!json.startsWith(middle, afterIndex)) return undefined;
  const contentAt = afterIndex + middle.length;
  const contentEnd = json.length - tail.length;
  if (contentEnd < contentAt || !json.endsWith(tail) || !isStringContent(json, contentAt, contentEnd)) return undefined;
  return sent[0] + json.slice(head.length, afterIndex) + sent[1] + json.slice(contentAt, contentEnd) + sent[2];
}

/** Cuts a chunk and its output at index and content; undefined where they are not in this order or not a plain number and text. */
function learn(json: string, out: string): Pattern | undefined {
  const seen = cut(json);
  const sent = cut(out);
  return seen === undefined || sent === undefined ? undefined : { seen, sent };
}

function cut(json: string): readonly [string, string, string] | undefined {
  const delta = findMember(json, 'delta');
  if (delta === undefined) return undefined;
  const index = findMember(json.slice(0, delta.end), 'index', delta.start);
  const message = findMember(json.slice(0, delta.end), 'message', delta.start);
  if (index === undefined || message === undefined || message.start < index.end) return undefined;
  const content = findMember(json.slice(0, message.end), 'content', message.start);
  if (content === undefined || json.charAt(content.start) !== '"' || !/^\d+$/.test(json.slice(index.start, index.end)))
    return undefined;
  return [json.slice(0, index.start), json.slice(index.end, content.start + 1), json.slice(content.end - 1)];
}

function readOrdinary(json: string): string | SessionError | undefined {
  const parsed = parseJson(fromLatin1(json));
  if (parsed === undefined) return undefined;
  const decoded = decodeStrict(Chunk, parsed.value, 'model_entities.LLMResultChunk');
  if (!decoded.ok) return unmarshalError(decoded.error);
  const { value } = decoded;
  const { message } = value.delta;
  const wrong = messageProblem(message);
  if (wrong !== undefined) return unmarshalError(wrong);
  const violations = validate(Chunk, value);
  if (violations.length > 0) return unmarshalError(formatViolations(violations));
  // Old Dify versions need the list, all need tool_calls to be one (quirk 28); neither is ever read by new ones.
  const complete =
    'prompt_messages' in value && Array.isArray(value.prompt_messages) && value.prompt_messages.length === 0;
  const listed = Array.isArray(message.tool_calls);
  if (!decoded.altered && complete && listed) return json;
  if (!listed) message.tool_calls = [];
  return toLatin1(JSON.stringify({ ...value, prompt_messages: [] }));
}

function messageProblem(message: { readonly role: string; readonly content: unknown }): string | undefined {
  if (message.role === '') return 'role field is required';
  if (message.content === null || message.content === undefined) return 'content field is required';
  if (typeof message.content !== 'string' && !Array.isArray(message.content))
    return 'content must be a string or an array of prompt message content';
  return undefined;
}

export const llmChunks: AnswerSpec = { record: Chunk, reader };
