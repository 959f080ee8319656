/**
 * Every action a plugin can be asked for, as data: from this table come the dispatch routes, the validation of requests and answers,
 * the OpenAPI document and the tests (docs/wire/http-api.md#dispatch, docs/wire/runtime-protocol.md#actions). Adding an action is one row.
 */
import type { RecordType } from '@plugin-daemon/wire-schema';
import { agentMessages } from './answers/agent.ts';
import type { AnswerSpec } from './answers/answer.ts';
import { llmChunks } from './answers/llm.ts';
import * as model from './answers/models.ts';
import * as other from './answers/others.ts';
import { datasourceMessages, toolMessages } from './answers/tool.ts';
import * as models from './requests/models.ts';
import * as requests from './requests/others.ts';

export type AccessType =
  | 'tool'
  | 'model'
  | 'agent_strategy'
  | 'endpoint'
  | 'oauth'
  | 'datasource'
  | 'dynamic_parameter'
  | 'trigger';

export interface ActionSpec {
  /** Below `/dispatch`; undefined for actions without a route of their own. */
  readonly path?: string;
  readonly type: AccessType;
  readonly action: string;
  readonly request: RecordType;
  readonly answer: AnswerSpec;
  /** `stream`: many messages. `one`: Dify reads the first and leaves. `json`: a plain JSON answer. */
  readonly reply: 'stream' | 'one' | 'json';
  readonly summary: string;
}

type Row = readonly [
  path: string,
  type: AccessType,
  action: string,
  request: RecordType,
  answer: AnswerSpec,
  reply: ActionSpec['reply'],
  summary: string,
];

const rows: readonly Row[] = [
  ['/tool/invoke', 'tool', 'invoke_tool', requests.InvokeTool, toolMessages, 'stream', 'Invoke a tool'],
  [
    '/tool/validate_credentials',
    'tool',
    'validate_tool_credentials',
    requests.ValidateToolCredentials,
    other.toolCredentials,
    'one',
    'Validate the credentials of a tool provider',
  ],
  [
    '/tool/get_runtime_parameters',
    'tool',
    'get_tool_runtime_parameters',
    requests.GetToolRuntimeParameters,
    other.runtimeParameters,
    'one',
    'Parameters of a tool that depend on its credentials',
  ],
  [
    '/agent_strategy/invoke',
    'agent_strategy',
    'invoke_agent_strategy',
    requests.InvokeAgentStrategy,
    agentMessages,
    'stream',
    'Run an agent strategy',
  ],
  ['/llm/invoke', 'model', 'invoke_llm', models.InvokeLLM, llmChunks, 'stream', 'Invoke a large language model'],
  [
    '/llm/num_tokens',
    'model',
    'get_llm_num_tokens',
    models.GetLLMNumTokens,
    model.llmTokenCount,
    'one',
    'Count the tokens of prompt messages',
  ],
  [
    '/model/polling/start',
    'model',
    'start_polling',
    models.StartPolling,
    model.polling,
    'json',
    'Start a model call that is polled for',
  ],
  [
    '/model/polling/check',
    'model',
    'check_polling',
    models.CheckPolling,
    model.polling,
    'json',
    'Ask for the state of a polled model call',
  ],
  [
    '/text_embedding/invoke',
    'model',
    'invoke_text_embedding',
    models.InvokeTextEmbedding,
    model.textEmbedding,
    'one',
    'Embed texts',
  ],
  [
    '/text_embedding/num_tokens',
    'model',
    'get_text_embedding_num_tokens',
    models.GetTextEmbeddingNumTokens,
    model.embeddingTokenCounts,
    'one',
    'Count the tokens of texts',
  ],
  [
    '/multimodal_embedding/invoke',
    'model',
    'invoke_multimodal_embedding',
    models.InvokeMultimodalEmbedding,
    model.multimodalEmbedding,
    'one',
    'Embed texts and images',
  ],
  ['/rerank/invoke', 'model', 'invoke_rerank', models.InvokeRerank, model.reranked, 'one', 'Rerank documents'],
  [
    '/multimodal_rerank/invoke',
    'model',
    'invoke_multimodal_rerank',
    models.InvokeMultimodalRerank,
    model.multimodalReranked,
    'one',
    'Rerank texts and images',
  ],
  ['/tts/invoke', 'model', 'invoke_tts', models.InvokeTTS, model.speech, 'stream', 'Speak a text'],
  [
    '/tts/model/voices',
    'model',
    'get_tts_model_voices',
    models.GetTTSModelVoices,
    model.voices,
    'one',
    'Voices of a speech model',
  ],
  [
    '/speech2text/invoke',
    'model',
    'invoke_speech2text',
    models.InvokeSpeech2Text,
    model.transcript,
    'one',
    'Transcribe speech',
  ],
  [
    '/moderation/invoke',
    'model',
    'invoke_moderation',
    models.InvokeModeration,
    model.moderation,
    'one',
    'Moderate a text',
  ],
  [
    '/model/validate_provider_credentials',
    'model',
    'validate_provider_credentials',
    models.ValidateProviderCredentials,
    model.modelCredentials,
    'one',
    'Validate the credentials of a model provider',
  ],
  [
    '/model/validate_model_credentials',
    'model',
    'validate_model_credentials',
    models.ValidateModelCredentials,
    model.modelCredentials,
    'one',
    'Validate the credentials of one model',
  ],
  [
    '/model/schema',
    'model',
    'get_ai_model_schemas',
    models.GetAIModelSchema,
    model.modelSchema,
    'one',
    'Declaration of a customizable model',
  ],
  [
    '/oauth/get_authorization_url',
    'oauth',
    'get_authorization_url',
    requests.OAuthGetAuthorizationURL,
    other.authorizationUrl,
    'one',
    'Where to send a user for OAuth consent',
  ],
  [
    '/oauth/get_credentials',
    'oauth',
    'get_credentials',
    requests.OAuthGetCredentials,
    other.oauthCredentials,
    'one',
    'Credentials from an OAuth callback',
  ],
  [
    '/oauth/refresh_credentials',
    'oauth',
    'refresh_credentials',
    requests.OAuthRefreshCredentials,
    other.refreshedCredentials,
    'one',
    'Refresh OAuth credentials',
  ],
  [
    '/dynamic_select/fetch_parameter_options',
    'dynamic_parameter',
    'fetch_parameter_options',
    requests.DynamicParameterSelect,
    other.options,
    'one',
    'Options of a dynamic parameter',
  ],
  [
    '/datasource/validate_credentials',
    'datasource',
    'validate_datasource_credentials',
    requests.ValidateDatasourceCredentials,
    other.datasourceCredentials,
    'one',
    'Validate the credentials of a datasource provider',
  ],
  [
    '/datasource/get_website_crawl',
    'datasource',
    'invoke_website_datasource_get_crawl',
    requests.DatasourceGetWebsiteCrawl,
    other.websiteCrawl,
    'stream',
    'Crawl a website',
  ],
  [
    '/datasource/get_online_document_pages',
    'datasource',
    'invoke_online_document_datasource_get_pages',
    requests.DatasourceGetOnlineDocumentPages,
    other.documentPages,
    'stream',
    'List the pages of an online document service',
  ],
  [
    '/datasource/get_online_document_page_content',
    'datasource',
    'invoke_online_document_datasource_get_page_content',
    requests.DatasourceGetContent,
    datasourceMessages,
    'stream',
    'Content of an online document page',
  ],
  [
    '/datasource/online_drive_browse_files',
    'datasource',
    'invoke_online_drive_browse_files',
    requests.DatasourceBrowseFiles,
    other.browsedFiles,
    'stream',
    'Browse an online drive',
  ],
  [
    '/datasource/online_drive_download_file',
    'datasource',
    'invoke_online_drive_download_file',
    requests.DatasourceDownloadFile,
    datasourceMessages,
    'stream',
    'Download a file from an online drive',
  ],
  [
    '/trigger/invoke_event',
    'trigger',
    'invoke_trigger_event',
    requests.TriggerInvokeEvent,
    other.triggerVariables,
    'one',
    'Turn an event into variables',
  ],
  [
    '/trigger/validate_credentials',
    'trigger',
    'validate_trigger_credentials',
    requests.TriggerValidateCredentials,
    other.triggerCredentials,
    'one',
    'Validate the credentials of a trigger provider',
  ],
  [
    '/trigger/dispatch_event',
    'trigger',
    'dispatch_trigger_event',
    requests.TriggerDispatchEvent,
    other.dispatchedEvent,
    'one',
    'Dispatch a webhook to events',
  ],
  [
    '/trigger/subscribe',
    'trigger',
    'subscribe_trigger',
    requests.TriggerSubscribe,
    other.subscribed,
    'one',
    'Subscribe to a trigger',
  ],
  [
    '/trigger/unsubscribe',
    'trigger',
    'unsubscribe_trigger',
    requests.TriggerUnsubscribe,
    other.unsubscribed,
    'one',
    'Unsubscribe from a trigger',
  ],
  [
    '/trigger/refresh',
    'trigger',
    'refresh_trigger',
    requests.TriggerRefresh,
    other.refreshed,
    'one',
    'Refresh a subscription',
  ],
];

/** Actions with a dispatch route, in the order of the contract. */
export const dispatchActions: readonly (ActionSpec & { readonly path: string })[] = rows.map(
  ([path, type, action, request, answer, reply, summary]) => ({
    path,
    type,
    action,
    request,
    answer,
    reply,
    summary,
  }),
);

/** A webhook call; its route is `/e/{hook}`. */
export const invokeEndpoint: ActionSpec = {
  type: 'endpoint',
  action: 'invoke_endpoint',
  request: requests.InvokeEndpoint,
  answer: other.endpointChunks,
  reply: 'stream',
  summary: 'Answer a webhook',
};
