/**
 * `slim extract`: a plugin's schema without its texts for people, or the skeleton of the arguments of one action
 * (docs/wire/cli.md#extract).
 */
import { actionRow, isDirect } from '@plugin-daemon/plugin-host/actions';
import type { Json, PluginDeclaration } from '@plugin-daemon/plugin-package';
import { isObject } from '@plugin-daemon/values';
import { NIL_TENANT } from './input.ts';
import { SlimError } from './slim-error.ts';

const REMOVED = new Set([
  'background',
  'created_at',
  'description',
  'help',
  'human_description',
  'icon',
  'icon_dark',
  'icon_large',
  'icon_large_dark',
  'icon_small',
  'icon_small_dark',
  'label',
  'llm_description',
  'placeholder',
  'privacy',
  'repo',
  'tags',
  'verified',
  'verification',
]);

function empty(value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.keys(value).length === 0;
}

/** Without texts for people, and without what is empty; false and 0 stay. */
export function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean).filter((item) => !empty(item));
  if (!isObject(value)) return value;
  const entries = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    if (REMOVED.has(key)) return [];
    const cleaned = clean(item);
    return empty(cleaned) ? [] : [[key, cleaned]];
  });
  return Object.fromEntries(entries);
}

interface Parameter {
  name: string;
  type: string;
  default: Json;
  options: readonly { value: string }[] | null;
}

function fallback(parameter: Parameter): unknown {
  if (parameter.default !== null) return parameter.default;
  const [option] = parameter.options ?? [];
  if (option !== undefined) return option.value;
  switch (parameter.type) {
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'array':
    case 'files':
    case 'checkbox':
      return [];
    case 'object':
      return {};
    default:
      return '';
  }
}

const defaults = (parameters: readonly Parameter[] | null): Record<string, unknown> =>
  Object.fromEntries((parameters ?? []).map((parameter) => [parameter.name, fallback(parameter)]));
const missing = (what: string): SlimError => new SlimError('INVALID_INPUT', what);

function toolSkeleton(declaration: PluginDeclaration, action: string): Record<string, unknown> {
  const provider = declaration.tool;
  if (provider === undefined) throw missing('plugin has no tool provider');
  const base = { provider: provider.identity.name };
  if (action === 'validate_tool_credentials') return { ...base, credentials: {} };
  const [tool] = provider.tools;
  if (tool === undefined) throw missing('tool provider has no tools');
  if (action === 'get_tool_runtime_parameters') return { ...base, tool: tool.identity.name, credentials: {} };
  return { ...base, tool: tool.identity.name, tool_parameters: defaults(tool.parameters), credentials: {} };
}

const HELLO = [{ role: 'user', content: 'hello' }];
const DOCUMENT = { type: 'text', text: 'hello' };

/** What each model action wants beside provider, model and credentials, and the type of model it is for. */
const MODEL_ACTIONS: Readonly<Record<string, { type?: string; extra: Record<string, unknown> }>> = {
  invoke_llm: {
    type: 'llm',
    extra: { model_parameters: {}, prompt_messages: HELLO, tools: [], stop: [], stream: false },
  },
  get_llm_num_tokens: { type: 'llm', extra: { prompt_messages: HELLO, tools: [] } },
  invoke_text_embedding: { type: 'text-embedding', extra: { texts: ['hello'], input_type: 'query' } },
  get_text_embedding_num_tokens: { type: 'text-embedding', extra: { texts: ['hello'] } },
  invoke_multimodal_embedding: { type: 'text-embedding', extra: { documents: [DOCUMENT], input_type: 'query' } },
  invoke_rerank: { type: 'rerank', extra: { query: 'hello', docs: ['hello'] } },
  invoke_multimodal_rerank: { type: 'rerank', extra: { query: DOCUMENT, docs: [DOCUMENT] } },
  invoke_tts: { type: 'tts', extra: { content_text: 'hello', voice: 'alloy', tenant_id: NIL_TENANT } },
  get_tts_model_voices: { type: 'tts', extra: {} },
  invoke_speech2text: { type: 'speech2text', extra: { file: '' } },
  invoke_moderation: { type: 'moderation', extra: { text: 'hello' } },
  validate_model_credentials: { extra: {} },
  get_ai_model_schemas: { extra: {} },
};

function modelSkeleton(declaration: PluginDeclaration, action: string): Record<string, unknown> {
  const provider = declaration.model;
  if (provider === undefined) throw missing('plugin has no model provider');
  if (action === 'validate_provider_credentials') return { provider: provider.provider, credentials: {} };
  const row = MODEL_ACTIONS[action] ?? { extra: {} };
  // A provider without a model of the type shows how its first one would be asked.
  const model = provider.models.find((each) => each.model_type === row.type) ?? provider.models[0];
  if (model === undefined) throw missing(`model provider has no ${row.type ?? 'llm'} models`);
  return {
    provider: provider.provider,
    model: model.model,
    model_type: model.model_type,
    credentials: {},
    ...row.extra,
  };
}

function agentSkeleton(declaration: PluginDeclaration): Record<string, unknown> {
  const [strategy] = declaration.agent_strategy?.strategies ?? [];
  if (declaration.agent_strategy === undefined || strategy === undefined) throw missing('plugin has no agent strategy');
  return {
    agent_strategy_provider: declaration.agent_strategy.identity.name,
    agent_strategy: strategy.identity.name,
    agent_strategy_params: defaults(strategy.parameters),
  };
}

export function skeleton(declaration: PluginDeclaration, action: string): Record<string, unknown> {
  const row = actionRow(action);
  if (row?.type === 'tool') return toolSkeleton(declaration, action);
  if (row?.type === 'model' && isDirect(row)) return modelSkeleton(declaration, action);
  if (row?.type === 'agent_strategy') return agentSkeleton(declaration);
  throw new SlimError('UNKNOWN_ACTION', `unknown action: ${action}`);
}
