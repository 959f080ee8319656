/**
 * What the daemon may ask of its database, in the words of its callers. One class per interface implements it in
 * `sql/`, over any dialect. Every method is one statement or one transaction; none of them blocks on the network
 * besides the database itself. Failures of the database itself reject with `DatabaseError`.
 *
 * What is kept of upstream here, and what is not: docs/wire/state.md#reads-and-writes.
 */
export type * from './database.ts';
export type * from './install-tasks.ts';
export type * from './leases.ts';
export type * from './lifecycle.ts';
export type * from './plugins.ts';
export type * from './tenants.ts';
