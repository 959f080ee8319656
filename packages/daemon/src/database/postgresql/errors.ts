import type { DatabaseError, DatabaseFailure } from '../database-error.ts';
import { type Explanation, serverError } from '../servers/index.ts';

const again = 'try again; if it stays so, look into the log of the database server';
const unfit = (problem: string): Explanation => ({ failure: 'unfit', problem });
const lost = (problem: string): Explanation => ({ failure: 'lost', problem, remedy: again });
const denied = (problem: string, remedy: string): Explanation => ({ failure: 'denied', problem, remedy });
const signIn = 'check DB_USERNAME and DB_PASSWORD, and what pg_hba.conf of the server allows';

/** By SQLSTATE. */
const explanations: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ['40001', { failure: 'conflict', problem: 'met another transaction', remedy: again }],
  ['40P01', { failure: 'conflict', problem: 'met another transaction', remedy: again }],
  ['23505', { failure: 'duplicate', problem: 'has a row with this key already' }],
  ['55P03', { failure: 'busy', problem: 'is locked by another transaction', remedy: again }],
  ['57014', { failure: 'busy', problem: 'cancelled the statement', remedy: 'see statement_timeout of the server' }],
  ['53100', { failure: 'full', problem: 'has no room left', remedy: 'make room on the disk of the database server' }],
  [
    '53300',
    {
      failure: 'busy',
      problem: 'has too many clients',
      remedy: 'lower DB_MAX_OPEN_CONNS of the nodes, or raise max_connections of the server',
    },
  ],
  ['57P01', lost('is being stopped')],
  ['57P02', lost('had to restart')],
  ['57P03', { failure: 'unreachable', problem: 'is not ready yet', remedy: again }],
  ['57P05', lost('ended an idle connection')],
  ['08003', lost('lost the connection')],
  ['08006', lost('lost the connection')],
  ['28P01', denied('refuses this user', signIn)],
  ['28000', denied('refuses this user', signIn)],
  ['42501', denied('does not permit this', 'let DB_USERNAME own the tables, and create some in its schema')],
  [
    '3F000',
    denied(
      'has no schema in which this user may create tables',
      'let search_path (of the user, the database, or DB_EXTRAS) begin with a schema that is there, and grant DB_USERNAME usage and create on it',
    ),
  ],
  ['3D000', { failure: 'absent', problem: 'has no such database', remedy: 'create the database of DB_DATABASE' }],
  [
    '25006',
    {
      failure: 'read-only',
      problem: 'is read-only (a standby?)',
      remedy: 'point DB_HOST to the primary server; the daemon tries again by itself',
    },
  ],
  ['22001', unfit('has no room for so long a value')],
  ['22003', unfit('has no room for so large a number')],
  ['22021', unfit('cannot store text with a zero character')],
  ['22P02', unfit('takes ids in the form of UUIDs only')],
  ['22P05', unfit('cannot store this character')],
  ['XX001', { failure: 'corrupt', problem: 'is damaged', remedy: 'restore a backup' }],
  ['XX002', { failure: 'corrupt', problem: 'has a damaged index', remedy: 'reindex the database' }],
]);

/** What has no SQLSTATE, or PgBouncer's one for everything. */
const byText: readonly (readonly [RegExp, Explanation])[] = [
  [
    /No space left on device|could not write init file/,
    { failure: 'full', problem: 'has no room left', remedy: 'make room on the disk of the database server' },
  ],
  [
    /no such database|^database "[^"]*" does not exist/,
    { failure: 'absent', problem: 'has no such database', remedy: 'create it, and add it to pgbouncer.ini' },
  ],
  [
    /unsupported startup parameter/,
    denied(
      '(PgBouncer) refuses a start parameter',
      'leave DB_EXTRAS and DB_CHARSET empty, or see ignore_startup_parameters',
    ),
  ],
  [/authentication failed|no such user/i, denied('refuses this user', signIn)],
  [
    /does not support SSL/,
    {
      failure: 'plain-only',
      problem: 'offers no TLS',
      remedy: 'set DB_SSL_MODE=disable, or switch TLS on in the server',
    },
  ],
  [/no more connections allowed/, { failure: 'busy', problem: '(PgBouncer) has too many clients', remedy: again }],
  [
    /timeout exceeded when trying to connect/,
    {
      failure: 'busy',
      problem: 'is slow: all connections are in use',
      remedy: 'raise DB_MAX_OPEN_CONNS, or find out what keeps the database server busy',
    },
  ],
  [/connection timeout|read timeout/i, { failure: 'unreachable', problem: 'does not answer', remedy: again }],
  [/Connection terminated|not queryable|connection was closed|server closed/i, lost('lost the connection')],
];

const lostOrUnreachable: ReadonlySet<string> = new Set(['08P01', '08000', '08001', '08004', '08007']);

/** A failure of `pg` as an error that names the server, the cause and the remedy. */
export function postgresqlError(cause: unknown, place: string, connecting: boolean): DatabaseError {
  return serverError(cause, place, explain(cause), connecting);
}

function explain(cause: unknown): Explanation | undefined {
  if (!(cause instanceof Error)) return undefined;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const known = explanations.get(code);
  if (known !== undefined) return known;
  const said = byText.find(([pattern]) => pattern.test(cause.message))?.[1];
  if (said !== undefined) return said;
  const failure: DatabaseFailure | undefined = lostOrUnreachable.has(code) ? 'lost' : undefined;
  return failure && { failure, problem: 'cannot be reached', remedy: again };
}
