import { afterAll, beforeAll, describe } from 'vitest';
import { auditEventConformance } from './conformance/audit-events.suite.ts';
import { endpointConformance } from './conformance/endpoints.suite.ts';
import { installTaskConformance } from './conformance/install-tasks.suite.ts';
import { jobConformance } from './conformance/jobs.suite.ts';
import { pluginNoteConformance } from './conformance/plugin-notes.suite.ts';
import { readConformance } from './conformance/reads.suite.ts';
import { versionConformance } from './conformance/versions.suite.ts';
import type { Database } from './index.ts';

/** What every database does, run over the given one. Each test uses tenants and plugins of its own. */
export function databaseConformance(name: string, open: () => Promise<Database>): void {
  describe(`database: ${name}`, () => {
    let opened: Database | undefined;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened?.close());
    const on = {
      get database(): Database {
        if (opened === undefined) throw new Error('the database under test could not be opened');
        return opened;
      },
    };
    versionConformance(on);
    readConformance(on);
    endpointConformance(on);
    installTaskConformance(on);
    jobConformance(on);
    auditEventConformance(on);
    pluginNoteConformance(on);
  });
}
