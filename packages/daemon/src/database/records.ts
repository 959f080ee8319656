/**
 * The rows as the rest of the daemon sees them: upstream's column names, decoded values.
 * Times are ISO-8601 UTC text with milliseconds (`2026-01-02T03:04:05.678Z`), ids lower-case UUID v7,
 * JSON columns decoded (a stored NULL reads as the empty value). Source: docs/wire/state.md#tables.
 */

export type RuntimeType = 'local' | 'remote' | 'serverless';

/** The five kinds that have a projection table. */
export type ProjectionKind = 'tool' | 'model' | 'agent_strategy' | 'datasource' | 'trigger';

export type JsonObject = { readonly [key: string]: unknown };

/** What every row has. */
export interface BaseRecord {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
}

/** One plugin version known to the deployment, reference counted. */
export interface PluginRecord extends BaseRecord {
  readonly plugin_unique_identifier: string;
  readonly plugin_id: string;
  /** Number of tenants that have it installed. */
  readonly refers: number;
  readonly install_type: RuntimeType;
  readonly manifest_type: string;
  /** JSON text of the declaration of a debugging plugin; null for all others. */
  readonly remote_declaration: string | null;
  /** Where the first installation came from. */
  readonly source: string;
}

/** One plugin of one tenant; at most one row for each (tenant_id, plugin_id). */
export interface InstallationRecord extends BaseRecord {
  readonly tenant_id: string;
  readonly plugin_id: string;
  readonly plugin_unique_identifier: string;
  readonly runtime_type: RuntimeType;
  readonly endpoints_setups: number;
  readonly endpoints_active: number;
  /** `marketplace`, `github`, `package`, `remote`, … (free text given by Dify). */
  readonly source: string;
  /** Free object given by Dify; `{}` when absent. */
  readonly meta: JsonObject;
}

/** One row of a projection table. */
export interface ProjectionRecord extends BaseRecord {
  readonly tenant_id: string;
  /** Identity name of the provider in the declaration (for models: `provider`). */
  readonly provider: string;
  readonly plugin_unique_identifier: string;
  readonly plugin_id: string;
}

export interface EndpointRecord extends BaseRecord {
  readonly name: string;
  /** 16 characters of `a-z0-9`. */
  readonly hook_id: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly plugin_id: string;
  /** Always 2050-01-01T00:00:00.000Z; never evaluated. */
  readonly expired_at: string;
  readonly enabled: boolean;
  /** Secret values are stored as Dify encrypted them. */
  readonly settings: JsonObject;
}

export type InstallTaskStatus = 'pending' | 'running' | 'success' | 'failed';

/** One plugin of an install task, as stored and as answered. */
export interface InstallTaskItem {
  readonly plugin_unique_identifier: string;
  readonly labels: { readonly [language: string]: string };
  readonly icon: string;
  readonly icon_dark: string;
  readonly plugin_id: string;
  readonly status: InstallTaskStatus;
  readonly message: string;
  readonly source: string;
}

export interface InstallTaskRecord extends BaseRecord {
  readonly status: InstallTaskStatus;
  readonly tenant_id: string;
  readonly total_plugins: number;
  readonly completed_plugins: number;
  readonly plugins: readonly InstallTaskItem[];
}

export interface ReadmeRecord extends BaseRecord {
  readonly plugin_unique_identifier: string;
  /** `en_US`, `zh_Hans`, … */
  readonly language: string;
  readonly content: string;
}

export interface ServerlessRuntimeRecord extends BaseRecord {
  readonly plugin_unique_identifier: string;
  readonly function_url: string;
  readonly function_name: string;
  readonly type: string;
  readonly checksum: string;
}

/** 1-based page, as in the HTTP API. */
export interface Page {
  readonly page: number;
  readonly pageSize: number;
}

/** Something that somebody did, or tried to do. Texts are empty where there is nothing to say. */
export interface AuditEventRecord extends BaseRecord {
  /** `plugin.install`, `debugging-key.rotate`, … */
  readonly action: string;
  readonly tenant_id: string;
  /** What it was done to, such as a plugin unique identifier. */
  readonly subject: string;
  /** Of the client. */
  readonly address: string;
  /** Which key was shown. */
  readonly credential: string;
  readonly outcome: string;
  /** Why it was refused. */
  readonly detail: string;
  readonly trace_id: string;
}

export type NewAuditEvent = Omit<AuditEventRecord, keyof BaseRecord>;
