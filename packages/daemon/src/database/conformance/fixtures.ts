import { type Database, type InstallRequest, StoredDeclaration } from '../index.ts';

/** The database under test, opened before the first test runs. */
export interface UnderTest {
  readonly database: Database;
}

export const provider = (name: string) => ({ identity: { name } });

export function plugin(pluginId: string, version = '0.0.1', value: object = { tool: provider('the-tool') }) {
  const uniqueIdentifier = `${pluginId}:${version}@${'a'.repeat(64)}`;
  const declaration = new StoredDeclaration(uniqueIdentifier, pluginId, JSON.stringify(value));
  return { pluginId, uniqueIdentifier, declaration };
}

export type MadePlugin = ReturnType<typeof plugin>;

export const install = (on: UnderTest, tenantId: string, made: MadePlugin, more: Partial<InstallRequest> = {}) =>
  on.database.lifecycle.installForTenant({
    tenantId,
    installType: 'local',
    source: 'package',
    meta: {},
    ...made,
    ...more,
  });
