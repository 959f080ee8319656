/** The tables as types for the queries; `schema.ts` has them as data. */
import type { ColumnType } from 'kysely';

/** Written as dates; every driver delivers ISO-8601 UTC text with milliseconds. */
type Time = ColumnType<string | null, Date, Date>;
/** Written as booleans; delivered as the database has them. */
type Flag = ColumnType<number | boolean | null, boolean, boolean>;
/** Always written by us; the column allows NULL, and rows of others have it. */
type Told = ColumnType<string | null, string, string>;

interface BaseRow {
  id: string;
  created_at: Time;
  updated_at: Time;
}

interface PluginRow extends BaseRow {
  plugin_unique_identifier: Told;
  plugin_id: Told;
  refers: number | null;
  install_type: string | null;
  manifest_type: string | null;
  remote_declaration: string | null;
  source: string | null;
}

interface InstallationRow extends BaseRow {
  tenant_id: Told;
  plugin_id: Told;
  plugin_unique_identifier: Told;
  runtime_type: string | null;
  endpoints_setups: number | null;
  endpoints_active: number | null;
  source: string | null;
  meta: string | null;
}

interface DeclarationRow extends BaseRow {
  plugin_unique_identifier: Told;
  plugin_id: Told;
  declaration: string | null;
}

interface EndpointRow extends BaseRow {
  name: string | null;
  hook_id: Told;
  tenant_id: Told;
  user_id: string | null;
  plugin_id: Told;
  expired_at: Time;
  enabled: Flag;
  settings: string | null;
}

interface ServerlessRuntimeRow extends BaseRow {
  plugin_unique_identifier: Told;
  function_url: string | null;
  function_name: string | null;
  type: string | null;
  checksum: string | null;
}

interface ProjectionRow extends BaseRow {
  tenant_id: string;
  provider: string;
  plugin_unique_identifier: Told;
  plugin_id: Told;
}

interface InstallTaskRow extends BaseRow {
  status: string;
  tenant_id: string;
  total_plugins: number;
  completed_plugins: number;
  plugins: string | null;
}

interface TenantStorageRow extends BaseRow {
  tenant_id: string;
  plugin_id: string;
  size: number;
}

interface ReadmeRow extends BaseRow {
  plugin_unique_identifier: string;
  language: string;
  content: string;
}

interface LeaseRow extends BaseRow {
  owner: string;
  deadline: number;
}

interface TaskLeaseRow extends LeaseRow {
  work: string | null;
}

interface JobLeaseRow extends LeaseRow {
  attempts: number;
}

interface AuditEventRow extends BaseRow {
  action: string;
  tenant_id: string | null;
  subject: string | null;
  address: string | null;
  credential: string | null;
  outcome: string | null;
  detail: string | null;
  trace_id: string | null;
}

export interface PluginNoteRow extends BaseRow {
  kind: string;
  subject: string;
  value: string | null;
}

export interface Tables {
  plugins: PluginRow;
  plugin_installations: InstallationRow;
  plugin_declarations: DeclarationRow;
  endpoints: EndpointRow;
  serverless_runtimes: ServerlessRuntimeRow;
  tool_installations: ProjectionRow;
  agent_strategy_installations: ProjectionRow;
  datasource_installations: ProjectionRow;
  trigger_installations: ProjectionRow;
  ai_model_installations: ProjectionRow;
  install_tasks: InstallTaskRow;
  tenant_storages: TenantStorageRow;
  plugin_readme_records: ReadmeRow;
  install_task_leases: TaskLeaseRow;
  debugging_leases: LeaseRow;
  job_leases: JobLeaseRow;
  audit_events: AuditEventRow;
  plugin_notes: PluginNoteRow;
}
