import {
  any,
  basic,
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
  oneOf,
  required,
  text,
  zero,
} from '../shape.ts';
import type { AgentStrategyDeclaration, AgentStrategyParameter, AgentStrategyProviderDeclaration } from '../types.ts';
import { autoGenerate, i18n, identityOf, maxScope, parameterOption, providerIdentityOf, template } from './shared.ts';

/** Tables of docs/wire/packages.md#agent-strategies. */

const AGENT_STRATEGY_PARAMETER_TYPES = [
  'string',
  'number',
  'boolean',
  'select',
  'secret-input',
  'file',
  'files',
  'app-selector',
  'model-selector',
  'array[tools]',
  'any',
] as const;

const agentStrategyParameter = object<AgentStrategyParameter>('AgentStrategyParameter', {
  name: zero(text, 'Name', { rules: [required, lt(1024)] }),
  label: zero(i18n, 'Label'),
  help: zero(i18n, 'Help', { optional: true }),
  type: zero(named('plugin_entities.AgentStrategyParameterType'), 'Type', {
    rules: [required, oneOf(AGENT_STRATEGY_PARAMETER_TYPES, 'agent_strategy_parameter_type')],
  }),
  auto_generate: nullable(autoGenerate, 'AutoGenerate'),
  template: nullable(template, 'Template'),
  scope: nullable(text, 'Scope', { rules: maxScope }),
  required: zero(boolean, 'Required'),
  default: nullable(any, 'Default', { rules: [basic] }),
  min: nullable(float, 'Min'),
  max: nullable(float, 'Max'),
  precision: nullable(int, 'Precision'),
  options: nullable(list(parameterOption), 'Options'),
});

const strategyIdentity = identityOf('AgentStrategyIdentity', 'tool_identity_name');

export const agentStrategy = object<AgentStrategyDeclaration>('AgentStrategyDeclaration', {
  identity: zero(
    { ...strategyIdentity, hooks: { embedded: { as: 'ToolIdentity', fields: ['author', 'name', 'label'] } } },
    'Identity',
  ),
  description: zero(i18n, 'Description'),
  parameters: nullable(list(agentStrategyParameter), 'Parameters'),
  output_schema: nullable(map, 'OutputSchema'),
  features: listed(list(text), 'Features', { each: [lt(256)] }),
});

export const agentStrategyProvider = object<AgentStrategyProviderDeclaration>('AgentStrategyProviderDeclaration', {
  identity: zero(providerIdentityOf('AgentStrategyProviderIdentity', 'ToolProviderIdentity'), 'Identity'),
  strategies: listed(entries(agentStrategy), 'Strategies'),
});
