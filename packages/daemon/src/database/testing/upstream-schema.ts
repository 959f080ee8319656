/** The schema that the existing daemon's own migration makes, as it was read from such databases. For tests only. */
import schema from './upstream-schema.json' with { type: 'json' };

export interface UpstreamTable {
  /** Name → kind, ` not null` and ` default …` where it has them. `id` is the primary key. */
  readonly columns: Readonly<Record<string, string>>;
  /** Name → columns, after `unique` or `constraint` (a unique constraint, where the database tells them apart). */
  readonly indexes: Readonly<Record<string, string>>;
}

export const upstreamSchema: Readonly<Record<string, UpstreamTable>> = schema;

type Kind = 'postgresql' | 'mysql';

const types: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  postgresql: { uuid: 'uuid', time: 'timestamp with time zone', bigint: 'bigint', boolean: 'boolean', text: 'text' },
  mysql: { uuid: 'char(36)', time: 'datetime(3)', bigint: 'bigint', boolean: 'tinyint(1)', text: 'longtext' },
};

/** The type of a column as the kind of server has it, and the rest of its description. */
export function columnOf(kind: Kind, description: string): { readonly type: string; readonly rest: string } {
  const [, name = '', rest = ''] = /^(\S+)(.*)$/.exec(description) ?? [];
  const varchar = kind === 'postgresql' ? name.replace('varchar', 'character varying') : name;
  return { type: types[kind][name] ?? varchar, rest };
}

/** The statements that make these tables. */
export function upstreamStatements(kind: Kind): readonly string[] {
  return Object.entries(upstreamSchema).flatMap(([table, { columns, indexes }]) => {
    const lines = Object.entries(columns).map(([name, description]) => {
      const { type, rest } = columnOf(kind, description);
      return `${name} ${type}${rest}${name === 'id' ? ' primary key' : ''}`;
    });
    const made = Object.entries(indexes).map(([name, description]) => {
      const [, uniqueness, list = ''] = /^(unique |constraint )?(.*)$/.exec(description) ?? [];
      if (uniqueness === 'constraint ') return `alter table ${table} add constraint ${name} unique (${list})`;
      return `create ${uniqueness ?? ''}index ${name} on ${table} (${list})`;
    });
    return [`create table ${table} (${lines.join(', ')})`, ...made];
  });
}
