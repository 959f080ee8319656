import type { DatabaseError } from '../database-error.ts';
import { type Explanation, serverError, tlsExplanation } from '../servers/index.ts';

const again = 'try again; if it stays so, look into the log of the database server';
const unfit = (problem: string): Explanation => ({ failure: 'unfit', problem });
const lost = (problem: string): Explanation => ({ failure: 'lost', problem, remedy: again });
const conflict: Explanation = { failure: 'conflict', problem: 'met another transaction', remedy: again };
const full: Explanation = {
  failure: 'full',
  problem: 'has no room left',
  remedy: 'make room on the disk of the database server',
};
const denied = (problem: string, remedy: string): Explanation => ({ failure: 'denied', problem, remedy });
const refused = denied('refuses this user', 'check DB_USERNAME and DB_PASSWORD, and from where the user may connect');
const forbidden = denied('does not permit this', 'grant DB_USERNAME all rights on the database of DB_DATABASE');
const readOnly: Explanation = {
  failure: 'read-only',
  problem: 'is read-only (a replica?)',
  remedy: 'point DB_HOST to the primary server; the daemon tries again by itself',
};
const crowded: Explanation = {
  failure: 'busy',
  problem: 'has too many clients',
  remedy: 'lower DB_MAX_OPEN_CONNS of the nodes, or raise max_connections of the server',
};

/** By error number of the server. */
const byNumber: ReadonlyMap<number, Explanation> = new Map<number, Explanation>([
  [1213, conflict],
  [1205, conflict],
  [1020, conflict],
  [1062, { failure: 'duplicate', problem: 'has a row with this key already' }],
  [1021, full],
  [1114, full],
  [3, full],
  [1036, readOnly],
  [1290, readOnly],
  [1792, readOnly],
  [1836, readOnly],
  [1040, crowded],
  [1203, crowded],
  [1226, crowded],
  [
    1044,
    denied(
      'does not let this user into the database',
      'create the database of DB_DATABASE, and grant DB_USERNAME all rights on it',
    ),
  ],
  [1045, refused],
  [1130, refused],
  [1251, refused],
  [1698, refused],
  [3159, denied('wants TLS', 'set DB_SSL_MODE=require')],
  [1142, forbidden],
  [1143, forbidden],
  [1227, forbidden],
  [1049, { failure: 'absent', problem: 'has no such database', remedy: 'create the database of DB_DATABASE' }],
  [1053, lost('is being stopped')],
  [1927, lost('ended the connection')],
  [1317, lost('cancelled the statement')],
  [2006, lost('lost the connection')],
  [2013, lost('lost the connection')],
  [4031, lost('ended an idle connection')],
  [1264, unfit('has no room for so large a number')],
  [1406, unfit('has no room for so long a value')],
  [1153, { failure: 'unfit', problem: 'takes no statement of this size', remedy: 'raise max_allowed_packet' }],
  [1292, unfit('does not know this form of a time')],
  [1366, unfit('cannot store this character')],
  [4025, unfit('does not take this value')],
  [1194, { failure: 'corrupt', problem: 'has a damaged table', remedy: 'repair the table, or restore a backup' }],
]);

/** By code of mysql2. */
const byCode: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ['PROTOCOL_CONNECTION_LOST', lost('lost the connection')],
  ['PROTOCOL_SEQUENCE_TIMEOUT', { failure: 'unreachable', problem: 'does not answer', remedy: again }],
  [
    'HANDSHAKE_NO_SSL_SUPPORT',
    {
      failure: 'plain-only',
      problem: 'offers no TLS',
      remedy: 'set DB_SSL_MODE=disable, or switch TLS on in the server',
    },
  ],
]);

/** A failure of `mysql2` as an error that names the server, the cause and the remedy. */
export function mysqlError(cause: unknown, place: string, connecting: boolean): DatabaseError {
  // The library adds the statement with all its values, which no log should have.
  if (cause instanceof Error && 'sql' in cause) delete cause.sql;
  return serverError(cause, place, explain(cause), connecting);
}

function explain(cause: unknown): Explanation | undefined {
  if (!(cause instanceof Error)) return undefined;
  const known = 'errno' in cause && typeof cause.errno === 'number' ? byNumber.get(cause.errno) : undefined;
  if (known !== undefined) return known;
  const code = 'code' in cause ? String(cause.code) : '';
  if (code === 'HANDSHAKE_SSL_ERROR') return tlsExplanation(cause);
  if (/closed state|Pool is closed/.test(cause.message)) return lost('lost the connection');
  return byCode.get(code);
}
