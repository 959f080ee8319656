import { type Kysely, sql } from 'kysely';
import { DatabaseError } from '../database-error.ts';
import type { SqlDialect } from '../dialect.ts';
import { migrate } from '../migrate.ts';
import { type DatabaseOptions, openDialect } from '../open.ts';
import { type TableSpec, type Tables, tables } from '../schema.ts';
import { misfits } from './fitness.ts';
import { RowDigest, RowWriter, readRows } from './rows.ts';

export interface TableReport {
  readonly table: string;
  /** In the source. */
  readonly rows: number;
  /** Columns of the source that are not the daemon's; they are left behind. */
  readonly leftBehind: readonly string[];
}

export interface TransferReport {
  readonly tables: readonly TableReport[];
  /** Tables of the source that are not the daemon's. */
  readonly otherTables: readonly string[];
  /** Rows that cannot be stored in the target, with the reason; then nothing was moved. The first ones. */
  readonly problems: readonly string[];
  readonly moved: boolean;
}

export interface TransferOptions {
  /** Reads and checks everything, and changes nothing. */
  readonly dryRun: boolean;
}

/** What processes hold while they live. */
const leases: ReadonlySet<string> = new Set(['install_task_leases', 'debugging_leases', 'job_leases']);
const moving = tables.filter(({ name }) => !leases.has(name));
const mostProblems = 50;

interface Movable {
  readonly table: TableSpec;
  readonly columns: readonly string[];
  readonly digest: RowDigest;
}

/**
 * Copies every row of the daemon's tables into an empty database, all or nothing.
 * @throws DatabaseError when one of them cannot be used, the target is not empty, or a daemon works on the source
 */
export async function transfer(
  from: DatabaseOptions,
  to: DatabaseOptions,
  { dryRun }: TransferOptions,
): Promise<TransferReport> {
  const source = await openDialect(from, { create: false });
  try {
    const present = await source.presentSchema(source.kysely);
    await refuseIfWorkedOn(source, present.tables);
    const movable: Movable[] = [];
    const reports: TableReport[] = [];
    const problems: string[] = [];
    for (const table of moving) {
      const there = present.tables.get(table.name);
      if (there === undefined) continue;
      const columns = Object.keys(table.columns).filter((column) => there.has(column));
      const digest = new RowDigest();
      for await (const row of readRows(source.kysely, table, columns)) {
        digest.add(row, columns);
        if (problems.length < mostProblems) problems.push(...misfits(table, row, to.type));
      }
      movable.push({ table, columns, digest });
      const leftBehind = [...there].filter((column) => !(column in table.columns));
      reports.push({ table: table.name, rows: digest.rows, leftBehind });
    }
    const known = new Set(tables.map(({ name }) => name));
    const report = {
      tables: reports,
      otherTables: [...present.tables.keys()].filter((name) => !known.has(name)),
      problems: problems.slice(0, mostProblems),
    };
    if (dryRun) await look(to);
    if (dryRun || problems.length > 0) return { ...report, moved: false };
    await move(source, movable, to);
    return { ...report, moved: true };
  } finally {
    await source.kysely.destroy();
  }
}

/** Whether the target could be written: it is there and empty, or can be made later. */
async function look(to: DatabaseOptions): Promise<void> {
  try {
    const target = await openDialect(to, { create: false });
    try {
      const present = await target.presentSchema(target.kysely);
      await refuseIfFilled(target, target.kysely, present.tables);
    } finally {
      await target.kysely.destroy();
    }
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.failure !== 'absent') throw error;
  }
}

async function move(source: SqlDialect, movable: readonly Movable[], to: DatabaseOptions): Promise<void> {
  const target = await openDialect(to, { create: true });
  try {
    await migrate(target);
    await target.transaction(async (tx) => {
      await refuseIfFilled(target, tx, new Map(moving.map(({ name }) => [name, new Set<string>()])));
      for (const { table, columns, digest } of movable) {
        const writer = new RowWriter(tx, table.name, columns);
        for await (const row of readRows(source.kysely, table, columns)) await writer.write(row);
        await writer.end();
        const arrived = new RowDigest();
        for await (const row of readRows(tx, table, columns)) arrived.add(row, columns);
        if (arrived.equals(digest)) continue;
        throw new DatabaseError('other', `${table.name} did not arrive as it was read: nothing was moved`, {
          cause: undefined,
          remedy: 'stop every daemon that uses the source, and begin anew',
        });
      }
    });
  } finally {
    await target.kysely.destroy();
  }
}

async function refuseIfFilled(
  dialect: SqlDialect,
  kysely: Kysely<Tables>,
  present: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<void> {
  for (const { name } of moving) {
    if (!present.has(name)) continue;
    const { rows } = await sql`select id from ${sql.table(name)} limit 1`.execute(kysely);
    if (rows.length === 0) continue;
    throw new DatabaseError('duplicate', `the target, ${dialect.place}, is not empty: ${name} has rows`, {
      cause: undefined,
      remedy: 'name an empty database, or one that is missing and can be created',
    });
  }
}

async function refuseIfWorkedOn(dialect: SqlDialect, present: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
  if (dialect.soleUser) return;
  for (const name of leases) {
    if (!present.has(name)) continue;
    const { rows } = await sql<{ owner: string }>`
      select owner from ${sql.table(name)} where deadline > ${dialect.clockMs} limit 1`.execute(dialect.kysely);
    if (rows[0] === undefined) continue;
    throw new DatabaseError('busy', `a daemon works on the source: node ${rows[0].owner} holds a lease`, {
      cause: undefined,
      remedy: 'stop every daemon that uses it, then begin anew (a lease of one that died ends after half a minute)',
    });
  }
}
