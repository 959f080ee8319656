import { DaemonError } from '@plugin-daemon/plugin-host/errors';

/** What PostgreSQL takes for a UUID: any case, braces, hyphens after any group of four digits. */
const uuidForms = /^(?:\{(?:[0-9a-f]{4}-?){7}[0-9a-f]{4}\}|(?:[0-9a-f]{4}-?){7}[0-9a-f]{4})$/i;

/**
 * The id columns are UUIDs, whatever database is behind them: other texts get the answer that clients know from the existing
 * daemon (docs/wire/http-api.md#install-tasks), on every database the same.
 * @throws DaemonError `internal`
 */
export function requireUuid(text: string): string {
  if (uuidForms.test(text)) return text;
  throw new DaemonError('internal', `ERROR: invalid input syntax for type uuid: "${text}" (SQLSTATE 22P02)`);
}
