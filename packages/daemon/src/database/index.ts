/**
 * The database: upstream's tables and what the daemon does with them.
 *
 * Owns every row and every SQL statement; a row is changed only by its repository here. Touches nothing but the
 * database. Callers (management, endpoints, installation, backwards invocation, supervision) hold the `Database`
 * object that compose opens and closes.
 */
export type * from './records.ts';
export type * from './repositories.ts';
export { declaredProviders, StoredDeclaration } from './stored-declaration.ts';
