import { provided, skipReason } from '@plugin-daemon/services';
import { expect, test } from 'vitest';
import { openDatabase } from '../index.ts';
import { connectRaw, freshDatabase, type RawConnection, type ServerDatabase } from '../testing/servers.ts';
import { columnOf, type UpstreamTable, upstreamSchema } from '../testing/upstream-schema.ts';

const servers = ['postgresql', 'mariadb', 'mysql'] as const;

/** What is ours: it does not disturb the existing daemon, which names the columns and looks for the indexes it knows. */
const ourTables = ['audit_events', 'debugging_leases', 'install_task_leases', 'job_leases', 'plugin_notes'];
const ourIndexes = ['idx_install_tasks_tenant_id'];
/** 64 characters are too short for the ids of plugins; databases that have it so keep it. */
const wider: Readonly<Record<string, string>> = { 'endpoints.plugin_id': 'varchar(255)' };

type Kind = ServerDatabase['type'];

const columnQueries: Readonly<Record<Kind, string>> = {
  postgresql: `select c.relname as t, a.attname as n, format_type(a.atttypid, a.atttypmod) as ty,
      case when a.attnotnull then ' not null' else '' end as nn,
      coalesce(' default ' || split_part(pg_get_expr(d.adbin, d.adrelid), '::', 1), '') as d
    from pg_class c join pg_namespace s on s.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where s.nspname = current_schema() and c.relkind = 'r' and a.attnum > 0`,
  mysql: `select table_name as t, column_name as n, replace(column_type, 'bigint(20)', 'bigint') as ty,
      if(is_nullable = 'NO', ' not null', '') as nn,
      if(column_default is null or column_default = 'NULL', '', concat(' default ',
        if(data_type = 'varchar' and column_default not like '''%', quote(column_default), column_default))) as d
    from information_schema.columns where table_schema = database()`,
};

const indexQueries: Readonly<Record<Kind, string>> = {
  postgresql: `select t.relname as t, i.relname as n,
      case when exists (select 1 from pg_constraint q where q.conindid = i.oid and q.contype = 'u') then 'constraint '
        when x.indisunique then 'unique ' else '' end as u,
      (select string_agg(a.attname, ', ' order by k.o) from unnest(x.indkey) with ordinality k(n, o)
        join pg_attribute a on a.attrelid = t.oid and a.attnum = k.n) as cols
    from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
    join pg_namespace s on s.oid = t.relnamespace where s.nspname = current_schema() and not x.indisprimary`,
  mysql: `select table_name as t, index_name as n, if(non_unique = 0, 'unique ', '') as u,
      group_concat(column_name order by seq_in_index separator ', ') as cols
    from information_schema.statistics where table_schema = database() and index_name <> 'PRIMARY'
    group by table_name, index_name, non_unique`,
};

/** Every table with its columns and indexes, in the form of the recorded schema. */
async function read(kind: Kind, raw: RawConnection): Promise<Record<string, UpstreamTable>> {
  const found: Record<string, { columns: Record<string, string>; indexes: Record<string, string> }> = {};
  for (const { t, n, ty, nn, d } of await raw.query(columnQueries[kind])) {
    const table = found[String(t)] ?? { columns: {}, indexes: {} };
    found[String(t)] = table;
    table.columns[String(n)] = `${ty}${n === 'id' ? '' : nn}${d}`;
  }
  for (const { t, n, u, cols } of await raw.query(indexQueries[kind])) {
    if (ourIndexes.includes(String(n))) continue;
    const table = found[String(t)];
    if (table !== undefined) table.indexes[String(n)] = `${u}${cols}`;
  }
  return found;
}

function expected(kind: Kind): Record<string, UpstreamTable> {
  return Object.fromEntries(
    Object.entries(upstreamSchema).map(([table, { columns, indexes }]) => [
      table,
      {
        columns: Object.fromEntries(
          Object.entries(columns).map(([name, description]) => {
            const { type, rest } = columnOf(kind, wider[`${table}.${name}`] ?? description);
            return [name, `${type}${rest}`];
          }),
        ),
        indexes: Object.fromEntries(
          Object.entries(indexes).map(([name, description]) => [
            name,
            // A unique constraint of MySQL is a unique index.
            kind === 'mysql' ? description.replace('constraint ', 'unique ') : description,
          ]),
        ),
      },
    ]),
  );
}

for (const server of servers) {
  test.skipIf(provided(server) === undefined)(
    `every table, column and index is the existing daemon's, on ${server} (${skipReason(server)})`,
    async () => {
      const options = freshDatabase(server);
      await (await openDatabase(options)).close();
      await using raw = await connectRaw(options);
      const made = await read(options.type, raw);
      for (const table of ourTables) {
        expect(made).toHaveProperty(table);
        delete made[table];
      }
      expect(made).toEqual(expected(options.type));

      // A second start changes nothing.
      const before = await read(options.type, raw);
      await (await openDatabase(options)).close();
      expect(await read(options.type, raw)).toEqual(before);
    },
  );
}

test.skipIf(provided('postgresql') === undefined)(
  `a schema that the options name is used, beside others (${skipReason('postgresql')})`,
  async () => {
    const options = freshDatabase('postgresql');
    await (await openDatabase(options)).close();
    await using raw = await connectRaw(options);
    await raw.query('create schema "Plugins"');
    const inSchema = { ...options, options: '-c search_path="Plugins"' };
    const database = await openDatabase(inSchema);
    await database.declarations.insertIfAbsent('a', 'a', '{}');
    await database.close();
    await (await openDatabase(inSchema)).close();
    const count = async (schema: string) =>
      (await raw.query(`select count(*) as n from "${schema}".plugin_declarations`))[0]?.n;
    expect([await count('Plugins'), await count('public')]).toEqual(['1', '0']);
  },
);
