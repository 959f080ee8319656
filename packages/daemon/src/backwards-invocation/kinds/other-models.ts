import { array, embed, int, number, oneOf, record, required, string } from '@plugin-daemon/wire-schema';
import { difyKind } from './kind.ts';
import { model } from './model.ts';

const MultimodalContent = record('MultimodalContent', {
  content: string('Content').check(required),
  content_type: string('ContentType')
    .called('model_entities.MultimodalContentType')
    .check(required, oneOf(['text', 'image'], 'multimodal_content_type')),
});

export const otherModelKinds = [
  difyKind({
    type: 'text_embedding',
    path: 'invoke/text-embedding',
    failure: 'invoke text-embedding model failed: ',
    request: record(
      'InvokeTextEmbeddingRequest',
      model,
      embed('InvokeTextEmbeddingSchema', {
        texts: array('Texts', string('')).check(required),
        input_type: string('InputType').check(required),
      }),
    ),
  }),
  difyKind({
    type: 'multimodal_embedding',
    path: 'invoke/multimodal-embedding',
    failure: 'invoke multimodal embedding model failed: ',
    request: record(
      'InvokeMultimodalEmbeddingRequest',
      model,
      embed('InvokeMultimodalEmbeddingSchema', {
        documents: array('Documents', MultimodalContent, { dive: true }).check(required),
        input_type: string('InputType').check(required, oneOf(['document', 'query'])),
      }),
    ),
  }),
  difyKind({
    type: 'rerank',
    path: 'invoke/rerank',
    failure: 'invoke rerank model failed: ',
    request: record(
      'InvokeRerankRequest',
      model,
      embed('InvokeRerankSchema', {
        query: string('Query').check(required),
        docs: array('Docs', string('')).check(required),
        score_threshold: number('ScoreThreshold'),
        top_n: int('TopN'),
      }),
    ),
  }),
  difyKind({
    type: 'multimodal_rerank',
    path: 'invoke/multimodal-rerank',
    failure: 'invoke multimodal rerank model failed: ',
    request: record(
      'InvokeMultimodalRerankRequest',
      model,
      embed('InvokeMultimodalRerankSchema', {
        query: { name: 'Query', record: MultimodalContent },
        docs: array('Docs', MultimodalContent, { dive: true }).check(required),
        score_threshold: number('ScoreThreshold'),
        top_n: int('TopN'),
      }),
    ),
  }),
  difyKind({
    type: 'tts',
    path: 'invoke/tts',
    failure: 'invoke tts model failed: ',
    readFailure: 'read tts model failed: ',
    request: record(
      'InvokeTTSRequest',
      model,
      embed('InvokeTTSSchema', {
        content_text: string('ContentText').check(required),
        voice: string('Voice').check(required),
      }),
    ),
  }),
  difyKind({
    type: 'speech2text',
    path: 'invoke/speech2text',
    failure: 'invoke speech2text model failed: ',
    request: record(
      'InvokeSpeech2TextRequest',
      model,
      embed('InvokeSpeech2TextSchema', { file: string('File').check(required) }),
    ),
  }),
  difyKind({
    type: 'moderation',
    path: 'invoke/moderation',
    failure: 'invoke moderation model failed: ',
    request: record(
      'InvokeModerationRequest',
      model,
      embed('InvokeModerationSchema', { text: string('Text').check(required) }),
    ),
  }),
];
