/** How functions and the gateways in front of them say that they failed (docs/wire/runtime-protocol.md#failures-of-functions). */
import { STATUS_CODES } from 'node:http';
import { type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import { parseForeign } from '@plugin-daemon/plugin-host/json';

/** What is read of a body that is no answer. */
export const MAX_FAILURE_BYTES = 4096;
const MAX_TEXT = 2 * MAX_FAILURE_BYTES;

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** An object by which a Lambda reports that it failed. */
export interface FunctionReport {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly requestId: string;
}

/** The report in a text; undefined for anything else, or one that names no error. */
export function reportIn(text: string): FunctionReport | undefined {
  if (!text.includes('"errorType"') && !text.includes('"errorMessage"') && !text.includes('"requestId"'))
    return undefined;
  const parsed = parseForeign(text);
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null || Array.isArray(parsed.value))
    return undefined;
  const found = new Map(Object.entries(parsed.value));
  const word = (key: string): string => {
    const value: unknown = found.get(key);
    return typeof value === 'string' ? value.slice(0, MAX_TEXT).toWellFormed() : '';
  };
  return { errorType: word('errorType'), errorMessage: word('errorMessage'), requestId: word('requestId') };
}

/** The error that a header announces, whatever the status. */
export const announcedError = (headers: Headers): string => header(headers, 'x-amzn-errortype');

const header = (headers: Headers, name: string): string => {
  const value = headers[name];
  return (Array.isArray(value) ? (value[0] ?? '') : (value ?? '')).slice(0, MAX_TEXT);
};

export interface FailedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly report: FunctionReport | undefined;
  /** What to call the error that nothing names. */
  readonly otherwise?: string;
}

/** The headers count before the body, and that before the status. */
export function runtimeFailure({ status, headers, report, otherwise }: FailedAnswer): SessionError {
  const type = announcedError(headers) || report?.errorType || otherwise || statusLine(status);
  const message = report?.errorMessage ?? '';
  const requestId = header(headers, 'x-amzn-requestid') || report?.requestId || '';
  return sessionError(
    'PluginRuntimeError',
    `Plugin runtime request failed: ${message === '' ? type : `${type}: ${message}`}`,
    {
      ...(requestId !== '' && { request_id: requestId }),
      status_code: status,
    },
  );
}

/** Names that upstream's HTTP library has for statuses where ours has another. */
const goNames: ReadonlyMap<number, string> = new Map([
  [413, 'Payload Too Large'],
  [418, "I'm a teapot"],
]);

const statusLine = (status: number): string => {
  const name = goNames.get(status) ?? STATUS_CODES[status];
  return name === undefined ? `HTTP ${status}` : `${status} ${name}`;
};

/** Something between us and the function failed, or it does not speak the protocol. */
export const innerError = (text: string): SessionError => sessionError('PluginDaemonInnerError', text, null);

/** Why no answer came, in the words of the library that upstream uses where it has them. */
export function transportReason(error: Error, host: string): string {
  const code = 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${host}: connect: connection refused`;
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return 'EOF';
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `dial tcp ${host}: i/o timeout`;
    default:
      return error.message || code || error.name;
  }
}
