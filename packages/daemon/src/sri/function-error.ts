import type { ServerResponse } from 'node:http';
import { endWhenSent } from '../http/index.ts';

/**
 * What a call of a function fails with before the function has answered. Daemons read `errorType` and `errorMessage` of the body, and
 * try again by themselves after a 502, and only then.
 */
export class FunctionError extends Error {
  override readonly name = 'FunctionError';
  readonly status: number;
  readonly type: FunctionErrorType;
  /** Seconds after which to try again. */
  readonly retryAfter: number | undefined;

  constructor(type: FunctionErrorType, message: string, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.type = type;
    this.status = functionErrors[type].status;
    this.retryAfter = options.retryAfter;
  }
}

export const functionErrors = {
  NoSuchFunction: { status: 404, meaning: 'The address names no function of this server.' },
  RequestTooLarge: { status: 413, meaning: 'The body is larger than SRI_MAX_REQUEST_BYTES.' },
  TooManyRequests: { status: 429, meaning: 'More calls wait for the function than SRI_QUEUE_LIMIT allows.' },
  FunctionUnavailable: {
    status: 502,
    meaning: 'The instance ended before it answered, or this server is stopping: try again.',
  },
  FunctionStartFailed: { status: 503, meaning: 'No instance could be started; the message says why.' },
  FunctionNotReady: { status: 503, meaning: 'No instance was free within SRI_QUEUE_TIMEOUT.' },
  FunctionTimeout: { status: 504, meaning: 'The call took longer than PLUGIN_MAX_EXECUTION_TIMEOUT.' },
} as const;

export type FunctionErrorType = keyof typeof functionErrors;

export function sendFunctionError(response: ServerResponse, error: FunctionError): void {
  const body = JSON.stringify({ errorType: error.type, errorMessage: error.message });
  response.writeHead(error.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...(error.retryAfter !== undefined && { 'Retry-After': String(error.retryAfter) }),
  });
  endWhenSent(response, body);
}
