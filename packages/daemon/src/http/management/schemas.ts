/** JSON Schemas of what the management routes answer, for the description of the API (docs/wire/http-api.md#management). */
import type { JsonSchema } from '@plugin-daemon/wire-schema';

const text: JsonSchema = { type: 'string' };
const time: JsonSchema = { type: 'string', format: 'date-time' };
const count: JsonSchema = { type: 'integer', minimum: 0 };
const flag: JsonSchema = { type: 'boolean' };
const identifier: JsonSchema = { type: 'string', description: 'author/name:version@checksum' };
const free: JsonSchema = { type: 'object', additionalProperties: true };
const i18n: JsonSchema = {
  type: 'object',
  properties: { en_US: text, ja_JP: text, zh_Hans: text, pt_BR: text },
  required: ['en_US'],
};
const status: JsonSchema = { enum: ['pending', 'running', 'success', 'failed'] };
const runtimeType: JsonSchema = { enum: ['local', 'remote', 'serverless'] };

/** An object whose properties are all there. */
const whole = (properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
/** The same under a name of its own in the description. */
const titled = (title: string, properties: Readonly<Record<string, JsonSchema>>): JsonSchema => ({
  title,
  ...whole(properties),
});
const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items });

const identity: JsonSchema = {
  type: 'object',
  properties: { author: text, name: text, label: i18n },
  required: ['name', 'label'],
};

const declaration: JsonSchema = {
  title: 'Declaration',
  type: 'object',
  description: 'The manifest of a plugin, merged with the files it names.',
  properties: {
    version: text,
    type: text,
    author: text,
    name: text,
    label: i18n,
    description: i18n,
    icon: text,
    icon_dark: text,
    resource: free,
    plugins: free,
    meta: free,
    tags: listOf(text),
    created_at: time,
    verified: flag,
    endpoint: free,
    model: free,
    tool: {
      type: 'object',
      properties: {
        identity: identity,
        tools: listOf({ type: 'object', properties: { identity }, required: ['identity'] }),
      },
      required: ['identity', 'tools'],
    },
    agent_strategy: free,
    datasource: free,
    trigger: free,
  },
  required: ['version', 'author', 'name', 'label', 'description', 'icon', 'resource', 'plugins', 'meta', 'tags'],
};

const verification: JsonSchema = {
  oneOf: [whole({ authorized_category: { enum: ['langgenius', 'partner', 'community'] } }), { type: 'null' }],
};

const installationRow = {
  id: text,
  created_at: time,
  updated_at: time,
  tenant_id: text,
  plugin_id: text,
  plugin_unique_identifier: identifier,
  runtime_type: runtimeType,
  endpoints_setups: count,
  endpoints_active: count,
  source: text,
  meta: free,
  version: text,
  checksum: text,
  declaration,
};
const installation = { title: 'Installation', ...whole({ ...installationRow, name: text, installation_id: text }) };

const provider: JsonSchema = {
  title: 'Provider',
  type: 'object',
  properties: {
    id: text,
    created_at: time,
    updated_at: time,
    tenant_id: text,
    provider: text,
    plugin_unique_identifier: identifier,
    plugin_id: text,
    declaration: free,
    meta: { type: 'object', description: "The manifest's meta; agent strategies only.", additionalProperties: true },
  },
  required: ['id', 'tenant_id', 'provider', 'plugin_unique_identifier', 'plugin_id', 'declaration'],
};

const task = titled('InstallTask', {
  id: text,
  created_at: time,
  updated_at: time,
  status,
  tenant_id: text,
  total_plugins: count,
  completed_plugins: count,
  plugins: listOf(
    whole({
      plugin_unique_identifier: identifier,
      labels: i18n,
      icon: text,
      icon_dark: text,
      plugin_id: text,
      status,
      message: { type: 'string', description: 'The step it is in, or why it failed.' },
      source: text,
    }),
  ),
});

const packageValue = titled('BundledPackage', { unique_identifier: identifier, manifest: declaration });

export const schemas = {
  done: { const: true },
  declaration,
  described: titled('DescribedPackage', { unique_identifier: identifier, manifest: declaration, verification }),
  readme: whole({ content: text, language: text }),
  installAnswer: titled('InstallStarted', {
    all_installed: flag,
    task_id: { type: 'string', description: 'Empty when nothing is left to do.' },
  }),
  task,
  tasks: listOf(task),
  installationList: whole({ list: listOf(installation), total: count }),
  categoryList: whole({ list: listOf(installation), has_more: flag }),
  installationBatch: listOf(titled('FoundInstallation', installationRow)),
  pluginIds: whole({ plugin_ids: listOf(text) }),
  missing: listOf(whole({ plugin_unique_identifier: identifier, current_identifier: text })),
  bindings: listOf(
    titled('ModelBinding', {
      provider: text,
      installation_id: text,
      plugin_id: text,
      plugin_unique_identifier: identifier,
      runtime_type: runtimeType,
      source: text,
      version: text,
      verified: flag,
    }),
  ),
  provider,
  providers: listOf(provider),
  bundle: listOf({
    oneOf: [
      whole({
        type: { const: 'github' },
        value: whole({ repo_address: text, repo: text, release: text, packages: text }),
      }),
      whole({ type: { const: 'marketplace' }, value: whole({ organization: text, plugin: text, version: text }) }),
      whole({ type: { const: 'package' }, value: packageValue }),
    ],
  }),
} as const satisfies Record<string, JsonSchema>;
