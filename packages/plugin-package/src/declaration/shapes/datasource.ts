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
  omitted,
  oneOf,
  required,
  text,
  zero,
} from '../shape.ts';
import type {
  DatasourceDeclaration,
  DatasourceIdentity,
  DatasourceParameter,
  DatasourceProviderDeclaration,
  DatasourceProviderIdentity,
} from '../types.ts';
import {
  autoGenerate,
  credentials,
  i18n,
  maxScope,
  oauthSchema,
  parameterOption,
  tagRule,
  tagText,
  template,
} from './shared.ts';

/** Tables of docs/wire/packages.md#datasources. */

const datasourceParameter = object<DatasourceParameter>('DatasourceParameter', {
  name: zero(text, 'Name', { rules: [required, lt(1024)] }),
  label: zero(i18n, 'Label'),
  type: zero(named('plugin_entities.DatasourceParameterType'), 'Type', {
    rules: [required, oneOf(['string', 'number', 'boolean', 'select', 'secret-input'], 'datasource_parameter_type')],
  }),
  scope: nullable(text, 'Scope', { rules: maxScope }),
  required: zero(boolean, 'Required'),
  auto_generate: nullable(autoGenerate, 'AutoGenerate'),
  template: nullable(template, 'Template'),
  default: nullable(any, 'Default', { rules: [basic] }),
  min: nullable(float, 'Min'),
  max: nullable(float, 'Max'),
  precision: nullable(int, 'Precision'),
  options: nullable(list(parameterOption), 'Options'),
  description: zero(i18n, 'Description'),
});

const datasourceIdentity = object<DatasourceIdentity>('DatasourceIdentity', {
  author: zero(text, 'Author', { rules: [required] }),
  name: zero(text, 'Name', { rules: [required] }),
  label: zero(i18n, 'Label'),
  icon: zero(text, 'Icon'),
});

export const datasource = object<DatasourceDeclaration>('DatasourceDeclaration', {
  identity: zero(datasourceIdentity, 'Identity'),
  parameters: nullable(list(datasourceParameter), 'Parameters', { rules: [required], optional: false }),
  description: zero(i18n, 'Description'),
  output_schema: omitted(map, 'OutputSchema'),
});

const providerIdentity = object<DatasourceProviderIdentity>('DatasourceProviderIdentity', {
  author: zero(text, 'Author', { rules: [required] }),
  name: zero(text, 'Name', { rules: [required] }),
  description: zero(i18n, 'Description'),
  icon: zero(text, 'Icon', { rules: [required] }),
  label: zero(i18n, 'Label'),
  tags: listed(list(tagText), 'Tags', { each: [tagRule] }),
});

export const datasourceProvider = object<DatasourceProviderDeclaration>('DatasourceProviderDeclaration', {
  identity: zero(providerIdentity, 'Identity'),
  credentials_schema: listed(credentials, 'CredentialsSchema'),
  oauth_schema: nullable(oauthSchema, 'OAuthSchema'),
  provider_type: zero(named('plugin_entities.DatasourceType'), 'ProviderType', {
    rules: [required, oneOf(['website_crawl', 'online_document', 'online_drive'], 'datasource_provider_type')],
  }),
  datasources: listed(entries(datasource), 'Datasources'),
});
