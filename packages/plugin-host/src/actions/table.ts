/**
 * Every action a plugin can be asked for, as data: from this table come the daemon's dispatch routes and their description, and what the
 * command line can call (docs/wire/http-api.md#dispatch, docs/wire/runtime-protocol.md#actions).
 */

export type AccessType =
  | 'tool'
  | 'model'
  | 'agent_strategy'
  | 'endpoint'
  | 'oauth'
  | 'datasource'
  | 'dynamic_parameter'
  | 'trigger';

export interface ActionRow {
  /** Below `/dispatch`; absent for actions without a route of their own. */
  readonly path?: string;
  readonly type: AccessType;
  /** `stream`: many messages. `one`: Dify reads the first and leaves. `json`: a plain JSON answer. */
  readonly reply: 'stream' | 'one' | 'json';
  readonly summary: string;
}

/** By name, in the order of the contract. A webhook's route is `/e/{hook}`. */
export const actions = {
  invoke_tool: { path: '/tool/invoke', type: 'tool', reply: 'stream', summary: 'Invoke a tool' },
  validate_tool_credentials: {
    path: '/tool/validate_credentials',
    type: 'tool',
    reply: 'one',
    summary: 'Validate the credentials of a tool provider',
  },
  get_tool_runtime_parameters: {
    path: '/tool/get_runtime_parameters',
    type: 'tool',
    reply: 'one',
    summary: 'Parameters of a tool that depend on its credentials',
  },
  invoke_agent_strategy: {
    path: '/agent_strategy/invoke',
    type: 'agent_strategy',
    reply: 'stream',
    summary: 'Run an agent strategy',
  },
  invoke_llm: { path: '/llm/invoke', type: 'model', reply: 'stream', summary: 'Invoke a large language model' },
  get_llm_num_tokens: {
    path: '/llm/num_tokens',
    type: 'model',
    reply: 'one',
    summary: 'Count the tokens of prompt messages',
  },
  start_polling: {
    path: '/model/polling/start',
    type: 'model',
    reply: 'json',
    summary: 'Start a model call that is polled for',
  },
  check_polling: {
    path: '/model/polling/check',
    type: 'model',
    reply: 'json',
    summary: 'Ask for the state of a polled model call',
  },
  invoke_text_embedding: { path: '/text_embedding/invoke', type: 'model', reply: 'one', summary: 'Embed texts' },
  get_text_embedding_num_tokens: {
    path: '/text_embedding/num_tokens',
    type: 'model',
    reply: 'one',
    summary: 'Count the tokens of texts',
  },
  invoke_multimodal_embedding: {
    path: '/multimodal_embedding/invoke',
    type: 'model',
    reply: 'one',
    summary: 'Embed texts and images',
  },
  invoke_rerank: { path: '/rerank/invoke', type: 'model', reply: 'one', summary: 'Rerank documents' },
  invoke_multimodal_rerank: {
    path: '/multimodal_rerank/invoke',
    type: 'model',
    reply: 'one',
    summary: 'Rerank texts and images',
  },
  invoke_tts: { path: '/tts/invoke', type: 'model', reply: 'stream', summary: 'Speak a text' },
  get_tts_model_voices: { path: '/tts/model/voices', type: 'model', reply: 'one', summary: 'Voices of a speech model' },
  invoke_speech2text: { path: '/speech2text/invoke', type: 'model', reply: 'one', summary: 'Transcribe speech' },
  invoke_moderation: { path: '/moderation/invoke', type: 'model', reply: 'one', summary: 'Moderate a text' },
  validate_provider_credentials: {
    path: '/model/validate_provider_credentials',
    type: 'model',
    reply: 'one',
    summary: 'Validate the credentials of a model provider',
  },
  validate_model_credentials: {
    path: '/model/validate_model_credentials',
    type: 'model',
    reply: 'one',
    summary: 'Validate the credentials of one model',
  },
  get_ai_model_schemas: {
    path: '/model/schema',
    type: 'model',
    reply: 'one',
    summary: 'Declaration of a customizable model',
  },
  get_authorization_url: {
    path: '/oauth/get_authorization_url',
    type: 'oauth',
    reply: 'one',
    summary: 'Where to send a user for OAuth consent',
  },
  get_credentials: {
    path: '/oauth/get_credentials',
    type: 'oauth',
    reply: 'one',
    summary: 'Credentials from an OAuth callback',
  },
  refresh_credentials: {
    path: '/oauth/refresh_credentials',
    type: 'oauth',
    reply: 'one',
    summary: 'Refresh OAuth credentials',
  },
  fetch_parameter_options: {
    path: '/dynamic_select/fetch_parameter_options',
    type: 'dynamic_parameter',
    reply: 'one',
    summary: 'Options of a dynamic parameter',
  },
  validate_datasource_credentials: {
    path: '/datasource/validate_credentials',
    type: 'datasource',
    reply: 'one',
    summary: 'Validate the credentials of a datasource provider',
  },
  invoke_website_datasource_get_crawl: {
    path: '/datasource/get_website_crawl',
    type: 'datasource',
    reply: 'stream',
    summary: 'Crawl a website',
  },
  invoke_online_document_datasource_get_pages: {
    path: '/datasource/get_online_document_pages',
    type: 'datasource',
    reply: 'stream',
    summary: 'List the pages of an online document service',
  },
  invoke_online_document_datasource_get_page_content: {
    path: '/datasource/get_online_document_page_content',
    type: 'datasource',
    reply: 'stream',
    summary: 'Content of an online document page',
  },
  invoke_online_drive_browse_files: {
    path: '/datasource/online_drive_browse_files',
    type: 'datasource',
    reply: 'stream',
    summary: 'Browse an online drive',
  },
  invoke_online_drive_download_file: {
    path: '/datasource/online_drive_download_file',
    type: 'datasource',
    reply: 'stream',
    summary: 'Download a file from an online drive',
  },
  invoke_trigger_event: {
    path: '/trigger/invoke_event',
    type: 'trigger',
    reply: 'one',
    summary: 'Turn an event into variables',
  },
  validate_trigger_credentials: {
    path: '/trigger/validate_credentials',
    type: 'trigger',
    reply: 'one',
    summary: 'Validate the credentials of a trigger provider',
  },
  dispatch_trigger_event: {
    path: '/trigger/dispatch_event',
    type: 'trigger',
    reply: 'one',
    summary: 'Dispatch a webhook to events',
  },
  subscribe_trigger: { path: '/trigger/subscribe', type: 'trigger', reply: 'one', summary: 'Subscribe to a trigger' },
  unsubscribe_trigger: {
    path: '/trigger/unsubscribe',
    type: 'trigger',
    reply: 'one',
    summary: 'Unsubscribe from a trigger',
  },
  refresh_trigger: { path: '/trigger/refresh', type: 'trigger', reply: 'one', summary: 'Refresh a subscription' },
  invoke_endpoint: { type: 'endpoint', reply: 'stream', summary: 'Answer a webhook' },
} as const satisfies Readonly<Record<string, ActionRow>>;

export type ActionName = keyof typeof actions;
