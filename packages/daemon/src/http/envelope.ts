/** The envelope of every answer (docs/wire/http-api.md#envelope). */
import type { ServerResponse } from 'node:http';
import type { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { endWhenSent } from './raw-body.ts';
import { RawJson } from './route.ts';

export const HEAD = '{"code":0,"message":"success","data":';
const headBytes = Buffer.from(HEAD);
export const TAIL = '}';
const tailBytes = Buffer.from(TAIL);

export const JSON_TYPE = 'application/json; charset=utf-8';

/** A success envelope around any value; `undefined` counts as null. RawJson goes in as it is. */
export function successBody(data: unknown): string | Buffer {
  if (!(data instanceof RawJson)) return `${HEAD}${JSON.stringify(data ?? null)}}`;
  if (data.body !== undefined) return data.body;
  if (typeof data.text === 'string') return `${HEAD}${data.text}}`;
  return Buffer.concat([headBytes, data.text, tailBytes]);
}

/** `message` is a JSON document of its own, in upstream's key order. */
const wireEnvelope = (code: number, type: string, message: string, args: unknown): string =>
  JSON.stringify({ code, message: JSON.stringify({ message, error_type: type, args }), data: null });

export const errorBody = (error: DaemonError): string =>
  wireEnvelope(error.code, error.type, error.wireMessage, error.args);

/**
 * Sends an error on a response that nothing was written to yet; does nothing if something was.
 */
export function sendErrorRaw(response: ServerResponse, error: DaemonError, status = error.status): void {
  if (response.headersSent || response.writableEnded) return;
  const body = Buffer.from(errorBody(error));
  if (error.retryAfterSeconds !== undefined) response.setHeader('Retry-After', error.retryAfterSeconds);
  response.writeHead(status, { 'Content-Type': JSON_TYPE, 'Content-Length': body.length });
  endWhenSent(response, body);
}
