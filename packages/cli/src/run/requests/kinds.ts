/** What can be called, by kind. */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';

interface ModelKind {
  action: string;
  type: string;
  /** What a call takes by name; a language model also what its rules declare. */
  parameters: readonly string[];
}

export const MODEL_KINDS: Readonly<Record<string, ModelKind>> = {
  llm: {
    action: 'invoke_llm',
    type: 'llm',
    parameters: ['prompt', 'system', 'messages', 'stream', 'stop', 'tools'],
  },
  'text-embedding': {
    action: 'invoke_text_embedding',
    type: 'text-embedding',
    parameters: ['text', 'texts', 'input_type'],
  },
  rerank: { action: 'invoke_rerank', type: 'rerank', parameters: ['query', 'docs', 'score_threshold', 'top_n'] },
  tts: { action: 'invoke_tts', type: 'tts', parameters: ['text', 'voice'] },
  speech2text: { action: 'invoke_speech2text', type: 'speech2text', parameters: ['file'] },
  moderation: { action: 'invoke_moderation', type: 'moderation', parameters: ['text'] },
};

export const KINDS = [
  'tool',
  ...Object.keys(MODEL_KINDS),
  'agent-strategy',
  'endpoint',
  'datasource',
  'trigger',
  'event',
] as const;

/** Everything that can be called, for the answer to "what is there?". */
export function callables(declaration: PluginDeclaration): { kind: string; name: string; parameters: string[] }[] {
  const list: { kind: string; name: string; parameters: string[] }[] = [];
  const names = (parameters: readonly { name: string; type: string; required: boolean }[] | null): string[] =>
    (parameters ?? []).map((each) => `${each.name}${each.required ? '' : '?'}:${each.type}`);
  for (const tool of declaration.tool?.tools ?? [])
    list.push({ kind: 'tool', name: tool.identity.name, parameters: names(tool.parameters) });
  for (const model of declaration.model?.models ?? [])
    list.push({ kind: model.model_type, name: model.model, parameters: [] });
  for (const strategy of declaration.agent_strategy?.strategies ?? [])
    list.push({ kind: 'agent-strategy', name: strategy.identity.name, parameters: names(strategy.parameters) });
  for (const endpoint of declaration.endpoint?.endpoints ?? [])
    list.push({ kind: 'endpoint', name: `${endpoint.method} ${endpoint.path}`, parameters: [] });
  for (const datasource of declaration.datasource?.datasources ?? [])
    list.push({ kind: 'datasource', name: datasource.identity.name, parameters: names(datasource.parameters) });
  if (declaration.trigger !== undefined) {
    list.push({ kind: 'trigger', name: declaration.trigger.identity.name, parameters: ['body?:json'] });
    for (const event of declaration.trigger.events)
      list.push({ kind: 'event', name: event.identity.name, parameters: names(event.parameters) });
  }
  return list;
}
