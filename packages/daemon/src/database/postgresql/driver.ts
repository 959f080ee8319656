import { checkServerIdentity } from 'node:tls';
import type { CompiledQuery, IsolationLevel, QueryResult } from 'kysely';
import type { Pool, PoolClient, PoolConfig } from 'pg';
import { bindable } from '../bindable.ts';
import { DatabaseError } from '../database-error.ts';
import { type ServerOptions, type SessionPool, tlsOptions } from '../servers/index.ts';
import { postgresqlError } from './errors.ts';

/** Types of columns and results, by their OID, in the form that the records are made from. Everything else stays text. */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'],
  [20, Number],
  [21, Number],
  [23, Number],
  [1700, Number],
  [1114, (text) => isoTime(`${text}+00`)],
  [1184, isoTime],
]);

const timeForm = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?$/;

/**
 * `2026-01-02 03:04:05.678901+05:30` as ISO-8601 UTC with milliseconds. Zones have seconds in the times before there were zones;
 * `infinity`, years before Christ and after 9999 are no times.
 */
function isoTime(text: string): string | null {
  const [, date, clock, sign, hours, minutes = 0, seconds = 0] = timeForm.exec(text) ?? [];
  if (date === undefined) return null;
  const offsetSeconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  const time = new Date(Date.parse(`${date}T${clock}Z`) + (sign === '-' ? 1000 : -1000) * offsetSeconds);
  const iso = Number.isNaN(time.getTime()) ? '' : time.toISOString();
  // Longer with the sign that years out of this range have.
  return iso.length === 24 ? iso : null;
}

/** The pool of `pg`, which is loaded by this. */
export async function openPool(options: ServerOptions, database = options.database): Promise<PostgresqlPool> {
  const { default: pg } = await import('pg');
  const place = `${options.host}:${options.port}`;
  const { pool, timeouts } = options;
  const config: PoolConfig = {
    host: options.host,
    port: options.port,
    user: options.user,
    password: options.password,
    database,
    ssl: ssl(options),
    max: pool.maxOpen,
    maxLifetimeSeconds: pool.maxLifetimeSeconds,
    // Idle ones are limited by number, when they are released.
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: timeouts.connectMs,
    keepAlive: true,
    ...(options.options !== undefined && { options: options.options }),
    types: {
      getTypeParser: (oid: number) => (text: string) => parsers.get(oid)?.(text) ?? (parsers.has(oid) ? null : text),
    } as PoolConfig['types'],
  };
  return new PostgresqlPool(new pg.Pool(config), options, place);
}

function ssl(options: ServerOptions): PoolConfig['ssl'] {
  // As in libpq: `require` encrypts and trusts whoever answers.
  const tls = tlsOptions(options, false);
  if (tls === undefined) return false;
  const { verifyHost, ...rest } = tls;
  return {
    ...rest,
    // Left to itself, `pg` would check the certificate of a server with an IP address for the name `localhost`.
    checkServerIdentity: (_name, cert) => (verifyHost ? checkServerIdentity(options.host, cert) : undefined),
  };
}

const silent = (): void => undefined;

export class PostgresqlPool implements SessionPool<PoolClient> {
  readonly #pool: Pool;
  readonly #options: ServerOptions;
  readonly #place: string;
  /** Connections that are known to write times as they are read here. */
  readonly #settled = new WeakSet<PoolClient>();

  constructor(pool: Pool, options: ServerOptions, place: string) {
    this.#pool = pool;
    this.#options = options;
    this.#place = place;
    // A connection that died while nobody used it: the pool has dropped it, the next user gets another.
    pool.on('error', silent);
  }

  async acquire(): Promise<PoolClient> {
    const client = await this.#connected();
    if (this.#settled.has(client)) return client;
    try {
      await this.#settle(client);
      this.#settled.add(client);
      return client;
    } catch (error) {
      this.release(client, true);
      throw postgresqlError(error, this.#place, true);
    }
  }

  async #connected(): Promise<PoolClient> {
    try {
      const client = await this.#pool.connect();
      // Between two statements of a transaction nobody listens; the next statement reports it.
      client.on('error', silent);
      return client;
    } catch (error) {
      throw postgresqlError(error, this.#place, true);
    }
  }

  /**
   * A server, database or user may be set to write times in words of another style. That is changed only where it is so: PgBouncer
   * carries this setting along with its client, other poolers may not.
   */
  async #settle(client: PoolClient): Promise<void> {
    const { rows } = await this.#query(client, "select current_setting('DateStyle') as style");
    if (!String(rows[0]?.style).startsWith('ISO')) await this.#query(client, "set datestyle = 'ISO'");
  }

  async run<R>(
    client: PoolClient,
    { sql, parameters, query }: Pick<CompiledQuery, 'sql' | 'parameters' | 'query'>,
  ): Promise<QueryResult<R>> {
    const { readMs, writeMs } = this.#options.timeouts;
    const limitMs = query.kind === 'SelectQueryNode' ? readMs : Math.max(readMs, writeMs);
    const { command, rows, rowCount } = await this.#query(client, sql, parameters, limitMs);
    // Kysely's types promise that the rows of this text are R.
    const result = { rows: rows as R[] };
    return command === 'SELECT' ? result : { ...result, numAffectedRows: BigInt(rowCount ?? 0) };
  }

  async begin(client: PoolClient, isolation: IsolationLevel | undefined): Promise<void> {
    await this.#query(client, isolation === undefined ? 'begin' : `begin isolation level ${isolation}`);
  }

  async commit(client: PoolClient): Promise<void> {
    const { command } = await this.#query(client, 'commit');
    if (command !== 'ROLLBACK') return;
    throw new DatabaseError('other', 'the transaction had failed before it was committed: nothing was kept', {
      cause: undefined,
    });
  }

  async rollback(client: PoolClient): Promise<void> {
    await this.#query(client, 'rollback');
  }

  release(client: PoolClient, broken: boolean): void {
    client.removeListener('error', silent);
    const enough = this.#pool.idleCount >= this.#options.pool.maxIdle && this.#pool.waitingCount === 0;
    client.release(broken || enough);
  }

  async end(): Promise<void> {
    await this.#pool.end();
  }

  async #query(
    client: PoolClient,
    text: string,
    parameters: readonly unknown[] = [],
    limitMs = this.#options.timeouts.readMs,
  ) {
    // Without a name: PgBouncer may give the next statement to another connection.
    const config = { text, values: parameters.map(stored), query_timeout: limitMs };
    try {
      return await client.query(config);
    } catch (error) {
      throw postgresqlError(error, this.#place, false);
    }
  }
}

/** `pg` writes dates in the zone of this process. */
function stored(value: unknown): unknown {
  const known = bindable(value);
  return known instanceof Date ? known.toISOString() : known;
}
