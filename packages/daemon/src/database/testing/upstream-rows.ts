/**
 * Rows as databases that have lived for years have them: NULL, `null`, `{}`, unknown keys, duplicates where no key forbids them,
 * counters that have drifted, columns of older versions. For tests only.
 */
export const TENANT = '4e2b4f2e-30ab-4b40-9a1a-0b7a11d0c0a1';
export const OTHER = '9d8c1f30-8f0b-4b59-8f2e-2d4c3b1a0f02';
export const UID = `acme/old:0.0.1@${'a'.repeat(64)}`;
export const REMOTE = `acme/remote:0.0.1@${'b'.repeat(64)}`;
export const GONE = `acme/gone:0.0.1@${'c'.repeat(64)}`;
export const HOOK = 'abcdefghij012345';

type Value = string | number | null;

const id = (n: number): string => `01890000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const time = '2024-05-06 07:08:09.123';
const emptyDeclaration =
  '{"version":"","type":"","author":"","name":"","label":{"en_US":""},"description":{"en_US":""},"icon":"","icon_dark":"","resource":{"memory":0},"plugins":{"tools":null},"tags":null,"created_at":"0001-01-01T00:00:00Z","verified":false}';
const declaration =
  '{"version":"0.0.1","type":"plugin","author":"acme","name":"old","tool":{"identity":{"name":"old","unknown":[1]},"tools":[]},"future_key":{"x":1},"created_at":"2024-05-06T07:08:09.123456789Z","verified":true}';

/** Table → rows. Columns that are not named are NULL. */
export const upstreamRows: Readonly<Record<string, readonly Readonly<Record<string, Value>>[]>> = {
  plugins: [
    {
      id: id(1),
      created_at: time,
      updated_at: time,
      plugin_unique_identifier: UID,
      plugin_id: 'acme/old',
      refers: 7,
      install_type: 'local',
      manifest_type: '',
      remote_declaration: emptyDeclaration,
      source: 'marketplace',
    },
    {
      id: id(2),
      created_at: time,
      updated_at: time,
      plugin_unique_identifier: REMOTE,
      plugin_id: 'acme/remote',
      refers: 1,
      install_type: 'remote',
      manifest_type: 'plugin',
      remote_declaration: declaration,
      source: '',
    },
    { id: id(3), plugin_unique_identifier: GONE, plugin_id: 'acme/gone', refers: -1, remote_declaration: 'null' },
  ],
  plugin_installations: [
    {
      id: id(11),
      created_at: time,
      updated_at: time,
      tenant_id: TENANT,
      plugin_id: 'acme/old',
      plugin_unique_identifier: UID,
      runtime_type: 'local',
      endpoints_setups: -2,
      endpoints_active: -1,
      source: 'marketplace',
      meta: '{"plugin_unique_identifier":"x","unknown":{"deep":[null]}}',
    },
    {
      id: id(12),
      created_at: null,
      updated_at: null,
      tenant_id: OTHER,
      plugin_id: 'acme/old',
      plugin_unique_identifier: UID,
      runtime_type: null,
      endpoints_setups: null,
      endpoints_active: null,
      source: null,
      meta: null,
    },
    {
      id: id(13),
      created_at: time,
      updated_at: time,
      tenant_id: TENANT,
      plugin_id: 'acme/remote',
      plugin_unique_identifier: REMOTE,
      runtime_type: 'remote',
      endpoints_setups: 0,
      endpoints_active: 0,
      source: 'remote',
      meta: 'null',
    },
  ],
  plugin_declarations: [
    {
      id: id(21),
      created_at: time,
      updated_at: time,
      plugin_unique_identifier: UID,
      plugin_id: 'acme/old',
      declaration,
    },
    {
      id: id(22),
      created_at: time,
      updated_at: time,
      plugin_unique_identifier: GONE,
      plugin_id: 'acme/gone',
      declaration: null,
    },
  ],
  tool_installations: [
    {
      id: id(31),
      created_at: time,
      updated_at: time,
      tenant_id: TENANT,
      provider: 'old',
      plugin_unique_identifier: UID,
      plugin_id: 'acme/old',
    },
    {
      id: id(32),
      created_at: time,
      updated_at: time,
      tenant_id: TENANT,
      provider: 'old',
      plugin_unique_identifier: UID,
      plugin_id: 'acme/old',
    },
  ],
  ai_model_installations: [
    {
      id: id(41),
      created_at: time,
      updated_at: time,
      tenant_id: TENANT,
      provider: 'm',
      plugin_unique_identifier: UID,
      plugin_id: 'acme/old',
    },
    {
      id: id(42),
      created_at: time,
      updated_at: time,
      tenant_id: TENANT,
      provider: 'm',
      plugin_unique_identifier: UID,
      plugin_id: 'acme/old',
    },
  ],
  endpoints: [
    {
      id: id(51),
      created_at: time,
      updated_at: time,
      name: 'hook',
      hook_id: HOOK,
      tenant_id: TENANT,
      user_id: 'u',
      plugin_id: 'acme/old',
      expired_at: '2050-01-01 00:00:00',
      enabled: 1,
      settings: '{"api_key":"c","n":1}',
    },
    {
      id: id(52),
      created_at: time,
      updated_at: time,
      name: null,
      hook_id: 'zyxwvutsrq543210',
      tenant_id: TENANT,
      user_id: null,
      plugin_id: 'acme/old',
      expired_at: null,
      enabled: null,
      settings: 'null',
    },
  ],
  install_tasks: [
    {
      id: id(61),
      created_at: time,
      updated_at: time,
      status: 'running',
      tenant_id: TENANT,
      total_plugins: 1,
      completed_plugins: 0,
      plugins: `[{"plugin_unique_identifier":"${UID}","labels":null,"icon":"","plugin_id":"acme/old","status":"running","message":"starting","unknown":1}]`,
    },
    {
      id: id(62),
      created_at: time,
      updated_at: time,
      status: 'failed',
      tenant_id: OTHER,
      total_plugins: 1,
      completed_plugins: 0,
      plugins: null,
    },
  ],
  tenant_storages: [
    { id: id(71), created_at: time, updated_at: time, tenant_id: TENANT, plugin_id: 'acme/old', size: 30 },
    { id: id(72), created_at: time, updated_at: time, tenant_id: TENANT, plugin_id: 'acme/old', size: 20 },
    { id: id(73), created_at: time, updated_at: time, tenant_id: OTHER, plugin_id: 'acme/old', size: 5 },
  ],
  plugin_readme_records: [
    {
      id: id(81),
      created_at: time,
      updated_at: time,
      plugin_unique_identifier: UID,
      language: 'en_US',
      content: 'first',
    },
    {
      id: id(82),
      created_at: time,
      updated_at: time,
      plugin_unique_identifier: UID,
      language: 'en_US',
      content: 'second',
    },
  ],
};

/** What older versions have left: a column that is not ours, and a table. */
export const olderStatements: readonly string[] = [
  'alter table plugins add column declaration text',
  "update plugins set declaration = 'kept'",
  'create table plugin_readmes (id varchar(36) primary key, tenant_id varchar(36), content text)',
  "insert into plugin_readmes values ('1', 't', 'kept')",
];

export function insertStatements(kind: 'postgresql' | 'mysql'): readonly string[] {
  const literal = (column: string, value: Value): string => {
    if (value === null) return 'null';
    if (column === 'enabled' && kind === 'postgresql') return value === 1 ? 'true' : 'false';
    if (typeof value === 'number') return String(value);
    return `'${value}'${kind === 'postgresql' && column.endsWith('_at') ? " || '+00'" : ''}`;
  };
  return Object.entries(upstreamRows).flatMap(([table, rows]) =>
    rows.map((row) => {
      const values = Object.entries(row).map(([column, value]) => {
        const text = literal(column, value);
        return kind === 'postgresql' && column.endsWith('_at') && value !== null ? `(${text})::timestamptz` : text;
      });
      return `insert into ${table} (${Object.keys(row).join(', ')}) values (${values.join(', ')})`;
    }),
  );
}
