import {
  any,
  boolean,
  entries,
  float,
  int,
  list,
  listed,
  lt,
  map,
  named,
  nullable,
  object,
  omitted,
  oneOf,
  required,
  text,
  zero,
} from '../shape.ts';
import type { ToolDeclaration, ToolParameter, ToolProviderDeclaration } from '../types.ts';
import {
  autoGenerate,
  credentials,
  i18n,
  identityOf,
  maxScope,
  oauthSchema,
  parameterOption,
  providerIdentityOf,
  template,
} from './shared.ts';

/** Tables of docs/wire/packages.md#tools. */

const TOOL_PARAMETER_TYPES = [
  'string',
  'number',
  'boolean',
  'select',
  'secret-input',
  'file',
  'files',
  'app-selector',
  'model-selector',
  'any',
  'dynamic-select',
  'array',
  'object',
  'checkbox',
  'date',
  'date-range',
] as const;

const toolParameter = object<ToolParameter>('ToolParameter', {
  name: zero(text, 'Name', { rules: [required, lt(1024)] }),
  label: zero(i18n, 'Label'),
  human_description: zero(i18n, 'HumanDescription'),
  type: zero(named('plugin_entities.ToolParameterType'), 'Type', {
    rules: [required, oneOf(TOOL_PARAMETER_TYPES, 'tool_parameter_type')],
  }),
  scope: nullable(text, 'Scope', { rules: maxScope }),
  form: zero(named('plugin_entities.ToolParameterForm'), 'Form', {
    rules: [required, oneOf(['schema', 'form', 'llm'], 'tool_parameter_form')],
  }),
  llm_description: zero(text, 'LLMDescription'),
  required: zero(boolean, 'Required'),
  auto_generate: nullable(autoGenerate, 'AutoGenerate'),
  template: nullable(template, 'Template'),
  default: nullable(any, 'Default'),
  min: nullable(float, 'Min'),
  max: nullable(float, 'Max'),
  multiple: zero(boolean, 'Multiple'),
  precision: nullable(int, 'Precision'),
  options: nullable(list(parameterOption), 'Options'),
});

const toolDescription = object<ToolDeclaration['description']>('ToolDescription', {
  human: zero(i18n, 'Human'),
  llm: zero(text, 'LLM', { rules: [required] }),
});

export const tool = object<ToolDeclaration>('ToolDeclaration', {
  identity: zero(identityOf('ToolIdentity', 'tool_identity_name'), 'Identity'),
  description: zero(toolDescription, 'Description'),
  parameters: nullable(list(toolParameter), 'Parameters'),
  output_schema: omitted(map, 'OutputSchema'),
  has_runtime_parameters: zero(boolean, 'HasRuntimeParameters'),
});

export const toolProvider = object<ToolProviderDeclaration>('ToolProviderDeclaration', {
  identity: zero(providerIdentityOf('ToolProviderIdentity'), 'Identity'),
  credentials_schema: listed(credentials, 'CredentialsSchema', { fallback: 'credentials_for_provider' }),
  oauth_schema: nullable(oauthSchema, 'OAuthSchema'),
  tools: listed(entries(tool), 'Tools'),
});
