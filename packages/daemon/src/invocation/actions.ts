/**
 * The actions of plugins with what the daemon knows beyond the table: the record of a request, and how an answer is read. From both come
 * the dispatch routes, the validation of requests and answers, the OpenAPI document and the tests. Adding an action is a row here and there.
 */
import { type ActionName, type ActionRow, actionNames, actions } from '@plugin-daemon/plugin-host/actions';
import type { RecordType } from '@plugin-daemon/wire-schema';
import { agentMessages } from './answers/agent.ts';
import type { AnswerSpec } from './answers/answer.ts';
import { llmChunks } from './answers/llm.ts';
import * as model from './answers/models.ts';
import * as other from './answers/others.ts';
import { datasourceMessages, toolMessages } from './answers/tool.ts';
import * as models from './requests/models.ts';
import * as requests from './requests/others.ts';

export interface ActionSpec extends ActionRow {
  readonly action: ActionName;
  readonly request: RecordType;
  readonly answer: AnswerSpec;
}

const forms: Readonly<Record<ActionName, Pick<ActionSpec, 'request' | 'answer'>>> = {
  invoke_tool: { request: requests.InvokeTool, answer: toolMessages },
  validate_tool_credentials: { request: requests.ValidateToolCredentials, answer: other.toolCredentials },
  get_tool_runtime_parameters: { request: requests.GetToolRuntimeParameters, answer: other.runtimeParameters },
  invoke_agent_strategy: { request: requests.InvokeAgentStrategy, answer: agentMessages },
  invoke_llm: { request: models.InvokeLLM, answer: llmChunks },
  get_llm_num_tokens: { request: models.GetLLMNumTokens, answer: model.llmTokenCount },
  start_polling: { request: models.StartPolling, answer: model.polling },
  check_polling: { request: models.CheckPolling, answer: model.polling },
  invoke_text_embedding: { request: models.InvokeTextEmbedding, answer: model.textEmbedding },
  get_text_embedding_num_tokens: { request: models.GetTextEmbeddingNumTokens, answer: model.embeddingTokenCounts },
  invoke_multimodal_embedding: { request: models.InvokeMultimodalEmbedding, answer: model.multimodalEmbedding },
  invoke_rerank: { request: models.InvokeRerank, answer: model.reranked },
  invoke_multimodal_rerank: { request: models.InvokeMultimodalRerank, answer: model.multimodalReranked },
  invoke_tts: { request: models.InvokeTTS, answer: model.speech },
  get_tts_model_voices: { request: models.GetTTSModelVoices, answer: model.voices },
  invoke_speech2text: { request: models.InvokeSpeech2Text, answer: model.transcript },
  invoke_moderation: { request: models.InvokeModeration, answer: model.moderation },
  validate_provider_credentials: { request: models.ValidateProviderCredentials, answer: model.modelCredentials },
  validate_model_credentials: { request: models.ValidateModelCredentials, answer: model.modelCredentials },
  get_ai_model_schemas: { request: models.GetAIModelSchema, answer: model.modelSchema },
  get_authorization_url: { request: requests.OAuthGetAuthorizationURL, answer: other.authorizationUrl },
  get_credentials: { request: requests.OAuthGetCredentials, answer: other.oauthCredentials },
  refresh_credentials: { request: requests.OAuthRefreshCredentials, answer: other.refreshedCredentials },
  fetch_parameter_options: { request: requests.DynamicParameterSelect, answer: other.options },
  validate_datasource_credentials: {
    request: requests.ValidateDatasourceCredentials,
    answer: other.datasourceCredentials,
  },
  invoke_website_datasource_get_crawl: { request: requests.DatasourceGetWebsiteCrawl, answer: other.websiteCrawl },
  invoke_online_document_datasource_get_pages: {
    request: requests.DatasourceGetOnlineDocumentPages,
    answer: other.documentPages,
  },
  invoke_online_document_datasource_get_page_content: {
    request: requests.DatasourceGetContent,
    answer: datasourceMessages,
  },
  invoke_online_drive_browse_files: { request: requests.DatasourceBrowseFiles, answer: other.browsedFiles },
  invoke_online_drive_download_file: { request: requests.DatasourceDownloadFile, answer: datasourceMessages },
  invoke_trigger_event: { request: requests.TriggerInvokeEvent, answer: other.triggerVariables },
  validate_trigger_credentials: { request: requests.TriggerValidateCredentials, answer: other.triggerCredentials },
  dispatch_trigger_event: { request: requests.TriggerDispatchEvent, answer: other.dispatchedEvent },
  subscribe_trigger: { request: requests.TriggerSubscribe, answer: other.subscribed },
  unsubscribe_trigger: { request: requests.TriggerUnsubscribe, answer: other.unsubscribed },
  refresh_trigger: { request: requests.TriggerRefresh, answer: other.refreshed },
  invoke_endpoint: { request: requests.InvokeEndpoint, answer: other.endpointChunks },
};

const specOf = <N extends ActionName>(action: N) => ({ ...actions[action], action, ...forms[action] });

/** Actions with a dispatch route, in the order of the contract. */
export const dispatchActions: readonly (ActionSpec & { readonly path: string })[] = actionNames.flatMap((action) => {
  const spec: ActionSpec = specOf(action);
  return spec.path === undefined ? [] : [{ ...spec, path: spec.path }];
});

/** A webhook call; its route is `/e/{hook}`. */
export const invokeEndpoint: ActionSpec = specOf('invoke_endpoint');
