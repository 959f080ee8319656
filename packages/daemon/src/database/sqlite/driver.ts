import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { CompiledQuery, type DatabaseConnection, type Driver, type QueryResult } from 'kysely';
import { bindable } from '../bindable.ts';
import { DatabaseError } from '../database-error.ts';
import { sqliteError } from './errors.ts';

export interface SqliteFileOptions {
  /** Absolute path, or `:memory:`. */
  readonly file: string;
  /** Other processes of this daemon have it open as well; `first`: not yet, and those of the past are gone. */
  readonly shared?: 'first' | 'further' | undefined;
}

/** How long the file may be another process's, in ms. */
const BUSY_MS = 2000;
/** The same where writers take turns: a transaction of another process may be waiting for its own turn of the processor. */
const SHARED_BUSY_MS = 15_000;
/** Between two attempts at first, and at most. */
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 20;

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
    this.#connection = new NodeSqliteConnection(this.#options);
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
  readonly #shared: boolean;
  readonly #prepared = new Map<string, Prepared>();

  constructor({ file, shared }: SqliteFileOptions) {
    this.#file = file;
    this.#shared = shared !== undefined;
    try {
      // SQLite would let everybody read what it creates; its -wal and -shm files take their mode from this one.
      if (file !== ':memory:') closeSync(openSync(file, 'a', 0o600));
      this.#database = new DatabaseSync(file, { timeout: BUSY_MS });
    } catch (error) {
      throw sqliteError(error, file);
    }
    try {
      this.#database.exec('pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on');
      // SQLite would wait inside the call, and with it everything else of this process.
      if (this.#shared) this.#database.exec('pragma busy_timeout = 0');
    } catch (error) {
      this.#database.close();
      throw sqliteError(error, file);
    }
  }

  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // What waits holds nothing yet: a transaction takes the right to write with its beginning.
    const until = this.#shared && !this.inTransaction ? performance.now() + SHARED_BUSY_MS : 0;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return this.#execute(query);
      } catch (error) {
        const isBusy = error instanceof DatabaseError && error.failure === 'busy';
        if (!isBusy || performance.now() >= until) throw error;
        await pause(pauseMs * Math.random());
      }
    }
  }

  #execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
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
