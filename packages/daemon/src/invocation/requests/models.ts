/** Requests of model calls (docs/wire/http-api.md#models). */
import {
  array,
  embed,
  int,
  min,
  nested,
  number,
  object,
  oneOf,
  record,
  required,
  string,
} from '@plugin-daemon/wire-schema';
import { baseModel, credentials, llmFields, MultimodalContent, modelType, PromptMessageTool } from './common.ts';
import { checkedMessages } from './prompt-messages.ts';

export const InvokeLLM = record('RequestInvokeLLM', baseModel(), credentials(), llmFields(), modelType('llm'));

export const GetLLMNumTokens = record('RequestGetLLMNumTokens', baseModel(), credentials(), modelType('llm'), {
  prompt_messages: checkedMessages(),
  tools: array('Tools', PromptMessageTool, { dive: true }),
});

export const StartPolling = record(
  'RequestStartPolling',
  ...inside('RequestInvokeLLM', baseModel(), credentials(), llmFields(), embed('', modelType('llm'))),
);

export const CheckPolling = record('RequestCheckPolling', baseModel(), credentials(), modelType('llm'), {
  plugin_state: object('PluginState').check(required, min(1)),
});

export const InvokeTextEmbedding = record(
  'RequestInvokeTextEmbedding',
  baseModel(),
  credentials(),
  embed('InvokeTextEmbeddingSchema', {
    texts: array('Texts', string('')).check(required),
    input_type: string('InputType').check(required).describe('`document` or `query`.'),
  }),
  modelType('text-embedding'),
);

export const GetTextEmbeddingNumTokens = record(
  'RequestGetTextEmbeddingNumTokens',
  baseModel(),
  credentials(),
  modelType('text-embedding'),
  {
    texts: array('Texts', string('')).check(required),
  },
);

export const InvokeMultimodalEmbedding = record(
  'RequestInvokeMultimodalEmbedding',
  baseModel(),
  credentials(),
  embed('InvokeMultimodalEmbeddingSchema', {
    documents: array('Documents', MultimodalContent, { dive: true }).check(required),
    input_type: string('InputType').check(required, oneOf(['document', 'query'])),
  }),
  { model_type: string('ModelType').check(required) },
);

const rerankLimits = { score_threshold: number('ScoreThreshold'), top_n: int('TopN') };

export const InvokeRerank = record(
  'RequestInvokeRerank',
  baseModel(),
  credentials(),
  embed('InvokeRerankSchema', {
    query: string('Query').check(required),
    docs: array('Docs', string('')).check(required),
    ...rerankLimits,
  }),
  modelType('rerank'),
);

export const InvokeMultimodalRerank = record(
  'RequestInvokeMultimodalRerank',
  baseModel(),
  credentials(),
  embed('InvokeMultimodalRerankSchema', {
    query: nested('Query', MultimodalContent),
    docs: array('Docs', MultimodalContent, { dive: true }).check(required),
    ...rerankLimits,
  }),
  { model_type: string('ModelType').check(required) },
);

export const InvokeTTS = record(
  'RequestInvokeTTS',
  baseModel(),
  credentials(),
  embed('InvokeTTSSchema', {
    content_text: string('ContentText').check(required),
    voice: string('Voice').check(required),
    tenant_id: string('TenantID').check(required),
  }),
  modelType('tts'),
);

export const GetTTSModelVoices = record('RequestGetTTSModelVoices', baseModel(), credentials(), modelType('tts'), {
  language: string('Language'),
});

export const InvokeSpeech2Text = record(
  'RequestInvokeSpeech2Text',
  baseModel(),
  credentials(),
  embed('InvokeSpeech2TextSchema', { file: string('File').check(required).describe('Audio, hex-encoded.') }),
  modelType('speech2text'),
);

export const InvokeModeration = record(
  'RequestInvokeModeration',
  baseModel(),
  credentials(),
  embed('InvokeModerationSchema', { text: string('Text').check(required) }),
  modelType('moderation'),
);

export const ValidateProviderCredentials = record('RequestValidateProviderCredentials', credentials(), {
  provider: string('Provider').check(required),
});
export const ValidateModelCredentials = record(
  'RequestValidateModelCredentials',
  baseModel(),
  credentials(),
  modelType(),
);
export const GetAIModelSchema = record('RequestGetAIModelSchema', baseModel(), credentials(), modelType());

/** The parts of a record that is embedded as a whole: its name stands in front of theirs in messages. */
function inside<const P extends readonly { readonly embedded: string }[]>(name: string, ...parts: P): P {
  // Only the path changes; the shapes, which are what the type speaks of, stay.
  return parts.map((part) => ({
    ...part,
    embedded: part.embedded === '' ? name : `${name}.${part.embedded}`,
  })) as unknown as P;
}
