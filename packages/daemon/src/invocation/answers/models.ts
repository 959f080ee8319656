/** Answers of the other model calls (docs/wire/http-api.md#models). */

import { decodeModelDeclaration } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import {
  any,
  array,
  boolean,
  decimal,
  decodeStrict,
  int,
  nested,
  nullable,
  number,
  object,
  required,
  string,
} from '@plugin-daemon/wire-schema';
import { type AnswerSpec, checked, encodeAnswer, fromLatin1, parseJson, unmarshalError } from './answer.ts';
import { present } from './llm.ts';
import { modelRecord } from './model-record.ts';

const EmbeddingUsage = modelRecord('EmbeddingUsage', {
  tokens: nullable(int('Tokens')).check(present()),
  total_tokens: nullable(int('TotalTokens')).check(present()),
  unit_price: decimal('UnitPrice'),
  price_unit: decimal('PriceUnit'),
  total_price: decimal('TotalPrice'),
  currency: nullable(string('Currency')).check(present()),
  latency: nullable(number('Latency')).check(present()),
});

const embeddings = (name: string) =>
  modelRecord(name, {
    model: string('Model').check(required),
    embeddings: array('Embeddings', array('', number(''))).check(required),
    usage: nested('Usage', EmbeddingUsage),
  });
export const textEmbedding = checked(embeddings('TextEmbeddingResult'));
export const multimodalEmbedding = checked(embeddings('MultimodalEmbeddingResult'));

const rerank = (name: string, document: string) =>
  modelRecord(name, {
    model: string('Model').check(required),
    docs: array(
      'Docs',
      modelRecord(document, {
        index: nullable(int('Index')).check(present()),
        text: nullable(string('Text')).check(present()),
        score: nullable(number('Score')).check(present()),
      }),
      { dive: true },
    ).check(required),
  });
export const reranked = checked(rerank('RerankResult', 'RerankDocument'));
export const multimodalReranked = checked(rerank('MultimodalRerankResult', 'MultimodalRerankDocument'));

export const llmTokenCount = checked(modelRecord('LLMGetNumTokensResponse', { num_tokens: int('NumTokens') }));
export const embeddingTokenCounts = checked(
  modelRecord('GetTextEmbeddingNumTokensResponse', { num_tokens: array('NumTokens', int('')).check(required) }),
);
export const speech = checked(
  modelRecord('TTSResult', { result: string('Result'), mime_type: string('MimeType').omit() }),
);
export const voices = checked(
  modelRecord('GetTTSVoicesResponse', {
    voices: array(
      'Voices',
      modelRecord('TTSModelVoice', { name: string('Name').check(required), value: string('Value').check(required) }),
      { dive: true },
    ).check(required),
  }),
);
export const transcript = checked(modelRecord('Speech2TextResult', { result: string('Result') }));
export const moderation = checked(modelRecord('ModerationResult', { result: boolean('Result') }));
export const modelCredentials = checked(
  modelRecord('ValidateCredentialsResult', { result: boolean('Result'), credentials: nullable(object('Credentials')) }),
);

const ModelSchema = modelRecord('GetModelSchemasResponse', { model_schema: any('ModelSchema') });

/**
 * A model declaration is completed from its templates and checked as those in packages are
 * (docs/wire/packages.md#model-rules-and-templates).
 */
export const modelSchema: AnswerSpec = {
  record: ModelSchema,
  reader: () => (json) => {
    const parsed = parseJson(fromLatin1(json));
    if (parsed === undefined) return undefined;
    const decoded = decodeStrict(ModelSchema, parsed.value);
    if (!decoded.ok) return unmarshalError(decoded.error);
    const { value } = decoded;
    if (value.model_schema === null) return encodeAnswer(value);
    try {
      const schema = decodeModelDeclaration(value.model_schema, MODEL_SCHEMA_NAMES);
      return encodeAnswer({ ...value, model_schema: schema });
    } catch (error) {
      return unmarshalError(messageOf(error));
    }
  },
};

const MODEL_SCHEMA_NAMES = {
  inRules: 'GetModelSchemasResponse.ModelSchema',
  inJson: 'GetModelSchemasResponse.model_schema',
};

const POLLING_STATUS = ['running', 'succeeded', 'failed'];
const Polling = modelRecord('ModelPollingResult', {
  status: string('Status')
    .called('model_entities.PollingStatus')
    .check(required, {
      tag: 'oneof',
      ok: (s) => POLLING_STATUS.includes(String(s)),
      schema: { enum: POLLING_STATUS },
    }),
  plugin_state: object('PluginState').omit(),
  result: any('Result').omit(),
  error: string('Error').omit(),
  next_check_after_seconds: nullable(int('NextCheckAfterSeconds')).omit(),
  expires_after_seconds: nullable(int('ExpiresAfterSeconds')).omit(),
  max_attempts: nullable(int('MaxAttempts')).omit(),
});

/** What each status needs, with the tag upstream reports. */
const pollingNeeds = [
  {
    status: 'running',
    field: 'PluginState',
    tag: 'required_for_running',
    has: (v: { plugin_state?: unknown }) => v.plugin_state !== undefined,
  },
  {
    status: 'succeeded',
    field: 'Result',
    tag: 'required_for_succeeded',
    has: (v: { result?: unknown }) => v.result !== undefined && v.result !== null,
  },
  {
    status: 'failed',
    field: 'Error',
    tag: 'required_for_failed',
    has: (v: { error?: string | undefined }) => (v.error ?? '').trim() !== '',
  },
] as const;

export const polling = checked(Polling, {
  declaredOnly: true,
  refine: (value) => {
    const need = pollingNeeds.find((n) => n.status === value.status);
    if (need !== undefined && !need.has(value)) {
      const key = { PluginState: 'plugin_state', Result: 'result', Error: 'error' }[need.field];
      return {
        error: `Key: 'ModelPollingResult.${key}' Error:Field validation for '${key}' failed on the '${need.tag}' tag`,
      };
    }
    return undefined;
  },
});
