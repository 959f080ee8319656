/**
 * Who changed what: installed, upgraded, removed plugins, rotated keys, and from which address. Owns `audit.jsonl` in the data
 * directory; writes the same events into the database through its repository. Called by http/ for routes that are marked so.
 */
export { AuditLog, type AuditLogOptions, type AuditRecord } from './audit-log.ts';
