/**
 * The tables as data for the migration; `row-types.ts` has them as types for the queries. Names, columns and indexes are those of
 * docs/wire/state.md#tables; what is ours is marked so.
 */

export type { Tables } from './row-types.ts';

export type ColumnKind = 'id' | 'uuid' | 'time' | 'bigint' | 'boolean' | 'text' | { readonly varchar: number };

export interface ColumnSpec {
  readonly kind: ColumnKind;
  readonly notNull?: boolean;
  readonly default?: string | number;
}

export interface IndexSpec {
  readonly name: string;
  readonly columns: readonly string[];
  /** `constraint`: by a constraint of this name, where a database tells it from a unique index. */
  readonly unique?: 'index' | 'constraint';
}

export interface TableSpec {
  readonly name: string;
  readonly columns: { readonly [name: string]: ColumnSpec };
  readonly indexes: readonly IndexSpec[];
}

const base = { id: { kind: 'id' }, created_at: { kind: 'time' }, updated_at: { kind: 'time' } } as const;
const uuid: ColumnSpec = { kind: 'uuid' };
const text: ColumnSpec = { kind: 'text' };
const bigint: ColumnSpec = { kind: 'bigint' };
const varchar = (length: number, rest: Omit<ColumnSpec, 'kind'> = {}): ColumnSpec => ({
  kind: { varchar: length },
  ...rest,
});
const required = (column: ColumnSpec): ColumnSpec => ({ ...column, notNull: true });
const index = (name: string, ...columns: string[]): IndexSpec => ({ name, columns });
const unique = (name: string, ...columns: string[]): IndexSpec => ({ name, columns, unique: 'index' });
const constraint = (name: string, ...columns: string[]): IndexSpec => ({ name, columns, unique: 'constraint' });

const projection = (name: string): TableSpec => ({
  name,
  columns: {
    ...base,
    tenant_id: required(uuid),
    provider: required(varchar(127)),
    plugin_unique_identifier: varchar(255),
    plugin_id: varchar(255),
  },
  indexes: ['tenant_id', 'provider', 'plugin_unique_identifier', 'plugin_id'].map((column) =>
    index(`idx_${name}_${column}`, column),
  ),
});

/** In the order they are created. */
export const tables: readonly TableSpec[] = [
  {
    name: 'plugins',
    columns: {
      ...base,
      plugin_unique_identifier: varchar(255),
      plugin_id: varchar(255),
      refers: { kind: 'bigint', default: 0 },
      install_type: varchar(127),
      manifest_type: varchar(127),
      remote_declaration: text,
      source: varchar(63, { default: '' }),
    },
    indexes: [
      unique('idx_plugin_unique_identifier', 'plugin_unique_identifier'),
      index('idx_plugins_plugin_id', 'plugin_id'),
      index('idx_plugins_install_type', 'install_type'),
    ],
  },
  {
    name: 'plugin_installations',
    columns: {
      ...base,
      tenant_id: uuid,
      plugin_id: varchar(255),
      plugin_unique_identifier: varchar(255),
      runtime_type: varchar(127),
      endpoints_setups: bigint,
      endpoints_active: bigint,
      source: varchar(63),
      meta: text,
    },
    indexes: [
      unique('idx_tenant_plugin', 'tenant_id', 'plugin_id'),
      index('idx_plugin_installations_tenant_id', 'tenant_id'),
      index('idx_plugin_installations_plugin_id', 'plugin_id'),
      index('idx_plugin_installations_plugin_unique_identifier', 'plugin_unique_identifier'),
    ],
  },
  {
    name: 'plugin_declarations',
    columns: { ...base, plugin_unique_identifier: varchar(255), plugin_id: varchar(255), declaration: text },
    indexes: [
      constraint('uni_plugin_declarations_plugin_unique_identifier', 'plugin_unique_identifier'),
      index('idx_plugin_declarations_plugin_id', 'plugin_id'),
    ],
  },
  {
    name: 'endpoints',
    columns: {
      ...base,
      name: varchar(127, { default: 'default' }),
      hook_id: varchar(127),
      tenant_id: varchar(64),
      user_id: varchar(64),
      // 64 in older databases, too short for a long author and name.
      plugin_id: varchar(255),
      expired_at: { kind: 'time' },
      enabled: { kind: 'boolean' },
      settings: text,
    },
    indexes: [
      constraint('uni_endpoints_hook_id', 'hook_id'),
      index('idx_endpoints_tenant_id', 'tenant_id'),
      index('idx_endpoints_user_id', 'user_id'),
      index('idx_endpoints_plugin_id', 'plugin_id'),
    ],
  },
  {
    name: 'serverless_runtimes',
    columns: {
      ...base,
      plugin_unique_identifier: varchar(255),
      function_url: varchar(255),
      function_name: varchar(127),
      type: varchar(127),
      checksum: varchar(127),
    },
    indexes: [
      constraint('uni_serverless_runtimes_plugin_unique_identifier', 'plugin_unique_identifier'),
      index('idx_serverless_runtimes_checksum', 'checksum'),
    ],
  },
  projection('datasource_installations'),
  projection('tool_installations'),
  projection('ai_model_installations'),
  {
    name: 'install_tasks',
    columns: {
      ...base,
      status: varchar(50, { notNull: true }),
      tenant_id: required(uuid),
      total_plugins: required(bigint),
      completed_plugins: required(bigint),
      plugins: text,
    },
    indexes: [
      index('idx_install_tasks_status', 'status'),
      // Ours: every poll of a client reads by tenant.
      index('idx_install_tasks_tenant_id', 'tenant_id'),
    ],
  },
  {
    name: 'tenant_storages',
    columns: {
      ...base,
      tenant_id: varchar(255, { notNull: true }),
      plugin_id: varchar(255, { notNull: true }),
      size: required(bigint),
    },
    indexes: [index('idx_tenant_storages_tenant_id', 'tenant_id'), index('idx_tenant_storages_plugin_id', 'plugin_id')],
  },
  projection('agent_strategy_installations'),
  projection('trigger_installations'),
  {
    name: 'plugin_readme_records',
    columns: {
      ...base,
      plugin_unique_identifier: varchar(255, { notNull: true }),
      language: varchar(10, { notNull: true }),
      content: required(text),
    },
    indexes: [index('idx_plugin_readme_records_plugin_unique_identifier', 'plugin_unique_identifier')],
  },
  {
    // Ours, in a table of its own so that the existing daemon's one stays as it is. `id` is the id of the task;
    // `deadline` is in milliseconds of the epoch; `work` says what is to be done, for whoever takes it over.
    name: 'install_task_leases',
    columns: { ...base, owner: varchar(127, { notNull: true }), deadline: required(bigint), work: text },
    indexes: [index('idx_install_task_leases_owner', 'owner')],
  },
  {
    // Ours: which node serves a debugging installation. `id` is the id of the installation.
    name: 'debugging_leases',
    columns: { ...base, owner: varchar(127, { notNull: true }), deadline: required(bigint) },
    indexes: [index('idx_debugging_leases_owner', 'owner')],
  },
  {
    // Ours: which attempt of which node works on a job. `id` is derived from the id of the job.
    name: 'job_leases',
    columns: {
      ...base,
      owner: varchar(127, { notNull: true }),
      deadline: required(bigint),
      attempts: required(bigint),
    },
    indexes: [],
  },
  {
    // Ours.
    name: 'audit_events',
    columns: {
      ...base,
      action: varchar(63, { notNull: true }),
      tenant_id: varchar(255),
      subject: text,
      address: varchar(127),
      credential: varchar(63),
      outcome: varchar(63),
      detail: text,
      trace_id: varchar(63),
    },
    indexes: [index('idx_audit_events_tenant_id', 'tenant_id'), index('idx_audit_events_created_at', 'created_at')],
  },
  {
    // Ours. The id is derived from kind and subject.
    name: 'plugin_notes',
    columns: { ...base, kind: varchar(63, { notNull: true }), subject: varchar(511, { notNull: true }), value: text },
    indexes: [index('idx_plugin_notes_kind', 'kind')],
  },
];
