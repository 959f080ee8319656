import { join } from 'node:path';

/** What lies where in `DATA_DIR`. */
export const layoutOf = (directory: string) => ({
  databaseFile: join(directory, 'daemon.sqlite'),
  toolsPath: join(directory, 'tools'),
  keys: join(directory, 'keys'),
  serverKey: join(directory, 'keys', 'server-key'),
  difyInnerApiKey: join(directory, 'keys', 'dify-inner-api-key'),
  address: join(directory, 'address.json'),
});
