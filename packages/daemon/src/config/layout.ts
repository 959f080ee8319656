import { join } from 'node:path';

/** The connection keys of debugging, where Redis does not keep them. */
export const debuggingKeysFile = (directory: string): string => join(directory, 'debugging-keys.json');

/** What lies where in `DATA_DIR`. */
export const layoutOf = (directory: string) => ({
  databaseFile: join(directory, 'daemon.sqlite'),
  toolsPath: join(directory, 'tools'),
  keys: join(directory, 'keys'),
  serverKey: join(directory, 'keys', 'server-key'),
  difyInnerApiKey: join(directory, 'keys', 'dify-inner-api-key'),
  /** Of each worker, by its number, beside what they share. */
  workers: join(directory, 'workers'),
  address: join(directory, 'address.json'),
});
