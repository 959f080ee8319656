/** Calls of models. */
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { CliError, usageError } from '../../errors.ts';
import type { CallSpec, Inputs } from './call.ts';
import { MODEL_KINDS } from './kinds.ts';
import { convertAll, pick, refuseOthers } from './parameters.ts';
import { convert, fileBytes, fileText, parseJson } from './values.ts';

export function modelRequest(
  declaration: PluginDeclaration,
  kind: string,
  name: string | undefined,
  { params, credentials }: Inputs,
): CallSpec {
  const row = MODEL_KINDS[kind];
  const provider = declaration.model;
  if (row === undefined || provider === undefined) throw new CliError('not-declared', `the plugin has no ${kind}`);
  const models = provider.models.filter((model) => model.model_type === row.type);
  // A model that is typed in by name need not be declared.
  const customizable = provider.configurate_methods?.includes('customizable-model') === true;
  const declared =
    name !== undefined && customizable && !models.some((model) => model.model === name)
      ? undefined
      : pick(models, (model) => model.model, name, kind);
  const model = declared?.model ?? name ?? '';
  const base = { provider: provider.provider, model, model_type: row.type, credentials };
  const own = (key: string, fallback: string): string => {
    const value = params.get(key) ?? fallback;
    return value.startsWith('@') ? fileText(value) : value;
  };
  const list = (key: string, fallback: string): unknown => {
    const value = params.get(key) ?? fallback;
    return value.startsWith('[') || value.startsWith('@') ? parseJson(value, `parameter ${key}`) : [value];
  };
  const label = `${kind} ${model}`;
  const request: Record<string, unknown> = { ...base };
  const takes = row.parameters;
  if (row.type !== 'llm') refuseOthers([...params.keys()], takes, label);
  switch (row.type) {
    case 'llm': {
      const rest = new Map([...params].filter(([key]) => !takes.includes(key)));
      const messages = params.has('messages')
        ? parseJson(params.get('messages') ?? '', 'parameter messages')
        : [
            ...(params.has('system') ? [{ role: 'system', content: own('system', '') }] : []),
            { role: 'user', content: own('prompt', 'hello') },
          ];
      const rules = (declared?.parameter_rules ?? []).map((rule) => ({
        name: rule.name,
        type: rule.type === 'int' || rule.type === 'float' ? 'number' : (rule.type ?? 'string'),
        required: rule.required,
        options: rule.options,
      }));
      const free = rules.length === 0 && declared === undefined;
      const model_parameters = free
        ? Object.fromEntries([...rest].map(([key, value]) => [key, convert(key, 'any', value)]))
        : convertAll(rules, rest, label, takes);
      Object.assign(request, {
        model_parameters,
        prompt_messages: messages,
        tools: params.has('tools') ? list('tools', '[]') : [],
        stop: params.has('stop') ? list('stop', '[]') : [],
        stream: convert('stream', 'boolean', params.get('stream') ?? 'true'),
      });
      return { type: 'model', action: row.action, request, label };
    }
    case 'text-embedding':
      Object.assign(request, {
        texts: params.has('texts') ? list('texts', '[]') : list('text', 'hello'),
        input_type: own('input_type', 'document'),
      });
      break;
    case 'rerank':
      Object.assign(request, {
        query: own('query', 'hello'),
        docs: list('docs', 'hello'),
        score_threshold: params.has('score_threshold')
          ? convert('score_threshold', 'number', params.get('score_threshold') ?? '')
          : null,
        top_n: params.has('top_n') ? convert('top_n', 'number', params.get('top_n') ?? '') : null,
      });
      break;
    case 'tts': {
      const properties = declared?.model_properties ?? {};
      const voice = typeof properties.default_voice === 'string' ? properties.default_voice : '';
      Object.assign(request, {
        content_text: own('text', 'hello'),
        voice: own('voice', voice),
        tenant_id: '00000000-0000-0000-0000-000000000000',
      });
      break;
    }
    case 'speech2text': {
      const file = params.get('file');
      if (file === undefined) throw usageError('speech2text needs a recording', 'add -p file=@recording.mp3');
      request.file = file.startsWith('@') ? fileBytes(file).toString('hex') : file;
      break;
    }
    default:
      request.text = own('text', 'hello');
  }
  return { type: 'model', action: row.action, request, label };
}
