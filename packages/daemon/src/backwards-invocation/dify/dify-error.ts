import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/**
 * Whether a call failed before the first part of its answer could be used, or after. Error texts differ
 * (docs/wire/runtime-protocol.md#kinds-and-permissions).
 */
export type DifyStage = 'call' | 'read';

/** A call to Dify that did not give what it should. */
export class DifyError extends DaemonError {
  readonly stage: DifyStage;

  constructor(stage: DifyStage, message: string, options: { readonly cause?: unknown; readonly remedy?: string } = {}) {
    super('internal', message, options);
    this.stage = stage;
  }
}

/** The session (or whoever asked) no longer wants the answer. */
export const cancelled = (stage: DifyStage): DifyError => new DifyError(stage, 'the session has ended');

/** What the settings in remedies are at the moment. */
export interface DifyLimits {
  /** Scheme, host and port, without credentials. */
  readonly origin: string;
  readonly readTimeoutMs: number;
}

/** Names undici's and the system's errors in our words. */
export function explainTransportError(error: unknown, stage: DifyStage, limits: DifyLimits): DifyError {
  if (error instanceof DifyError) return error;
  const code = codeOf(error);
  const { origin, readTimeoutMs } = limits;
  switch (code) {
    case 'UND_ERR_HEADERS_TIMEOUT':
      return new DifyError(stage, `Dify at ${origin} did not begin to answer within ${readTimeoutMs} ms`, {
        cause: error,
        remedy: 'Raise DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT if such calls may take longer',
      });
    case 'UND_ERR_BODY_TIMEOUT':
      return new DifyError(stage, `Dify at ${origin} fell silent for ${readTimeoutMs} ms in the middle of its answer`, {
        cause: error,
        remedy: 'Raise DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT if such pauses are normal',
      });
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return new DifyError(
        stage,
        `Dify at ${origin} closed the connection ${stage === 'read' ? 'in the middle of its answer' : 'without an answer'}`,
        { cause: error, remedy: "Its API server's log says why (a restart, or a worker that was killed)" },
      );
    default:
      if (error instanceof Error && error.name === 'HTTPParserError') {
        return new DifyError(stage, `what answers at ${origin} does not speak HTTP (${textOf(error)})`, {
          cause: error,
          remedy: 'DIFY_INNER_API_URL must point at the API server of Dify',
        });
      }
      if (/CERT|SIGNATURE|_TLS_/.test(code)) {
        return new DifyError(stage, `the certificate of Dify at ${origin} is not accepted (${textOf(error)})`, {
          cause: error,
          remedy: 'Give the certificate of its authority in the file that NODE_EXTRA_CA_CERTS names, and restart',
        });
      }
      return new DifyError(stage, `Dify at ${origin} cannot be reached (${textOf(error)})`, {
        cause: error,
        remedy: 'Check DIFY_INNER_API_URL, and that the API server of Dify runs and can be reached from this machine',
      });
  }
}

/** An answer with a status that says no. `body` may be cut. */
export function explainStatus(status: number, body: string, location: string | undefined, origin: string): DifyError {
  const said = location === undefined ? body : `a redirect to ${location}`;
  const message = `request failed with status code: ${status} and respond with: ${said}`;
  if (location !== undefined) {
    return new DifyError('call', message, { remedy: 'Set DIFY_INNER_API_URL to the final address' });
  }
  if (status === 401 || status === 404) {
    return new DifyError('call', message, {
      remedy: `If Dify at ${origin} answers so to every call, DIFY_INNER_API_KEY differs from its INNER_API_KEY_FOR_PLUGIN`,
    });
  }
  return new DifyError('call', message);
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(textOf).join('; ');
  return error instanceof Error ? error.message || codeOf(error) : String(error);
}
