import { parseForeign } from '@plugin-daemon/plugin-host/json';
import type { Selectable } from 'kysely';
import type {
  AuditEventRecord,
  BaseRecord,
  EndpointRecord,
  InstallationRecord,
  InstallTaskItem,
  InstallTaskRecord,
  InstallTaskStatus,
  JsonObject,
  PluginRecord,
  ProjectionKind,
  ProjectionRecord,
  ReadmeRecord,
  RuntimeType,
  ServerlessRuntimeRecord,
} from '../records.ts';
import type { Tables } from '../schema.ts';

/** Rows as records: nulls of older rows become the empty value of their column. */

export type ProjectionTable =
  | 'tool_installations'
  | 'ai_model_installations'
  | 'agent_strategy_installations'
  | 'datasource_installations'
  | 'trigger_installations';

export const projectionTables: { readonly [K in ProjectionKind]: ProjectionTable } = {
  tool: 'tool_installations',
  model: 'ai_model_installations',
  agent_strategy: 'agent_strategy_installations',
  datasource: 'datasource_installations',
  trigger: 'trigger_installations',
};

export const now = (): Date => new Date();

/** `created_at` and `updated_at` of a new row, and as its record has them. */
export function newTimes() {
  const time = now();
  const text = time.toISOString();
  return { columns: { created_at: time, updated_at: time }, record: { created_at: text, updated_at: text } };
}

const never = '0001-01-01T00:00:00Z';

function base(row: { id: string; created_at: string | null; updated_at: string | null }): BaseRecord {
  return { id: row.id, created_at: row.created_at ?? never, updated_at: row.updated_at ?? never };
}

function runtimeType(value: string | null): RuntimeType {
  return value === 'remote' || value === 'serverless' ? value : 'local';
}

/**
 * What a column of JSON holds that any program may have written. What is none counts as nothing, as NULL does: one such row must not
 * keep its whole list from being shown, or a daemon from starting.
 */
function jsonIn(text: string | null): unknown {
  const parsed = text === null || text === '' ? undefined : parseForeign(text);
  return parsed?.ok === true ? parsed.value : undefined;
}

export function objectFrom(json: string | null): JsonObject {
  const value = jsonIn(json);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

export function pluginRecord(row: Selectable<Tables['plugins']>): PluginRecord {
  const install_type = runtimeType(row.install_type);
  return {
    ...base(row),
    plugin_unique_identifier: row.plugin_unique_identifier ?? '',
    plugin_id: row.plugin_id ?? '',
    refers: row.refers ?? 0,
    install_type,
    manifest_type: row.manifest_type ?? '',
    // The existing daemon stores an empty declaration with all others.
    remote_declaration: install_type === 'remote' ? row.remote_declaration : null,
    source: row.source ?? '',
  };
}

export function installationRecord(row: Selectable<Tables['plugin_installations']>): InstallationRecord {
  return {
    ...base(row),
    tenant_id: row.tenant_id ?? '',
    plugin_id: row.plugin_id ?? '',
    plugin_unique_identifier: row.plugin_unique_identifier ?? '',
    runtime_type: runtimeType(row.runtime_type),
    endpoints_setups: row.endpoints_setups ?? 0,
    endpoints_active: row.endpoints_active ?? 0,
    source: row.source ?? '',
    meta: objectFrom(row.meta),
  };
}

export function projectionRecord(row: Selectable<Tables[ProjectionTable]>): ProjectionRecord {
  return {
    ...base(row),
    tenant_id: row.tenant_id,
    provider: row.provider,
    plugin_unique_identifier: row.plugin_unique_identifier ?? '',
    plugin_id: row.plugin_id ?? '',
  };
}

export function endpointRecord(row: Selectable<Tables['endpoints']>): EndpointRecord {
  return {
    ...base(row),
    name: row.name ?? '',
    hook_id: row.hook_id ?? '',
    tenant_id: row.tenant_id ?? '',
    user_id: row.user_id ?? '',
    plugin_id: row.plugin_id ?? '',
    expired_at: row.expired_at ?? never,
    enabled: Boolean(row.enabled),
    settings: objectFrom(row.settings),
  };
}

export function readmeRecord(row: Selectable<Tables['plugin_readme_records']>): ReadmeRecord {
  return {
    ...base(row),
    plugin_unique_identifier: row.plugin_unique_identifier,
    language: row.language,
    content: row.content,
  };
}

export function serverlessRuntimeRecord(row: Selectable<Tables['serverless_runtimes']>): ServerlessRuntimeRecord {
  return {
    ...base(row),
    plugin_unique_identifier: row.plugin_unique_identifier ?? '',
    function_url: row.function_url ?? '',
    function_name: row.function_name ?? '',
    type: row.type ?? '',
    checksum: row.checksum ?? '',
  };
}

const taskStatuses: ReadonlySet<string> = new Set<InstallTaskStatus>(['pending', 'running', 'success', 'failed']);

function taskStatus(value: unknown): InstallTaskStatus {
  // The set above holds exactly the words of the type.
  return typeof value === 'string' && taskStatuses.has(value) ? (value as InstallTaskStatus) : 'failed';
}

export function installTaskRecord(row: Selectable<Tables['install_tasks']>): InstallTaskRecord {
  const items = jsonIn(row.plugins);
  return {
    ...base(row),
    status: taskStatus(row.status),
    tenant_id: row.tenant_id,
    total_plugins: row.total_plugins,
    completed_plugins: row.completed_plugins,
    plugins: Array.isArray(items) ? items.map(taskItem) : [],
  };
}

function taskItem(value: unknown): InstallTaskItem {
  const item: JsonObject = typeof value === 'object' && value !== null ? { ...value } : {};
  const word = (name: string): string => {
    const found = item[name];
    return typeof found === 'string' ? found : '';
  };
  return {
    plugin_unique_identifier: word('plugin_unique_identifier'),
    labels: labels(item.labels),
    icon: word('icon'),
    icon_dark: word('icon_dark'),
    plugin_id: word('plugin_id'),
    status: taskStatus(item.status),
    message: word('message'),
    source: word('source'),
  };
}

function labels(value: unknown): { readonly [language: string]: string } {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export function auditEventRecord(row: Selectable<Tables['audit_events']>): AuditEventRecord {
  const { action, tenant_id, subject, address, credential, outcome, detail, trace_id } = row;
  return {
    ...base(row),
    action,
    tenant_id: tenant_id ?? '',
    subject: subject ?? '',
    address: address ?? '',
    credential: credential ?? '',
    outcome: outcome ?? '',
    detail: detail ?? '',
    trace_id: trace_id ?? '',
  };
}
