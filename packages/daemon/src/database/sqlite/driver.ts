import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely';
import { bindable } from '../bindable.ts';
import { sqliteError } from './errors.ts';

export interface SqliteFileOptions {
  /** Absolute path, or `:memory:`. */
  readonly file: string;
}

/**
 * Kysely's driver over node:sqlite: one connection, given to one user at a time, so that a transaction is never mixed
 * with the statements of others. Calls are synchronous; statements are kept prepared.
 */
export class NodeSqliteDriver implements Driver {
  readonly #options: SqliteFileOptions;
  #connection: NodeSqliteConnection | undefined;

  constructor(options: SqliteFileOptions) {
    this.#options = options;
  }

  async init(): Promise<void> {
    this.#connection = new NodeSqliteConnection(this.#options.file);
  }

  async acquireConnection(): Promise<NodeSqliteConnection> {
    if (this.#connection === undefined) throw new Error('the database is not open');
    return this.#connection;
  }

  async releaseConnection(): Promise<void> {
    // There is only the one, and Kysely gives it out to one user at a time: the adapter says so.
  }

  // IMMEDIATE: a transaction that only finds out at its first write that it cannot write has to be repeated.
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: NodeSqliteConnection): Promise<void> {
    // A full disk and some other failures have rolled back already.
    if (connection.inTransaction) await connection.executeQuery(CompiledQuery.raw('rollback'));
  }

  async destroy(): Promise<void> {
    this.#connection?.close();
    this.#connection = undefined;
  }
}

const mostStatements = 500;

interface Prepared {
  readonly statement: StatementSync;
  readonly returnsRows: boolean;
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #prepared = new Map<string, Prepared>();

  constructor(file: string) {
    this.#file = file;
    try {
      // SQLite would let everybody read what it creates; its -wal and -shm files take their mode from this one.
      if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
      this.#database = new DatabaseSync(file, { timeout: 2000 });
    } catch (error) {
      throw sqliteError(error, file);
    }
    try {
      this.#database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on');
    } catch (error) {
      this.#database.close();
      throw sqliteError(error, file);
    }
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { statement, returnsRows } = this.#prepare(sql);
      const values = parameters.map(stored);
      // Kysely's types promise that the rows of this text are R.
      if (returnsRows) return { rows: statement.all(...values) as R[] };
      const { changes, lastInsertRowid } = statement.run(...values);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    } catch (error) {
      throw sqliteError(error, this.#file);
    }
  }

  // biome-ignore lint/correctness/useYield: nothing here streams queries
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streamed queries are not supported');
  }

  close(): void {
    this.#prepared.clear();
    this.#database.close();
  }

  #prepare(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const made = { statement, returnsRows: statement.columns().length > 0 };
    if (this.#prepared.size >= mostStatements) {
      const [oldest] = this.#prepared.keys();
      if (oldest !== undefined) this.#prepared.delete(oldest);
    }
    this.#prepared.set(sql, made);
    return made;
  }
}

/** node:sqlite takes an object in first place for named parameters and then silently stores nulls: no object gets there. */
function stored(value: unknown): SQLInputValue {
  const known = bindable(value);
  if (typeof known === 'boolean') return known ? 1 : 0;
  return known instanceof Date ? known.toISOString() : known;
}
