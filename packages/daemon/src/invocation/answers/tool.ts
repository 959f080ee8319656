/** Messages of tools, agents and datasources that answer like tools (docs/wire/http-api.md#tools-and-agents). */
import { standsAt } from '@plugin-daemon/plugin-host/text';
import { holds, nullable, object, oneOf, record, required, string } from '@plugin-daemon/wire-schema';
import { type AnswerReader, type AnswerSpec, isStringContent, readChecked } from './answer.ts';

export const MESSAGE_TYPES = [
  'text',
  'file',
  'blob',
  'blob_chunk',
  'json',
  'link',
  'image',
  'image_link',
  'binary_link',
  'variable',
  'log',
  'retriever_resources',
] as const;

const text = { type: 'string' } as const;
const textOrNull = { type: ['string', 'null'] } as const;
const whole = { type: 'integer' } as const;
const flag = { type: 'boolean' } as const;

/** By type: text, link, image: text · json: json_object · variable · blob · blob_chunk: id to end · log: id to error · the rest. */
const content = holds({
  description: 'Its members depend on the type.',
  properties: {
    text,
    json_object: {},
    variable_name: text,
    variable_value: {},
    stream: flag,
    blob: { ...text, description: 'base64' },
    id: text,
    sequence: whole,
    total_length: whole,
    end: flag,
    label: text,
    parent_id: textOrNull,
    status: text,
    data: {},
    metadata: {},
    error: textOrNull,
    retriever_resources: {},
    context: textOrNull,
  },
});

const message = (name: string, tag: string, typeName: string, embedded: readonly string[] = []) =>
  record(embedded.length === 0 ? name : [name, ...embedded].join('.'), {
    type: string('Type').check(required, oneOf(MESSAGE_TYPES, tag)).called(typeName),
    message: nullable(object('Message')).check(content),
    meta: nullable(object('Meta')).check(holds({ properties: { mime_type: text, filename: textOrNull } })),
  });

const TEXT_HEAD = '{"type":"text","message":{"text":"';
const TEXT_TAIL = '"},"meta":null}';

/** The usual text message needs no decoding: it is complete, and the check of its text says that it is what it seems. */
function isUsualText(json: string): boolean {
  return (
    standsAt(json, TEXT_HEAD, 0) &&
    standsAt(json, TEXT_TAIL, json.length - TEXT_TAIL.length) &&
    isStringContent(json, TEXT_HEAD.length, json.length - TEXT_TAIL.length)
  );
}

function like(type: ReturnType<typeof message>, typeName: string): AnswerSpec {
  return {
    record: type,
    reader: (): AnswerReader => (json) => (isUsualText(json) ? json : readChecked(type, json, { typeName })),
  };
}

export const toolMessages: AnswerSpec = like(
  message('ToolResponseChunk', 'is_valid_tool_response_chunk_type', 'tool_entities.ToolResponseChunkType'),
  'tool_entities.ToolResponseChunk',
);

export const agentMessage = message(
  'AgentStrategyResponseChunk',
  'is_valid_tool_response_chunk_type',
  'tool_entities.ToolResponseChunkType',
  ['ToolResponseChunk'],
);

export const datasourceMessages: AnswerSpec = like(
  message(
    'DataSourceResponseChunk',
    'is_valid_data_source_response_chunk_type',
    'datasource_entities.DataSourceResponseChunkType',
  ),
  'datasource_entities.DataSourceResponseChunk',
);
