/** SQLite in a file of this machine, opened by this process alone. */

export { openSqlite } from './dialect.ts';
export type { SqliteFileOptions } from './driver.ts';
