import { messageOf } from '@plugin-daemon/values';
import { DatabaseError, type DatabaseFailure } from '../database-error.ts';

export interface Explanation {
  readonly failure: DatabaseFailure;
  readonly problem: string;
  readonly remedy?: string;
}

const startIt = 'start the database server, or correct DB_HOST and DB_PORT; the daemon tries again by itself';

/** By `code` of Node: the same for every driver. */
const ofTheNetwork: ReadonlyMap<string, Explanation> = new Map<string, Explanation>([
  ['ECONNREFUSED', { failure: 'unreachable', problem: 'does not accept connections', remedy: startIt }],
  ['ENOTFOUND', { failure: 'unreachable', problem: 'has a name that is not known', remedy: startIt }],
  ['EAI_AGAIN', { failure: 'unreachable', problem: 'has a name that cannot be looked up now', remedy: startIt }],
  ['EHOSTUNREACH', { failure: 'unreachable', problem: 'cannot be reached', remedy: startIt }],
  ['ENETUNREACH', { failure: 'unreachable', problem: 'cannot be reached', remedy: startIt }],
  ['ETIMEDOUT', { failure: 'unreachable', problem: 'does not answer', remedy: startIt }],
  ['ECONNRESET', { failure: 'lost', problem: 'broke the connection', remedy: startIt }],
  ['EPIPE', { failure: 'lost', problem: 'broke the connection', remedy: startIt }],
  ['ECONNABORTED', { failure: 'lost', problem: 'broke the connection', remedy: startIt }],
]);

const certificate: Explanation = {
  failure: 'denied',
  problem: 'has a certificate that is not trusted',
  remedy: 'set DB_SSL_ROOT_CERT to the certificate of its authority and DB_HOST to a name in its certificate',
};
const certificateCode = /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/;

/**
 * A failure of a driver as an error that names the server, the cause and the remedy.
 * @param place host and port
 * @param known what the driver's folder makes of it
 * @param connecting it met the attempt to connect: nothing had begun
 */
export function serverError(
  cause: unknown,
  place: string,
  known: Explanation | undefined,
  connecting: boolean,
): DatabaseError {
  if (cause instanceof DatabaseError) return cause;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const found = known ?? ofTheNetwork.get(code) ?? (certificateCode.test(code) ? certificate : undefined);
  const failure = connecting && found?.failure === 'lost' ? 'unreachable' : (found?.failure ?? 'other');
  const text = textOf(cause);
  const message = `the database at ${place} ${found?.problem ?? 'failed'}${text === '' ? '' : `: ${text}`}`;
  const { remedy } = found ?? {};
  return new DatabaseError(failure, message, { cause, ...(remedy === undefined ? {} : { remedy }) });
}

function textOf(cause: unknown): string {
  // A host with several addresses fails with one error for each.
  if (cause instanceof AggregateError) return cause.errors.map(textOf).join('; ');
  return messageOf(cause);
}
