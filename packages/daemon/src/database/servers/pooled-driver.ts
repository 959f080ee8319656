import { messageOf } from '@plugin-daemon/values';
import type {
  CompiledQuery,
  DatabaseConnection,
  Driver,
  IsolationLevel,
  QueryResult,
  TransactionSettings,
} from 'kysely';
import { DatabaseError, type DatabaseFailure } from '../database-error.ts';

/** The pool of a driver library. Everything rejects with `DatabaseError`. */
export interface SessionPool<S> {
  acquire(): Promise<S>;
  run<R>(session: S, query: Pick<CompiledQuery, 'sql' | 'parameters' | 'query'>): Promise<QueryResult<R>>;
  begin(session: S, isolation: IsolationLevel | undefined): Promise<void>;
  commit(session: S): Promise<void>;
  rollback(session: S): Promise<void>;
  /** @param broken what it is connected to, and in which state it is, is not known */
  release(session: S, broken: boolean): void;
  end(): Promise<void>;
}

/** After these a session is in no known state. */
const breaking: ReadonlySet<DatabaseFailure> = new Set<DatabaseFailure>(['lost', 'unreachable', 'uncertain']);
const isFailure = (error: unknown, failures: ReadonlySet<DatabaseFailure>): boolean =>
  error instanceof DatabaseError && failures.has(error.failure);

/**
 * Kysely's driver over a pool. A transaction keeps one session; every other statement takes one for itself, so that a reading
 * one whose connection broke can ask again on another.
 */
export class PooledDriver<S> implements Driver {
  readonly #open: () => Promise<SessionPool<S>>;
  #pool: SessionPool<S> | undefined;

  constructor(open: () => Promise<SessionPool<S>>) {
    this.#open = open;
  }

  async init(): Promise<void> {
    this.#pool = await this.#open();
  }

  async acquireConnection(): Promise<PooledConnection<S>> {
    if (this.#pool === undefined) throw new Error('the database is not open');
    return new PooledConnection(this.#pool);
  }

  async releaseConnection(connection: PooledConnection<S>): Promise<void> {
    connection.release();
  }

  async beginTransaction(connection: PooledConnection<S>, { isolationLevel }: TransactionSettings): Promise<void> {
    await connection.begin(isolationLevel);
  }

  async commitTransaction(connection: PooledConnection<S>): Promise<void> {
    await connection.commit();
  }

  async rollbackTransaction(connection: PooledConnection<S>): Promise<void> {
    await connection.rollback();
  }

  async destroy(): Promise<void> {
    await this.#pool?.end();
    this.#pool = undefined;
  }
}

class PooledConnection<S> implements DatabaseConnection {
  readonly #pool: SessionPool<S>;
  /** Of the transaction. */
  #session: S | undefined;
  #broken = false;

  constructor(pool: SessionPool<S>) {
    this.#pool = pool;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const session = this.#session;
    if (session !== undefined) return await this.#noticing(() => this.#pool.run<R>(session, query));
    try {
      return await this.#alone<R>(query);
    } catch (error) {
      // The pool can hold connections that died with a restart of the server. Reading once more does no harm.
      const asksAgain = query.query.kind === 'SelectQueryNode' && isFailure(error, new Set(['lost']));
      if (!asksAgain) throw error;
      return await this.#alone<R>(query);
    }
  }

  // biome-ignore lint/correctness/useYield: nothing here streams queries
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('streamed queries are not supported');
  }

  async begin(isolation: IsolationLevel | undefined): Promise<void> {
    const session = await this.#pool.acquire();
    this.#session = session;
    this.#broken = false;
    await this.#noticing(() => this.#pool.begin(session, isolation));
  }

  async commit(): Promise<void> {
    const session = this.#session;
    if (session === undefined) throw new Error('there is no transaction');
    try {
      await this.#noticing(() => this.#pool.commit(session));
    } catch (error) {
      if (!isFailure(error, breaking)) throw error;
      const text = messageOf(error);
      throw new DatabaseError('uncertain', `whether the change was kept is not known: ${text}`, {
        cause: error,
        remedy: 'look before you do it again',
      });
    }
  }

  async rollback(): Promise<void> {
    const session = this.#session;
    // The end of a connection ends its transaction; what broke it is what the caller has to hear of.
    if (session === undefined || this.#broken) return;
    try {
      await this.#pool.rollback(session);
    } catch {
      this.#broken = true;
    }
  }

  release(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#pool.release(session, this.#broken);
  }

  async #alone<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const session = await this.#pool.acquire();
    let broken = false;
    try {
      return await this.#pool.run<R>(session, query);
    } catch (error) {
      broken = isFailure(error, breaking);
      throw error;
    } finally {
      this.#pool.release(session, broken);
    }
  }

  async #noticing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (isFailure(error, breaking)) this.#broken = true;
      throw error;
    }
  }
}
