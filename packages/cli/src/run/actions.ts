/** Every action a plugin can be asked for: its access type and its path below /v2/invoke/dispatch (docs/wire/cli.md#messages-in). */
export interface ActionRow {
  action: string;
  type: string;
  /** Undefined where the daemon offers no route. */
  path?: string;
  /** Left out of slim, which has no polling. */
  notInSlim?: true;
}

export const ACTIONS: readonly ActionRow[] = [
  { action: 'invoke_tool', type: 'tool', path: '/tool/invoke' },
  { action: 'validate_tool_credentials', type: 'tool', path: '/tool/validate_credentials' },
  { action: 'get_tool_runtime_parameters', type: 'tool', path: '/tool/get_runtime_parameters' },
  { action: 'invoke_llm', type: 'model', path: '/llm/invoke' },
  { action: 'get_llm_num_tokens', type: 'model', path: '/llm/num_tokens' },
  { action: 'start_polling', type: 'model', notInSlim: true },
  { action: 'check_polling', type: 'model', notInSlim: true },
  { action: 'invoke_text_embedding', type: 'model', path: '/text_embedding/invoke' },
  { action: 'invoke_multimodal_embedding', type: 'model', path: '/multimodal_embedding/invoke' },
  { action: 'get_text_embedding_num_tokens', type: 'model', path: '/text_embedding/num_tokens' },
  { action: 'invoke_rerank', type: 'model', path: '/rerank/invoke' },
  { action: 'invoke_multimodal_rerank', type: 'model', path: '/multimodal_rerank/invoke' },
  { action: 'invoke_tts', type: 'model', path: '/tts/invoke' },
  { action: 'get_tts_model_voices', type: 'model', path: '/tts/model/voices' },
  { action: 'invoke_speech2text', type: 'model', path: '/speech2text/invoke' },
  { action: 'invoke_moderation', type: 'model', path: '/moderation/invoke' },
  { action: 'validate_provider_credentials', type: 'model', path: '/model/validate_provider_credentials' },
  { action: 'validate_model_credentials', type: 'model', path: '/model/validate_model_credentials' },
  { action: 'get_ai_model_schemas', type: 'model', path: '/model/schema' },
  { action: 'invoke_agent_strategy', type: 'agent_strategy', path: '/agent_strategy/invoke' },
  { action: 'invoke_endpoint', type: 'endpoint', path: '/endpoint/invoke' },
  { action: 'get_authorization_url', type: 'oauth', path: '/oauth/get_authorization_url' },
  { action: 'get_credentials', type: 'oauth', path: '/oauth/get_credentials' },
  { action: 'refresh_credentials', type: 'oauth', path: '/oauth/refresh_credentials' },
  { action: 'validate_datasource_credentials', type: 'datasource', path: '/datasource/validate_credentials' },
  { action: 'invoke_website_datasource_get_crawl', type: 'datasource', path: '/datasource/get_website_crawl' },
  {
    action: 'invoke_online_document_datasource_get_pages',
    type: 'datasource',
    path: '/datasource/get_online_document_pages',
  },
  {
    action: 'invoke_online_document_datasource_get_page_content',
    type: 'datasource',
    path: '/datasource/get_online_document_page_content',
  },
  { action: 'invoke_online_drive_browse_files', type: 'datasource', path: '/datasource/online_drive_browse_files' },
  { action: 'invoke_online_drive_download_file', type: 'datasource', path: '/datasource/online_drive_download_file' },
  { action: 'fetch_parameter_options', type: 'dynamic_parameter', path: '/dynamic_select/fetch_parameter_options' },
  { action: 'invoke_trigger_event', type: 'trigger', path: '/trigger/invoke_event' },
  { action: 'dispatch_trigger_event', type: 'trigger', path: '/trigger/dispatch_event' },
  { action: 'subscribe_trigger', type: 'trigger', path: '/trigger/subscribe' },
  { action: 'unsubscribe_trigger', type: 'trigger', path: '/trigger/unsubscribe' },
  { action: 'refresh_trigger', type: 'trigger', path: '/trigger/refresh' },
  { action: 'validate_trigger_credentials', type: 'trigger', path: '/trigger/validate_credentials' },
];

export function actionRow(action: string): ActionRow | undefined {
  return ACTIONS.find((row) => row.action === action);
}

export const ACCESS_TYPES: readonly string[] = [...new Set(ACTIONS.map((row) => row.type))];
