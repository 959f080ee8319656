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
const nothingShared: Explanation = {
  failure: 'denied',
  problem: 'speaks no TLS that this daemon speaks',
  remedy:
    'let the server offer TLS 1.2 or newer with a cipher of today that fits its certificate, or set DB_SSL_MODE=disable',
};
const refusedCertificate: Explanation = {
  failure: 'denied',
  problem: 'refuses the certificate of this daemon',
  remedy: 'set DB_SSL_CERT and DB_SSL_KEY to a pair that is signed by an authority which the server trusts',
};
const refusal = /alert (bad certificate|certificate (required|unknown|expired|revoked)|unknown ca)/i;
const mismatch =
  /alert (handshake failure|protocol version)|unsupported protocol|wrong version number|no shared cipher/i;

/** What a failure of TLS means: drivers have one code for all, the text of OpenSSL tells them apart. */
export const tlsExplanation = (cause: unknown): Explanation =>
  mismatch.test(messageOf(cause)) ? nothingShared : refusal.test(messageOf(cause)) ? refusedCertificate : certificate;

const tlsCode = /^(EPROTO$|ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_)/;

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
  const found = known ?? ofTheNetwork.get(code) ?? (tlsCode.test(code) ? tlsExplanation(cause) : undefined);
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
