import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { ColumnSpec, TableSpec, Tables } from '../schema.ts';

export type Row = Readonly<Record<string, unknown>>;

const pageRows = 500;
const batchRows = 100;
const batchCharacters = 1024 * 1024;

/** The rows of a table in the order of their ids, as values to be written: times as dates, booleans as booleans. */
export async function* readRows(
  kysely: Kysely<Tables>,
  table: TableSpec,
  columns: readonly string[],
): AsyncGenerator<Row> {
  const list = sql.join(columns.map((column) => sql.ref(column)));
  let last: string | undefined;
  for (;;) {
    const after = last === undefined ? sql`` : sql`where id > ${last}`;
    const { rows } = await sql<Record<string, unknown>>`
      select ${list} from ${sql.table(table.name)} ${after} order by id limit ${sql.lit(pageRows)}`.execute(kysely);
    for (const row of rows) yield written(table, row);
    if (rows.length < pageRows) return;
    last = String(rows.at(-1)?.id);
  }
}

function written(table: TableSpec, row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value === null ? null : storable(table.columns[name], value)]),
  );
}

function storable(column: ColumnSpec | undefined, value: unknown): unknown {
  if (column?.kind === 'time') {
    const time = new Date(String(value));
    return Number.isNaN(time.getTime()) ? null : time;
  }
  return column?.kind === 'boolean' ? Boolean(value) : value;
}

/** Writes rows in statements of a bearable size. */
export class RowWriter {
  readonly #kysely: Kysely<Tables>;
  readonly #table: string;
  readonly #columns: readonly string[];
  #waiting: Row[] = [];
  #characters = 0;

  constructor(kysely: Kysely<Tables>, table: string, columns: readonly string[]) {
    this.#kysely = kysely;
    this.#table = table;
    this.#columns = columns;
  }

  async write(row: Row): Promise<void> {
    this.#waiting.push(row);
    for (const value of Object.values(row)) if (typeof value === 'string') this.#characters += value.length;
    if (this.#waiting.length >= batchRows || this.#characters >= batchCharacters) await this.end();
  }

  async end(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const list = sql.join(this.#columns.map((column) => sql.ref(column)));
    const values = this.#waiting.map((row) => sql`(${sql.join(this.#columns.map((column) => row[column]))})`);
    this.#waiting = [];
    this.#characters = 0;
    await sql`insert into ${sql.table(this.#table)} (${list}) values ${sql.join(values)}`.execute(this.#kysely);
  }
}

/** Tells whether two tables hold the same rows, in whatever order. */
export class RowDigest {
  rows = 0;
  readonly #sum = Buffer.alloc(32);

  add(row: Row, columns: readonly string[]): void {
    this.rows++;
    const digest = createHash('sha256')
      .update(JSON.stringify(columns.map((column) => row[column] ?? null)))
      .digest();
    for (const [at, byte] of digest.entries()) this.#sum[at] = (this.#sum[at] ?? 0) ^ byte;
  }

  equals(other: RowDigest): boolean {
    return this.rows === other.rows && this.#sum.equals(other.#sum);
  }
}
