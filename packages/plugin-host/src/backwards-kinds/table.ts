/**
 * The kinds of calls that plugins make back into Dify, who may make them and how the answer is framed
 * (docs/wire/runtime-protocol.md#kinds-and-permissions).
 */
import { type Right, rights } from './rights.ts';

export interface BackwardsKindRow {
  /** Absent: every plugin may. */
  readonly right?: Right;
  /** `frames`: any number of results, each a `stream` message. `json`: one result, a `struct` message. */
  readonly answer: 'frames' | 'json';
}

/** By the type of the call. */
export const backwardsKinds = {
  tool: { right: rights.tool, answer: 'frames' },
  llm: { right: rights.llm, answer: 'frames' },
  llm_structured_output: { right: rights.llm, answer: 'frames' },
  system_summary: { right: rights.llm, answer: 'json' },
  text_embedding: { right: rights.textEmbedding, answer: 'json' },
  multimodal_embedding: { right: rights.textEmbedding, answer: 'json' },
  rerank: { right: rights.rerank, answer: 'json' },
  multimodal_rerank: { right: rights.rerank, answer: 'json' },
  tts: { right: rights.tts, answer: 'frames' },
  speech2text: { right: rights.speech2text, answer: 'json' },
  moderation: { right: rights.moderation, answer: 'json' },
  app: { right: rights.app, answer: 'frames' },
  fetch_app: { right: rights.app, answer: 'json' },
  node_parameter_extractor: { right: rights.node, answer: 'json' },
  node_question_classifier: { right: rights.node, answer: 'json' },
  upload_file: { answer: 'json' },
  storage: { right: rights.storage, answer: 'json' },
} as const satisfies Readonly<Record<string, BackwardsKindRow>>;

export type BackwardsKind = keyof typeof backwardsKinds;
