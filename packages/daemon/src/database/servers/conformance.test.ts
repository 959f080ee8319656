import { provided, skipReason } from '@plugin-daemon/services';
import { describe, test } from 'vitest';
import { databaseConformance } from '../conformance.suite.ts';
import { openDatabase } from '../index.ts';
import { freshDatabase, testServers } from '../testing/servers.ts';

for (const server of testServers) {
  if (provided(server) === undefined) {
    test.skip(`database: ${server} ${skipReason(server)}`, () => undefined);
    continue;
  }
  describe(server, () => {
    const options = freshDatabase(server);
    databaseConformance(server, () => openDatabase(options));
  });
}
