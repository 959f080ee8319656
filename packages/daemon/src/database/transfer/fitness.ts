import type { ColumnSpec, TableSpec } from '../schema.ts';
import type { Row } from './rows.ts';

const uuid = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/** Why a row cannot be stored in a kind of database, column by column: what SQLite takes, servers do not. */
export function misfits(table: TableSpec, row: Row, kind: 'sqlite' | 'postgresql' | 'mysql'): readonly string[] {
  if (kind === 'sqlite') return [];
  return Object.entries(table.columns).flatMap(([name, column]) => {
    const problem = problemOf(column, row[name] ?? null, kind);
    return problem === undefined ? [] : [`${table.name} ${String(row.id)}: ${name} ${problem}`];
  });
}

function problemOf(column: ColumnSpec, value: unknown, kind: 'postgresql' | 'mysql'): string | undefined {
  if (value === null) return column.notNull === true ? 'has no value' : undefined;
  if (typeof value !== 'string') return undefined;
  if (typeof column.kind === 'object' && [...value].length > column.kind.varchar)
    return `has more than ${column.kind.varchar} characters`;
  if (kind === 'mysql')
    return (column.kind === 'id' || column.kind === 'uuid') && value.length > 36 ? 'is too long' : undefined;
  if ((column.kind === 'id' || column.kind === 'uuid') && !uuid.test(value)) return 'is no UUID';
  return value.includes('\0') ? 'has a zero character' : undefined;
}
