/** PostgreSQL, directly or through PgBouncer in transaction mode: no named statements, no state of sessions. */
export { openPostgresql } from './dialect.ts';
