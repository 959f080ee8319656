import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '@plugin-daemon/values';
import { CompiledQuery, sql } from 'kysely';
import { DatabaseError } from '../database-error.ts';
import type { SqlDialect } from '../dialect.ts';
import type { SessionPool } from './pooled-driver.ts';
import type { ServerOptions } from './server-options.ts';

export interface ServerKind<S> {
  readonly dialect: (options: ServerOptions) => SqlDialect;
  /** A pool that is connected to a database that is there, for what is to be done before the other is. */
  readonly outside: (options: ServerOptions) => Promise<SessionPool<S>>;
  readonly createDatabase: (name: string) => string;
  /** Whether the failure of it means that another node was quicker. */
  readonly wasQuicker: (cause: unknown) => boolean;
}

/** A pooler goes on for a while saying that there is no such database. */
const knownAfterMs = 30_000;
const lookMs = 250;

/**
 * Connects, creating the database when it is missing and `create` says so.
 * @throws DatabaseError when it cannot be used
 */
export async function connect<S>(kind: ServerKind<S>, wanted: ServerOptions, create: boolean): Promise<SqlDialect> {
  const options = await settleTls(kind, wanted);
  try {
    return await connected(kind.dialect(options));
  } catch (error) {
    if (!create || !(error instanceof DatabaseError) || error.failure !== 'absent') throw error;
  }
  await createDatabase(kind, options);
  const until = performance.now() + knownAfterMs;
  for (;;) {
    try {
      return await connected(kind.dialect(options));
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.failure !== 'absent' || performance.now() > until) throw error;
      await pause(lookMs);
    }
  }
}

async function connected(dialect: SqlDialect): Promise<SqlDialect> {
  try {
    await sql`select 1`.execute(dialect.kysely);
    return dialect;
  } catch (error) {
    await dialect.kysely.destroy();
    throw error;
  }
}

/** `prefer` is TLS, or none where the server offers none: found out once, so that the whole pool is alike. */
async function settleTls<S>(kind: ServerKind<S>, options: ServerOptions): Promise<ServerOptions> {
  if (options.tls.mode !== 'prefer') return options;
  const pool = await kind.outside(options);
  try {
    pool.release(await pool.acquire(), false);
    return options;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    if (error.failure === 'plain-only') return { ...options, tls: { mode: 'disable' } };
    // Said after TLS had begun. Whoever may use one database only is refused by the other, and has no need of it.
    if (error.failure === 'denied' || error.failure === 'absent') return options;
    throw error;
  } finally {
    await pool.end();
  }
}

async function createDatabase<S>(kind: ServerKind<S>, options: ServerOptions): Promise<void> {
  const statement = kind.createDatabase(options.database);
  const pool = await kind.outside(options);
  try {
    const session = await pool.acquire();
    try {
      await pool.run(session, CompiledQuery.raw(statement));
    } finally {
      pool.release(session, true);
    }
  } catch (error) {
    if (error instanceof DatabaseError && kind.wasQuicker(error.cause)) return;
    const text = messageOf(error);
    throw new DatabaseError('absent', `the database ${options.database} is missing and cannot be created: ${text}`, {
      cause: error,
      remedy: `run "${statement}", or let ${options.user} create databases`,
    });
  } finally {
    await pool.end();
  }
}
