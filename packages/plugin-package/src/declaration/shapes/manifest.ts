import { eq } from '@plugin-daemon/wire-schema';
import {
  boolean,
  int64,
  list,
  listed,
  max,
  min,
  named,
  nullable,
  object,
  omitted,
  oneOf,
  required,
  text,
  timestamp,
  uint64,
  url,
  zero,
} from '../shape.ts';
import type {
  Enabled,
  Meta,
  ModelPermission,
  Permission,
  PluginDeclaration,
  PluginFiles,
  Resource,
  Runner,
  StoragePermission,
} from '../types.ts';
import { agentStrategyProvider } from './agent-strategy.ts';
import { datasourceProvider } from './datasource.ts';
import { endpointProvider } from './endpoint.ts';
import { modelProvider } from './model.ts';
import { i18n, tagRule, tagText, versionRule } from './shared.ts';
import { toolProvider } from './tool.ts';
import { triggerProvider } from './trigger.ts';

/** Tables of docs/wire/packages.md#manifest. */

const enabledOnly = object<Enabled>('PluginPermissionRequirement', { enabled: zero(boolean, 'Enabled') });

const modelPermission = object<ModelPermission>('PluginPermissionModelRequirement', {
  enabled: zero(boolean, 'Enabled'),
  llm: zero(boolean, 'LLM'),
  text_embedding: zero(boolean, 'TextEmbedding'),
  rerank: zero(boolean, 'Rerank'),
  tts: zero(boolean, 'TTS'),
  speech2text: zero(boolean, 'Speech2text'),
  moderation: zero(boolean, 'Moderation'),
});

const storagePermission = object<StoragePermission>('PluginPermissionStorageRequirement', {
  enabled: zero(boolean, 'Enabled'),
  size: zero(uint64, 'Size', { rules: [min(1024), max(1024 ** 3)] }),
});

const permission = object<Permission>('PluginPermissionRequirement', {
  tool: omitted(enabledOnly, 'Tool'),
  model: omitted(modelPermission, 'Model'),
  node: omitted(enabledOnly, 'Node'),
  endpoint: omitted(enabledOnly, 'Endpoint'),
  app: omitted(enabledOnly, 'App'),
  storage: omitted(storagePermission, 'Storage'),
});

const resource = object<Resource>('PluginResourceRequirement', {
  memory: zero(int64, 'Memory', { rules: [required] }),
  permission: omitted(permission, 'Permission'),
});

const path = { each: [max(128)] };

const files = object<PluginFiles>('PluginExtensions', {
  tools: nullable(list(text), 'Tools', path),
  models: nullable(list(text), 'Models', path),
  endpoints: nullable(list(text), 'Endpoints', path),
  agent_strategies: nullable(list(text), 'AgentStrategies', path),
  datasources: nullable(list(text), 'Datasources', path),
  triggers: nullable(list(text), 'Triggers', path),
});

const runner = object<Runner>('PluginRunner', {
  language: zero(named('constants.Language'), 'Language', {
    rules: [required, oneOf(['python'], 'is_available_language')],
  }),
  version: zero(text, 'Version', { rules: [required, max(128)] }),
  entrypoint: zero(text, 'Entrypoint', { rules: [required, max(256)] }),
});

const meta = object<Meta>('PluginMeta', {
  version: zero(text, 'Version', { rules: [required, versionRule] }),
  arch: nullable(list(named('constants.Arch')), 'Arch', {
    rules: [required],
    each: [oneOf(['amd64', 'arm64'], 'is_available_arch')],
    optional: false,
  }),
  runner: zero(runner, 'Runner'),
  minimum_dify_version: nullable(text, 'MinimumDifyVersion'),
});

const ownFields = {
  version: zero(named('manifest_entities.Version'), 'Version', { rules: [required, versionRule] }),
  type: zero(named('manifest_entities.DifyManifestType'), 'Type', { rules: [required, eq('plugin')] }),
  author: zero(text, 'Author', { rules: [max(64)], optional: true }),
  name: zero(text, 'Name', { rules: [required, max(128)] }),
  label: zero(i18n, 'Label'),
  description: zero(i18n, 'Description'),
  icon: zero(text, 'Icon', { rules: [required, max(128)] }),
  icon_dark: zero(text, 'IconDark', { rules: [max(128)], optional: true }),
  resource: zero(resource, 'Resource'),
  plugins: zero(files, 'Plugins'),
  meta: zero(meta, 'Meta'),
  tags: listed(list(tagText), 'Tags', { each: [tagRule, max(128)] }),
  created_at: zero(timestamp, 'CreatedAt', { rules: [required] }),
  privacy: omitted(text, 'Privacy'),
  repo: omitted(text, 'Repo', { rules: [url] }),
};

/** manifest.yaml, and the whole declaration: a manifest may also carry the providers inline. */
export const manifest = object<PluginDeclaration>(
  'PluginDeclaration',
  {
    ...ownFields,
    verified: zero(boolean, 'Verified'),
    endpoint: omitted(endpointProvider, 'Endpoint'),
    model: omitted(modelProvider, 'Model'),
    tool: omitted(toolProvider, 'Tool'),
    agent_strategy: omitted(agentStrategyProvider, 'AgentStrategy'),
    datasource: omitted(datasourceProvider, 'Datasource'),
    trigger: omitted(triggerProvider, 'Trigger'),
  },
  { embedded: { as: 'PluginDeclarationWithoutAdvancedFields', fields: Object.keys(ownFields) } },
);
