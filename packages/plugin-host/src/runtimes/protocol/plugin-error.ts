/** What a line says when it is not of the usual kind: whose it is, and how its plugin failed. */
import { isObject } from '@plugin-daemon/values';
import { type SessionError, sessionError } from '../../errors/index.ts';

/** Enough of a line to find out whose it is. */
export const HEAD_BYTES = 256;
/** Of what should have been a text and is none. */
const SHOWN_CHARACTERS = 1024;

/** The session a line is about, as its first bytes say. */
export const sessionNamedIn = (head: string): string | undefined =>
  /"session_id"\s*:\s*"([^"]{1,64})"/.exec(head.slice(0, HEAD_BYTES))?.[1];

/**
 * The error a plugin reports, as it will be sent on: always an error, whatever its form (docs/wire/runtime-protocol.md#session-messages).
 */
export function pluginError(data: unknown): SessionError {
  if (data === null) return sessionError('', '', null);
  if (!isObject(data)) return sessionError('PluginError', textOf(data), null);
  const args = isObject(data.args) ? data.args : null;
  return sessionError(textOf(data.error_type), textOf(data.message), args);
}

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value.toWellFormed();
  return value === undefined || value === null ? '' : JSON.stringify(value).slice(0, SHOWN_CHARACTERS);
};
