/**
 * Moves all rows of one database to another kind of database: what `migrate-store` does. Reads the one, writes the other in one
 * transaction, and compares afterwards; the source is never changed. Called by the command line alone.
 */
export { parsePlace } from './place.ts';
export { type TableReport, type TransferReport, transfer } from './transfer.ts';
