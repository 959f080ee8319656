/** LLM chunks (docs/wire/http-api.md#models, docs/wire/runtime-protocol.md#llm-chunks). */

import type { SessionError } from '@plugin-daemon/plugin-host/errors';
import { findMember } from '@plugin-daemon/plugin-host/json';
import { standsAt } from '@plugin-daemon/plugin-host/text';
import {
  any,
  array,
  decimal,
  decodeStrict,
  formatViolations,
  inPackage,
  int,
  nested,
  nullable,
  number,
  oneOf,
  record,
  required,
  string,
  validate,
} from '@plugin-daemon/wire-schema';
import {
  type AnswerReader,
  type AnswerSpec,
  encodeAnswer,
  fromLatin1,
  hasSurrogates,
  isStringContent,
  parseJson,
  unmarshalError,
} from './answer.ts';
import { MODELS, modelRecord } from './model-record.ts';

export const LLMUsage = modelRecord('LLMUsage', {
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

const ROLES = ['system', 'user', 'assistant', 'tool', 'developer'];
const PART_TYPES = ['text', 'image', 'audio', 'video', 'document'];
/** A message decodes itself at upstream, so its fields are said to belong to what holds it. */
const IN_MESSAGE = { fieldsOf: 'LLMResultChunkDelta' };

const ToolCall = inPackage(
  MODELS,
  record('PromptMessageToolCall', {
    id: string('ID'),
    type: string('Type'),
    function: nested(
      'Function',
      inPackage(MODELS, record('Function', { name: string('Name'), arguments: string('Arguments') }), IN_MESSAGE),
    ).called('struct { Name string "json:\\"name\\""; Arguments string "json:\\"arguments\\"" }'),
  }),
  IN_MESSAGE,
);

const Message = inPackage(
  MODELS,
  record('PromptMessage', {
    role: string('Role')
      .check(required, oneOf(ROLES, 'prompt_message_role'))
      .called('model_entities.PromptMessageRole'),
    content: any('Content').check(present(), {
      tag: 'prompt_message_content',
      ok: (content) => !Array.isArray(content) || content.every(isKnownPart),
      schema: {
        anyOf: [
          { type: 'string' },
          { type: 'array', items: { type: 'object', properties: { type: { enum: PART_TYPES } }, required: ['type'] } },
        ],
      },
    }),
    name: string('Name'),
    tool_calls: array('ToolCalls', ToolCall),
    tool_call_id: string('ToolCallId'),
  }),
  { ...IN_MESSAGE, typeName: 'promptMessageJSON' },
);

const Chunk = modelRecord('LLMResultChunk', {
  model: string('Model').check(required).called('model_entities.LLMModel'),
  system_fingerprint: string('SystemFingerprint'),
  delta: nested(
    'Delta',
    modelRecord('LLMResultChunkDelta', {
      index: nullable(int('Index')).check(present()),
      message: nested('Message', Message),
      usage: nullable(nested('Usage', LLMUsage)),
      finish_reason: nullable(string('FinishReason')),
    }),
  ),
});

const isKnownPart = (part: unknown): boolean =>
  typeof part === 'object' && part !== null && 'type' in part && PART_TYPES.includes(String(part.type));

/** A presence check: 0 and '' pass (docs/wire/http-api.md#models). */
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
  if (!standsAt(json, head, 0)) return undefined;
  digits.lastIndex = head.length;
  if (!digits.test(json)) return undefined;
  const afterIndex = digits.lastIndex;
  if (!standsAt(json, middle, afterIndex)) return undefined;
  const contentAt = afterIndex + middle.length;
  const contentEnd = json.length - tail.length;
  if (contentEnd < contentAt || !standsAt(json, tail, contentEnd)) return undefined;
  if (!isStringContent(json, contentAt, contentEnd)) return undefined;
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
  const decoded = decodeStrict(Chunk, parsed.value);
  if (!decoded.ok) return unmarshalError(decoded.error);
  const { value } = decoded;
  const { message } = value.delta;
  const wrong = hasMessage(parsed.value) ? messageProblem(message) : undefined;
  if (wrong !== undefined) return unmarshalError(wrong);
  const violations = validate(Chunk, value);
  if (violations.length > 0) return unmarshalError(formatViolations(violations));
  // Old Dify versions need the list, all need tool_calls to be one (docs/wire/http-api.md#models); neither is ever read by new ones.
  const complete =
    'prompt_messages' in value && Array.isArray(value.prompt_messages) && value.prompt_messages.length === 0;
  const listed = Array.isArray(message.tool_calls);
  if (!decoded.altered && complete && listed && !hasSurrogates(json)) return json;
  if (!listed) message.tool_calls = [];
  return encodeAnswer({ ...value, prompt_messages: [] });
}

/** Whether there is a message to decode; without one, only the rules speak. */
function hasMessage(chunk: unknown): boolean {
  const delta = typeof chunk === 'object' && chunk !== null && 'delta' in chunk ? chunk.delta : undefined;
  return typeof delta === 'object' && delta !== null && 'message' in delta;
}

function messageProblem(message: { readonly role: string; readonly content: unknown }): string | undefined {
  if (message.role === '') return 'role field is required';
  if (message.content === null || message.content === undefined) return 'content field is required';
  if (Array.isArray(message.content)) return partProblem(message.content);
  if (typeof message.content !== 'string') return 'content must be a string or an array of prompt message content';
  return undefined;
}

/** Parts are passed on as they are: of a field that was filled in, the receiver could not tell that it was not there. */
function partProblem(parts: readonly unknown[]): string | undefined {
  for (const part of parts) {
    const decoded = decodeStrict(MessagePart, { message: part });
    if (!decoded.ok) return decoded.error;
  }
  return undefined;
}

const MessagePart = record('LLMResultChunkDelta.delta', {
  message: nested(
    'Message',
    inPackage(
      MODELS,
      record('PromptMessageContent', {
        type: string('Type').called('model_entities.PromptMessageContentType'),
        ...Object.fromEntries(
          ['base64_data', 'url', 'data', 'encode_format', 'format', 'mime_type', 'detail', 'filename'].map((key) => [
            key,
            string(key),
          ]),
        ),
      }),
      { fieldsOf: 'LLMResultChunkDelta.delta' },
    ),
  ),
});

export const llmChunks: AnswerSpec = { record: Chunk, reader };
