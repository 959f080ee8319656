import { isIP } from 'node:net';
import type { CompiledQuery, IsolationLevel, QueryResult } from 'kysely';
import type { PoolOptions, ResultSetHeader, TypeCastField } from 'mysql2';
import type { Pool, PoolConnection } from 'mysql2/promise';
import { bindable } from '../bindable.ts';
import { DatabaseError } from '../database-error.ts';
import { type ServerOptions, type SessionPool, tlsOptions, within } from '../servers/index.ts';
import { mysqlError } from './errors.ts';

/**
 * What each connection is told first. Values too long are an error instead of being cut; text is escaped with backslashes, which the
 * server has to read so; each statement sees what was committed before it. Zero dates are not refused: none is written here, but
 * databases of former times have them in rows and as defaults, and refusing would keep their tables from being changed.
 */
const sessionSettings = [
  "set session sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION'",
  'set session transaction isolation level read committed',
];

/** The pool of `mysql2`, which is loaded by this. Without a database when `database` is null. */
export async function openPool(options: ServerOptions, database: string | null = options.database): Promise<MysqlPool> {
  const { createPool } = await import('mysql2/promise');
  const { pool, timeouts } = options;
  const tls = ssl(options);
  const config: PoolOptions = {
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
    ...(database !== null && { database }),
    ...(tls !== undefined && { ssl: tls }),
    charset: 'utf8mb4',
    connectionLimit: pool.maxOpen,
    maxIdle: pool.maxIdle,
    connectTimeout: timeouts.connectMs,
    enableKeepAlive: true,
    // So that an insert that finds its key taken counts nothing; matched rows of an update are in its message.
    flags: ['-FOUND_ROWS'],
    typeCast: parsed,
  };
  return new MysqlPool(createPool(config), options);
}

function ssl(options: ServerOptions): PoolOptions['ssl'] {
  // As in the existing daemon: `require` verifies with the authorities of the system.
  const tls = tlsOptions(options, true);
  if (tls === undefined) return undefined;
  const { verifyHost, ...rest } = tls;
  if (verifyHost && isIP(options.host) !== 0) {
    // The library would check its certificate for the name `localhost`.
    throw new DatabaseError('denied', `the certificate of ${options.host} cannot be checked: DB_HOST is an address`, {
      cause: undefined,
      remedy: 'set DB_HOST to a name in the certificate of the server, or DB_SSL_MODE=verify-ca',
    });
  }
  return { ...rest, verifyIdentity: verifyHost };
}

/** A value in the form that the records are made from. Times are stored as UTC without a zone. */
function parsed(field: TypeCastField, _next: () => unknown): unknown {
  const text = field.string();
  if (text === null) return null;
  switch (field.type) {
    case 'TINY':
    case 'SHORT':
    case 'LONG':
    case 'LONGLONG':
    case 'NEWDECIMAL':
    case 'DECIMAL':
    case 'DOUBLE':
      return Number(text);
    case 'DATETIME':
    case 'TIMESTAMP': {
      const time = new Date(`${text.replace(' ', 'T')}Z`);
      return Number.isNaN(time.getTime()) ? null : time.toISOString();
    }
    default:
      return text;
  }
}

export class MysqlPool implements SessionPool<PoolConnection> {
  readonly #pool: Pool;
  readonly #options: ServerOptions;
  readonly #place: string;
  /** When a connection was made, in milliseconds of this process. */
  readonly #bornAt = new WeakMap<object, number>();

  constructor(pool: Pool, options: ServerOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#place = `${options.host}:${options.port}`;
  }

  async acquire(): Promise<PoolConnection> {
    const limitMs = this.#options.timeouts.connectMs;
    const connection = await within(this.#connection(), limitMs, {
      late: (late) => late.release(),
      expired: () =>
        new DatabaseError('busy', `the database at ${this.#place} is slow: no connection was free in ${limitMs} ms`, {
          cause: undefined,
          remedy: 'raise DB_MAX_OPEN_CONNS, or find out what keeps the database server busy',
        }),
    });
    if (this.#bornAt.has(connection.connection)) return connection;
    this.#bornAt.set(connection.connection, performance.now());
    try {
      for (const text of sessionSettings) await this.#query(connection, text);
      return connection;
    } catch (error) {
      connection.destroy();
      throw mysqlError(error, this.#place, true);
    }
  }

  async run<R>(
    connection: PoolConnection,
    { sql, parameters, query }: Pick<CompiledQuery, 'sql' | 'parameters' | 'query'>,
  ): Promise<QueryResult<R>> {
    const { readMs, writeMs } = this.#options.timeouts;
    const limitMs = query.kind === 'SelectQueryNode' ? readMs : Math.max(readMs, writeMs);
    const result = await this.#query(connection, sql, parameters, limitMs);
    // Kysely's types promise that the rows of this text are R.
    if (Array.isArray(result)) return { rows: result as R[] };
    const matched = /^Rows matched: (\d+)/.exec(result.info)?.[1];
    return { rows: [], numAffectedRows: BigInt(matched ?? result.affectedRows) };
  }

  async begin(connection: PoolConnection, isolation: IsolationLevel | undefined): Promise<void> {
    if (isolation !== undefined) await this.#query(connection, `set transaction isolation level ${isolation}`);
    await this.#query(connection, 'begin');
  }

  async commit(connection: PoolConnection): Promise<void> {
    await this.#query(connection, 'commit');
  }

  async rollback(connection: PoolConnection): Promise<void> {
    await this.#query(connection, 'rollback');
  }

  release(connection: PoolConnection, broken: boolean): void {
    const age = performance.now() - (this.#bornAt.get(connection.connection) ?? 0);
    const { maxLifetimeSeconds } = this.#options.pool;
    if (broken || (maxLifetimeSeconds > 0 && age > maxLifetimeSeconds * 1000)) connection.destroy();
    else connection.release();
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }

  async #connection(): Promise<PoolConnection> {
    try {
      return await this.#pool.getConnection();
    } catch (error) {
      throw mysqlError(error, this.#place, true);
    }
  }

  async #query(
    connection: PoolConnection,
    sql: string,
    parameters: readonly unknown[] = [],
    timeout = this.#options.timeouts.readMs,
  ): Promise<unknown[] | ResultSetHeader> {
    try {
      const [result] = await connection.query<ResultSetHeader>({ sql, values: parameters.map(stored), timeout });
      // What the library's types cannot say: rows for statements that have some.
      return result as unknown[] | ResultSetHeader;
    } catch (error) {
      throw mysqlError(error, this.#place, false);
    }
  }
}

/** Times without a zone are UTC here; the library would use the zone of this process. */
function stored(value: unknown): string | number | bigint | boolean | null {
  const known = bindable(value);
  return known instanceof Date ? known.toISOString().slice(0, 23).replace('T', ' ') : known;
}
