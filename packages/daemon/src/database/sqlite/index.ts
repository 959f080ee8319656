/** SQLite in a file of this machine, opened by this process alone. */

export type { SqliteFileOptions } from './node-sqlite-driver.ts';
export { openSqlite } from './sqlite-dialect.ts';
