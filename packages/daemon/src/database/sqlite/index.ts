/** SQLite in a file of this machine, opened by this process alone, or by the workers of one daemon. */

export { openSqlite } from './dialect.ts';
export type { SqliteFileOptions } from './driver.ts';
