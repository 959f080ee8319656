/** What strangers read of a failure: that there was one, and an id under which those who may know find the rest. */
import { randomUUID } from 'node:crypto';
import { DaemonError, type ErrorKind } from '@plugin-daemon/plugin-host/errors';
import type { RecentFailures } from './recent-failures.ts';

export interface FailureLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The call that failed, as far as it was understood. */
export interface FailedCall {
  readonly tenant_id: string;
  readonly endpoint_id: string;
  /** The plugin unique identifier. */
  readonly plugin: string;
}

/** Kinds whose texts come from plugins, Dify or the machine: stderr, paths, addresses, whatever a plugin printed. */
const telling: ReadonlySet<ErrorKind> = new Set(['internal', 'runtime-unavailable', 'plugin-invoke']);

/**
 * The error as anybody may see it. Texts that are the daemon's own (no such hook, too large, out of time) stay; of all others the log
 * keeps the text, `recent` too when it is known whose webhook it was, and the caller gets an id.
 */
export function outward(
  error: DaemonError,
  about: FailedCall | undefined,
  log: FailureLog,
  recent: Pick<RecentFailures, 'add'>,
): DaemonError {
  // A status of its own is given where the text was written for the caller: out of time, no status that HTTP can carry.
  if (!telling.has(error.kind) || error.status !== 500) return error;
  const id = randomUUID();
  const fields = {
    error_id: id,
    ...about,
    error: error.wireMessage,
    ...(error.cause !== undefined && { cause: error.cause }),
  };
  // A plugin that fails is its author's business.
  if (error instanceof PluginFailure || error.kind === 'runtime-unavailable') log.warn(fields, 'a webhook failed');
  else log.error(fields, 'a webhook failed');
  if (about !== undefined)
    recent.add(about.tenant_id, {
      error_id: id,
      time: new Date().toISOString(),
      endpoint_id: about.endpoint_id,
      plugin_unique_identifier: about.plugin,
      error: error.wireMessage,
    });
  return new DaemonError('internal', `internal server error (error id ${id})`, {
    remedy: 'The log of the plugin daemon tells the cause under this id',
    args: { error_id: id },
    status: error.status,
  });
}

/** What a plugin itself says when it fails; the message is its error as JSON. */
export class PluginFailure extends DaemonError {
  constructor(message: string) {
    super('internal', message);
  }
}
