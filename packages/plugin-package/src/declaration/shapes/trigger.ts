import {
  any,
  boolean,
  entries,
  float,
  int,
  list,
  listed,
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
import type {
  EventDeclaration,
  EventParameter,
  EventParameterOption,
  SubscriptionConstructor,
  TriggerProviderDeclaration,
} from '../types.ts';
import {
  autoGenerate,
  i18n,
  identityOf,
  oauthSchema,
  providerIdentityOf,
  strictCredentials,
  template,
} from './shared.ts';

/** Tables of docs/wire/packages.md#triggers. Absent keys of an event parameter are left out of the JSON, unlike anywhere else. */

const EVENT_PARAMETER_TYPES = [
  'string',
  'number',
  'boolean',
  'select',
  'file',
  'files',
  'model-selector',
  'app-selector',
  'object',
  'array',
  'dynamic-select',
  'checkbox',
] as const;

const eventParameterOption = object<EventParameterOption>('EventParameterOption', {
  label: zero(i18n, 'Label'),
  value: nullable(any, 'Value', { rules: [required], optional: false }),
});

const eventParameter = object<EventParameter>('EventParameter', {
  name: zero(text, 'Name', { rules: [required] }),
  label: zero(i18n, 'Label'),
  type: zero(named('plugin_entities.EventParameterType'), 'Type', {
    rules: [required, oneOf(EVENT_PARAMETER_TYPES, 'event_parameter_type')],
  }),
  auto_generate: omitted(autoGenerate, 'AutoGenerate'),
  template: omitted(template, 'Template'),
  scope: omitted(text, 'Scope'),
  required: zero(boolean, 'Required'),
  multiple: omitted(boolean, 'Multiple'),
  default: omitted(any, 'Default'),
  min: omitted(float, 'Min'),
  max: omitted(float, 'Max'),
  precision: omitted(int, 'Precision'),
  options: omitted(list(eventParameterOption), 'Options'),
  description: omitted(i18n, 'Description'),
});

export const event = object<EventDeclaration>('EventDeclaration', {
  identity: zero(identityOf('EventIdentity', 'event_identity_name'), 'Identity'),
  parameters: nullable(list(eventParameter), 'Parameters'),
  description: zero(i18n, 'Description'),
  output_schema: omitted(map, 'OutputSchema'),
});

const subscriptionConstructor = object<SubscriptionConstructor>('SubscriptionConstructor', {
  parameters: listed(list(eventParameter), 'Parameters', {
    context: 'failed to parse subscription_constructor.parameters',
  }),
  credentials_schema: listed(strictCredentials, 'CredentialsSchema', {
    context: 'failed to parse subscription_constructor.credentials_schema',
  }),
  oauth_schema: omitted(oauthSchema, 'OAuthSchema', {
    context: 'failed to parse subscription_constructor.oauth_schema',
  }),
});

export const triggerProvider = object<TriggerProviderDeclaration>('TriggerProviderDeclaration', {
  identity: zero(providerIdentityOf('TriggerProviderIdentity'), 'Identity'),
  subscription_schema: listed(strictCredentials, 'SubscriptionSchema', {
    rules: [required],
    optional: false,
    dive: false,
    context: 'failed to parse subscription_schema',
  }),
  subscription_constructor: nullable(subscriptionConstructor, 'SubscriptionConstructor', { mappingOnly: true }),
  events: listed(entries(event), 'Events'),
});
