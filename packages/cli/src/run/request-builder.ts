/**
 * Requests from a declaration and `name=value` texts: every value becomes what its declared type says, and what is
 * missing or not allowed is said with the choices.
 */

import { actionRow } from '@plugin-daemon/plugin-host/actions';
import type { Json, PluginDeclaration } from '@plugin-daemon/plugin-package';
import { isObject, messageOf } from '@plugin-daemon/values';
import { CliError, EXIT, usageError } from '../errors.ts';
import { readNamedFileSync } from '../files/read.ts';
import { didYouMean } from '../nearest.ts';
import { requestBytes } from './http-text.ts';

export interface CallSpec {
  type: string;
  action: string;
  request: Record<string, unknown>;
  /** What is called, for messages. */
  label: string;
}

export interface Inputs {
  /** `name=value` texts from --param. */
  params: ReadonlyMap<string, string>;
  credentials: Readonly<Record<string, unknown>>;
  /** Another action of the kind. */
  action?: string | undefined;
  /** Merged over the built request. */
  data?: Readonly<Record<string, unknown>> | undefined;
}

interface Parameter {
  name: string;
  type: string;
  required: boolean;
  default?: Json | undefined;
  options?: readonly string[];
}

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

function fileText(value: string): string {
  try {
    return readNamedFileSync(value.slice(1)).toString('utf8');
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('unreadable', `${value.slice(1)}: cannot be read`, { file: value.slice(1), cause: error });
  }
}

function fileBytes(value: string): Buffer {
  try {
    return readNamedFileSync(value.slice(1));
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError('unreadable', `${value.slice(1)}: cannot be read`, { file: value.slice(1), cause: error });
  }
}

export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text.startsWith('@') ? fileText(text) : text);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw usageError(`${what} is not JSON: ${messageOf(error)}`);
  }
}

/** One value by its declared type. */
export function convert(name: string, type: string, value: string, options: readonly string[] = []): unknown {
  const wrong = (expected: string): CliError =>
    new CliError('invalid-input', `parameter ${name}: "${value}" is not ${expected}`, { exit: EXIT.usage });
  switch (type) {
    case 'number': {
      const number = Number(value);
      if (value.trim() === '' || Number.isNaN(number)) throw wrong('a number');
      return number;
    }
    case 'boolean':
      if (/^(true|yes|on|1)$/i.test(value)) return true;
      if (/^(false|no|off|0)$/i.test(value)) return false;
      throw wrong('true or false');
    case 'select':
      if (options.length > 0 && !options.includes(value)) throw wrong(`one of ${options.join(', ')}`);
      return value;
    case 'object':
    case 'array':
    case 'array[tools]':
    case 'model-selector':
    case 'app-selector':
    case 'checkbox':
    case 'date-range':
    case 'any': {
      const text = value.startsWith('@') ? fileText(value) : value;
      try {
        return JSON.parse(text);
      } catch {
        if (type === 'any') return value;
        throw wrong('JSON');
      }
    }
    case 'file':
      return value.startsWith('@') || value.startsWith('{')
        ? parseJson(value, `parameter ${name}`)
        : fileReference(value);
    case 'files':
      return value.startsWith('@') || value.startsWith('[')
        ? parseJson(value, `parameter ${name}`)
        : value.split(',').map(fileReference);
    default:
      return value.startsWith('@') ? fileText(value) : value;
  }
}

/** Dify gives files as references the plugin downloads itself. */
function fileReference(url: string): Record<string, unknown> {
  const name = url.split('/').at(-1)?.split('?')[0] ?? 'file';
  const extension = /\.[^.]+$/.exec(name)?.[0] ?? '';
  return {
    dify_model_identity: '__dify__file__',
    url,
    filename: name,
    extension,
    mime_type: null,
    size: 0,
    type: 'custom',
  };
}

function convertAll(
  declared: readonly Parameter[],
  params: ReadonlyMap<string, string>,
  label: string,
  /** Names that are taken beside the declared ones. */
  others: readonly string[] = [],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  // Before what is missing: a mistyped name is the reason why something is.
  const names = declared.map((parameter) => parameter.name);
  refuseOthers(
    [...params.keys()].filter((name) => !names.includes(name)),
    [...names, ...others],
    label,
  );
  for (const parameter of declared) {
    const text = params.get(parameter.name);
    if (text !== undefined)
      values[parameter.name] = convert(parameter.name, parameter.type, text, parameter.options ?? []);
    else if (parameter.default !== null && parameter.default !== undefined) values[parameter.name] = parameter.default;
    else if (parameter.required) {
      const choices =
        parameter.options === undefined || parameter.options.length === 0 ? '' : ` (${parameter.options.join(', ')})`;
      throw usageError(
        `${label} needs the parameter ${parameter.name} of type ${parameter.type}${choices}`,
        `add -p ${parameter.name}=…`,
      );
    }
  }
  return values;
}

/** What every call over HTTP takes; also `header.<Name>`. */
const HTTP_PARAMETERS = ['body', 'method', 'path'] as const;
const isHttpParameter = (name: string): boolean =>
  name.startsWith('header.') || HTTP_PARAMETERS.some((each) => each === name);

/** @throws CliError (exit 2) for the first name that is not among the known ones */
function refuseOthers(names: readonly string[], known: readonly string[], label: string): void {
  const unknown = names.find(
    (name) => !known.includes(name) && !(name.startsWith('header.') && known.includes('body')),
  );
  if (unknown === undefined) return;
  throw usageError(`${label} has no parameter ${unknown}`, didYouMean(unknown, known, 'it takes none'));
}

/** The item of that name, or the only one. */
function pick<T>(items: readonly T[], nameOf: (item: T) => string, wanted: string | undefined, kind: string): T {
  const [only] = items;
  if (only === undefined)
    throw new CliError('not-declared', `the plugin has no ${kind}`, {
      remedy: 'dify plugin module list shows what it has',
    });
  if (wanted === undefined) {
    if (items.length === 1) return only;
    throw usageError(
      `the plugin has ${items.length} of the kind ${kind}: say which`,
      `one of ${items.map(nameOf).join(', ')}`,
    );
  }
  const found = items.find((item) => nameOf(item) === wanted);
  if (found === undefined)
    throw usageError(`the plugin has no ${kind} named ${wanted}`, didYouMean(wanted, items.map(nameOf), 'it has none'));
  return found;
}

const optionsOf = (parameter: { options?: readonly { value: unknown }[] | null }): string[] =>
  (parameter.options ?? []).map((option) => String(option.value));

function modelRequest(
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

function httpFrom(params: ReadonlyMap<string, string>, method: string, path: string): string {
  const headers: Record<string, string> = {};
  for (const [name, value] of params) if (name.startsWith('header.')) headers[name.slice('header.'.length)] = value;
  const body = params.get('body') ?? '';
  const bytes = body.startsWith('@') ? fileBytes(body) : Buffer.from(body);
  if (
    bytes.length > 0 &&
    !Object.keys(headers).some((name) => name.toLowerCase() === 'content-type') &&
    /^\s*[{[]/.test(body)
  )
    headers['Content-Type'] = 'application/json';
  return requestBytes({
    method: params.get('method') ?? method,
    path: params.get('path') ?? path,
    headers,
    body: bytes,
  }).toString('hex');
}

function endpointRequest(declaration: PluginDeclaration, name: string | undefined, inputs: Inputs): CallSpec {
  const endpoints = declaration.endpoint?.endpoints ?? [];
  const byPath =
    name === undefined
      ? undefined
      : endpoints.find((endpoint) => endpoint.path === name || `${endpoint.method} ${endpoint.path}` === name);
  // A concrete path for a pattern such as /item/<id>.
  const endpoint =
    byPath ??
    (name?.startsWith('/') === true
      ? { path: name, method: endpoints[0]?.method ?? 'GET' }
      : pick(endpoints, (each) => each.path, name, 'endpoint'));
  const path = (name?.startsWith('/') === true ? name : endpoint.path).replace(/<[^<>]+>/g, '1');
  const label = `${endpoint.method} ${path}`;
  refuseOthers([...inputs.params.keys()], HTTP_PARAMETERS, label);
  return {
    type: 'endpoint',
    action: 'invoke_endpoint',
    request: { settings: inputs.credentials, raw_http_request: httpFrom(inputs.params, endpoint.method, path) },
    label,
  };
}

/** Names one page of an online document. */
const PAGE_PARAMETERS: readonly string[] = ['page_id', 'workspace_id', 'type'];

function datasourceRequest(
  declaration: PluginDeclaration,
  name: string | undefined,
  { params, credentials }: Inputs,
): CallSpec {
  const provider = declaration.datasource;
  const datasource = pick(provider?.datasources ?? [], (each) => each.identity.name, name, 'datasource');
  const base = { provider: provider?.identity.name ?? '', datasource: datasource.identity.name, credentials };
  const label = `datasource ${datasource.identity.name}`;
  if (provider?.provider_type === 'online_drive') {
    refuseOthers([...params.keys()], ['bucket', 'prefix', 'max_keys', 'id'], label);
    const request = {
      bucket: params.get('bucket') ?? null,
      prefix: params.get('prefix') ?? '',
      max_keys: Number(params.get('max_keys') ?? 20),
      next_page_parameters: null,
    };
    if (params.has('id'))
      return {
        type: 'datasource',
        action: 'invoke_online_drive_download_file',
        request: { ...base, request: { bucket: request.bucket, id: params.get('id') } },
        label,
      };
    return { type: 'datasource', action: 'invoke_online_drive_browse_files', request: { ...base, request }, label };
  }
  if (params.has('page_id')) {
    refuseOthers([...params.keys()], PAGE_PARAMETERS, label);
    const page = {
      workspace_id: params.get('workspace_id') ?? '',
      page_id: params.get('page_id'),
      type: params.get('type') ?? 'page',
    };
    return {
      type: 'datasource',
      action: 'invoke_online_document_datasource_get_page_content',
      request: { ...base, page },
      label,
    };
  }
  const declared = (datasource.parameters ?? []).map((parameter) => ({ ...parameter, options: optionsOf(parameter) }));
  const action =
    provider?.provider_type === 'website_crawl'
      ? 'invoke_website_datasource_get_crawl'
      : 'invoke_online_document_datasource_get_pages';
  return {
    type: 'datasource',
    action,
    request: { ...base, datasource_parameters: convertAll(declared, params, label, PAGE_PARAMETERS) },
    label,
  };
}

function triggerRequest(
  declaration: PluginDeclaration,
  kind: string,
  name: string | undefined,
  { params, credentials }: Inputs,
): CallSpec {
  const provider = declaration.trigger;
  if (provider === undefined) throw new CliError('not-declared', 'the plugin has no trigger');
  const credential_type = Object.keys(credentials).length === 0 ? 'unauthorized' : 'api-key';
  const subscription = {
    expires_at: -1,
    endpoint: 'http://localhost/e/example',
    parameters: {},
    properties: { ...credentials },
  };
  const http = httpFrom(params, 'POST', '/');
  const common = {
    provider: provider.identity.name,
    credentials,
    credential_type,
    subscription,
    raw_http_request: http,
  };
  if (kind === 'trigger') {
    refuseOthers([...params.keys()], HTTP_PARAMETERS, `trigger ${provider.identity.name}`);
    return {
      type: 'trigger',
      action: 'dispatch_trigger_event',
      request: common,
      label: `trigger ${provider.identity.name}`,
    };
  }
  const event = pick(provider.events, (each) => each.identity.name, name, 'event');
  const own = new Map([...params].filter(([key]) => !isHttpParameter(key)));
  const declared = (event.parameters ?? []).map((parameter) => ({ ...parameter, options: optionsOf(parameter) }));
  const label = `event ${event.identity.name}`;
  const body = params.get('body');
  const payload = body === undefined ? {} : parseJson(body, 'parameter body');
  return {
    type: 'trigger',
    action: 'invoke_trigger_event',
    request: {
      ...common,
      event: event.identity.name,
      parameters: convertAll(declared, own, label, HTTP_PARAMETERS),
      payload: isObject(payload) ? payload : {},
    },
    label,
  };
}

function built(declaration: PluginDeclaration, kind: string, name: string | undefined, inputs: Inputs): CallSpec {
  const { params, credentials } = inputs;
  if (MODEL_KINDS[kind] !== undefined) return modelRequest(declaration, kind, name, inputs);
  switch (kind) {
    case 'tool': {
      const tool = pick(declaration.tool?.tools ?? [], (each) => each.identity.name, name, 'tool');
      const label = `tool ${tool.identity.name}`;
      const declared = (tool.parameters ?? []).map((parameter) => ({ ...parameter, options: optionsOf(parameter) }));
      const request = {
        provider: declaration.tool?.identity.name ?? '',
        tool: tool.identity.name,
        tool_parameters: convertAll(declared, params, label),
        credentials,
      };
      return { type: 'tool', action: 'invoke_tool', request, label };
    }
    case 'agent-strategy': {
      const provider = declaration.agent_strategy;
      const strategy = pick(provider?.strategies ?? [], (each) => each.identity.name, name, 'agent strategy');
      const label = `agent strategy ${strategy.identity.name}`;
      const given = new Map(params);
      // Without Dify any model does: calls to it are answered here.
      for (const parameter of strategy.parameters ?? []) {
        if (given.has(parameter.name)) continue;
        if (parameter.type === 'model-selector')
          given.set(
            parameter.name,
            JSON.stringify({
              provider: 'example',
              model: 'example',
              model_type: 'llm',
              mode: 'chat',
              completion_params: {},
              history_prompt_messages: [],
              entity: null,
            }),
          );
        if (parameter.type === 'array[tools]') given.set(parameter.name, '[]');
      }
      const declared = (strategy.parameters ?? []).map((parameter) => ({
        ...parameter,
        options: optionsOf(parameter),
      }));
      const request = {
        agent_strategy_provider: provider?.identity.name ?? '',
        agent_strategy: strategy.identity.name,
        agent_strategy_params: convertAll(declared, given, label),
      };
      return { type: 'agent_strategy', action: 'invoke_agent_strategy', request, label };
    }
    case 'endpoint':
      return endpointRequest(declaration, name, inputs);
    case 'datasource':
      return datasourceRequest(declaration, name, inputs);
    case 'trigger':
    case 'event':
      return triggerRequest(declaration, kind, name, inputs);
    default:
      throw usageError(`unknown kind ${kind}`, `one of ${KINDS.join(', ')}`);
  }
}

/** The request for one call. @throws CliError (exit 2) that names what is missing and what is allowed */
export function buildCall(
  declaration: PluginDeclaration,
  kind: string,
  name: string | undefined,
  inputs: Inputs,
): CallSpec {
  const { action } = inputs;
  if (action === undefined) {
    const spec = built(declaration, kind, name, inputs);
    return { ...spec, request: { ...spec.request, ...inputs.data } };
  }
  const row = actionRow(action);
  if (row === undefined) throw usageError(`unknown action ${action}`);
  const provider =
    declaration.tool?.identity.name ??
    declaration.model?.provider ??
    declaration.datasource?.identity.name ??
    declaration.trigger?.identity.name ??
    declaration.agent_strategy?.identity.name ??
    '';
  const extra = Object.fromEntries([...inputs.params].map(([key, value]) => [key, convert(key, 'any', value)]));
  const model =
    MODEL_KINDS[kind] === undefined
      ? {}
      : {
          model: name ?? declaration.model?.models.find((each) => each.model_type === MODEL_KINDS[kind]?.type)?.model,
          model_type: MODEL_KINDS[kind]?.type,
        };
  return {
    type: row.type,
    action,
    request: { provider, credentials: inputs.credentials, ...model, ...extra, ...inputs.data },
    label: action,
  };
}
