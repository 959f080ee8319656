/**
 * The database: upstream's tables and what the daemon does with them.
 *
 * Owns every row and every SQL statement; a row is changed only by its repository here. Touches nothing but the
 * database. Callers (management, endpoints, installation, backwards invocation, supervision) hold the `Database`
 * object that compose opens and closes. `sql/` speaks to any dialect; what is particular to one is in its own folder.
 */

export { DatabaseError, type DatabaseFailure } from './database-error.ts';
export { newHookId, newId } from './ids.ts';
export { LeaseLost } from './lease-lost.ts';
export { type DatabaseOptions, openDatabase, probeDatabase } from './open.ts';
export type * from './records.ts';
export type * from './repositories/index.ts';
export type { ServerOptions, TlsMode } from './servers/index.ts';
export { declaredProviders, StoredDeclaration } from './stored-declaration.ts';
export { parsePlace, type TransferReport, transfer } from './transfer/index.ts';
export { awaitDatabase, type WaitingOptions } from './waiting.ts';
