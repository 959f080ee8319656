import { provided, skipReason } from '@plugin-daemon/services';
import { describe, expect, test } from 'vitest';
import { plugin } from '../conformance/fixtures.ts';
import { openDatabase, StoredDeclaration } from '../index.ts';
import {
  connectRaw,
  createEmpty,
  freshDatabase,
  type RawConnection,
  type ServerDatabase,
  testServers,
} from '../testing/servers.ts';
import { GONE, HOOK, insertStatements, OTHER, olderStatements, REMOTE, TENANT, UID } from '../testing/upstream-rows.ts';
import { upstreamSchema, upstreamStatements } from '../testing/upstream-schema.ts';

type Dump = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

async function dump(raw: RawConnection): Promise<Dump> {
  const tables = [...Object.keys(upstreamSchema), 'plugin_readmes'];
  const found: Record<string, readonly Readonly<Record<string, unknown>>[]> = {};
  for (const table of tables) found[table] = await raw.query(`select * from ${table} order by id`);
  return found;
}

/** A database that the existing daemon has made and used; in MySQL with the characters a server has when nobody chose. */
async function upstreamDatabase(options: ServerDatabase): Promise<void> {
  await createEmpty(options, options.type === 'mysql' ? 'character set latin1 collate latin1_swedish_ci' : '');
  await using raw = await connectRaw(options);
  for (const text of [...upstreamStatements(options.type), ...insertStatements(options.type), ...olderStatements]) {
    await raw.query(text);
  }
}

const page = { page: 1, pageSize: 10 };

describe.each(testServers)('a database of the existing daemon, on %s', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }

  test('is opened without touching a row, and read whatever it holds', async () => {
    const options = freshDatabase(server);
    await upstreamDatabase(options);
    await using raw = await connectRaw(options);
    const before = await dump(raw);
    const database = await openDatabase(options);
    expect(await dump(raw)).toEqual(before);

    expect(await database.installations.find(TENANT, 'acme/old')).toMatchObject({
      created_at: '2024-05-06T07:08:09.123Z',
      meta: { unknown: { deep: [null] } },
    });
    expect(await database.installations.find(OTHER, 'acme/old')).toMatchObject({
      runtime_type: 'local',
      endpoints_setups: 0,
      source: '',
      meta: {},
      created_at: '0001-01-01T00:00:00Z',
    });
    expect(await database.installations.listAllByTenant(TENANT)).toHaveLength(2);
    expect((await database.declarations.find(UID))?.value).toMatchObject({ future_key: { x: 1 } });
    expect((await database.declarations.find(REMOTE, 'remote'))?.value).toMatchObject({ author: 'acme' });
    expect(await database.declarations.find(GONE)).toBeUndefined();
    expect(await database.plugins.find(GONE)).toMatchObject({ refers: -1, install_type: 'local' });
    expect(await database.projections.pluginIds('tool', TENANT)).toEqual(['acme/old']);
    expect(await database.projections.modelBindings(TENANT)).toHaveLength(1);
    expect(await database.endpoints.findByHookId(HOOK)).toMatchObject({ enabled: true, settings: { api_key: 'c' } });
    expect(await database.endpoints.findByHookId('zyxwvutsrq543210')).toMatchObject({ enabled: false, settings: {} });
    expect((await database.installTasks.list(OTHER, page))[0]).toMatchObject({ status: 'failed', plugins: [] });
    expect(await database.tenantStorages.size(TENANT, 'acme/old')).toBe(50);
    expect((await database.readmes.list(UID)).map(({ content }) => content)).toEqual(['first']);
    expect(await dump(raw)).toEqual(before);
    await database.close();
  });

  test('is worked with as its rows are, and what nobody touched stays as it was', async () => {
    const options = freshDatabase(server);
    await upstreamDatabase(options);
    await using raw = await connectRaw(options);
    const before = await dump(raw);
    const database = await openDatabase(options);

    // Nobody works on it: it is old, and has no lease.
    expect(await database.installTasks.failOrphans('its daemon is gone')).toMatchObject([
      { status: 'failed', plugins: [{ message: 'its daemon is gone', labels: {} }] },
    ]);
    expect((await database.debuggingLeases.abandoned()).map((row) => row.plugin_id)).toEqual(['acme/remote']);
    expect(await database.tenantStorages.reserve(TENANT, 'acme/old', 10, 60)).toEqual({ ok: true, size: 60 });
    const endpoint = await database.endpoints.findByHookId(HOOK);
    await database.lifecycle.setEndpointEnabled(TENANT, endpoint?.id ?? '', false);
    // The counters are counted anew, however they had drifted.
    expect(await database.installations.find(TENANT, 'acme/old')).toMatchObject({
      endpoints_setups: 2,
      endpoints_active: 0,
    });
    const next = plugin('acme/old', '0.0.2', { tool: { identity: { name: 'old' } } });
    const upgraded = await database.lifecycle.upgradeForTenant({
      tenantId: TENANT,
      originalIdentifier: UID,
      newIdentifier: next.uniqueIdentifier,
      newDeclaration: next.declaration,
      installType: 'local',
      source: 'marketplace',
      meta: {},
    });
    expect(upgraded).toMatchObject({ outcome: 'upgraded', originalReleased: false });
    expect(await database.plugins.find(UID)).toMatchObject({ refers: 1 });
    expect(await database.projections.list('tool', TENANT, page)).toHaveLength(1);
    const remaining = await database.installations.find(OTHER, 'acme/old');
    const left = await database.lifecycle.uninstallFromTenant({
      tenantId: OTHER,
      installationId: remaining?.id ?? '',
    });
    expect(left).toMatchObject({ outcome: 'uninstalled', lastReference: true });
    await database.close();

    const after = await dump(raw);
    expect(after.plugin_readmes).toEqual(before.plugin_readmes);
    expect(after.plugin_readme_records).toEqual(before.plugin_readme_records);
    expect(after.endpoints?.[1]).toEqual(before.endpoints?.[1]);
    expect(after.plugins?.filter((row) => row.plugin_unique_identifier === REMOTE)).toEqual(
      before.plugins?.filter((row) => row.plugin_unique_identifier === REMOTE),
    );
    expect(after.tenant_storages).toHaveLength(2);
  });

  test('is handed back in the form it came in', async () => {
    const options = freshDatabase(server);
    await upstreamDatabase(options);
    const database = await openDatabase(options);
    const made = plugin('acme/new', '0.0.1', { model: { provider: 'new' } });
    await database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, made.declaration.json);
    await database.lifecycle.installForTenant({
      tenantId: OTHER,
      installType: 'local',
      source: 'package',
      meta: { a: 1 },
      ...made,
      declaration: new StoredDeclaration(made.uniqueIdentifier, made.pluginId, made.declaration.json),
    });
    await database.tenantStorages.reserve(OTHER, 'acme/new', 1, 10);
    await database.close();

    await using raw = await connectRaw(options);
    const now = await dump(raw);
    const ours = (table: string) => now[table]?.filter((row) => String(row.id) > '019') ?? [];
    const filled = expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/);
    const times = { id: expect.stringMatching(/^[0-9a-f-]{36}$/), created_at: filled, updated_at: filled };
    expect(ours('plugins')).toEqual([
      {
        ...times,
        plugin_unique_identifier: made.uniqueIdentifier,
        plugin_id: 'acme/new',
        refers: '1',
        install_type: 'local',
        manifest_type: '',
        remote_declaration: null,
        source: 'package',
        declaration: null,
      },
    ]);
    expect(ours('plugin_installations')).toMatchObject([
      {
        ...times,
        tenant_id: OTHER,
        runtime_type: 'local',
        endpoints_setups: '0',
        endpoints_active: '0',
        meta: '{"a":1}',
      },
    ]);
    expect(ours('ai_model_installations')).toMatchObject([{ ...times, provider: 'new', tenant_id: OTHER }]);
    expect(ours('plugin_declarations')).toMatchObject([{ ...times, declaration: made.declaration.json }]);
    expect(now.tenant_storages?.find((row) => row.plugin_id === 'acme/new')).toMatchObject({ ...times, size: '1' });
  });

  test('of before its unique keys is opened, whatever is alike in it; the key is made when that is gone', async () => {
    const options = freshDatabase(server);
    await upstreamDatabase(options);
    await using raw = await connectRaw(options);
    await raw.query(`drop index idx_tenant_plugin${options.type === 'mysql' ? ' on plugin_installations' : ''}`);
    const columns = 'tenant_id, plugin_id, plugin_unique_identifier, runtime_type';
    const again = "'01890000-0000-7000-8000-0000000000ff'";
    await raw.query(
      `insert into plugin_installations (id, ${columns}) select ${again}, ${columns} from plugin_installations where tenant_id = '${TENANT}' and plugin_id = 'acme/old'`,
    );
    const missing: unknown[] = [];
    const open = async () => {
      missing.length = 0;
      return await openDatabase(options, undefined, (key) => missing.push(key));
    };
    const database = await open();
    expect(missing).toEqual([
      { index: 'idx_tenant_plugin', table: 'plugin_installations', columns: ['tenant_id', 'plugin_id'] },
    ]);
    expect(await database.installations.find(TENANT, 'acme/old')).toMatchObject({ source: 'marketplace' });
    expect(await database.installations.findByPluginIds(TENANT, ['acme/old'])).toHaveLength(2);
    await database.close();

    await raw.query(`delete from plugin_installations where id = ${again}`);
    await (await open()).close();
    expect(missing).toEqual([]);
    await (await open()).close();
    await expect(
      raw.query(
        `insert into plugin_installations (id, ${columns}) select ${again}, ${columns} from plugin_installations where tenant_id = '${TENANT}' and plugin_id = 'acme/old'`,
      ),
    ).rejects.toThrow();
  });

  test('whose rows name nothing, or no version, is read as if those names were empty', async () => {
    const options = freshDatabase(server);
    await upstreamDatabase(options);
    await using raw = await connectRaw(options);
    const id = (n: number): string => `01890000-0000-7000-8000-00000000f${String(n).padStart(3, '0')}`;
    for (const text of [
      `insert into plugins (id) values ('${id(1)}')`,
      `insert into plugin_installations (id, tenant_id) values ('${id(2)}', '${TENANT}')`,
      `insert into plugin_installations (id, plugin_id, plugin_unique_identifier, runtime_type) values ('${id(3)}', 'a', 'a:::@@', 'local')`,
      `insert into plugin_declarations (id, declaration) values ('${id(4)}', '{}')`,
      `insert into endpoints (id, tenant_id) values ('${id(5)}', '${TENANT}')`,
      `insert into serverless_runtimes (id) values ('${id(6)}')`,
      `insert into tool_installations (id, tenant_id, provider) values ('${id(7)}', '${TENANT}', '')`,
      `insert into ai_model_installations (id, tenant_id, provider) values ('${id(8)}', '${TENANT}', 'x')`,
    ])
      await raw.query(text);
    const database = await openDatabase(options);
    const empty = { plugin_id: '', plugin_unique_identifier: '' };
    expect(await database.installations.findById(TENANT, id(2))).toMatchObject({ ...empty, tenant_id: TENANT });
    expect(await database.installations.identifiersInUse({ runtimeType: 'local' })).toEqual([UID]);
    expect(await database.installations.listAllByTenant(TENANT)).toHaveLength(3);
    expect(await database.projections.list('tool', TENANT, page)).toContainEqual(expect.objectContaining(empty));
    expect(await database.projections.pluginIds('tool', TENANT)).toEqual(['acme/old']);
    expect(await database.projections.modelBindings(TENANT)).toHaveLength(1);
    expect(await database.endpoints.listByTenant(TENANT, page)).toContainEqual(
      expect.objectContaining({ plugin_id: '', hook_id: '' }),
    );
    expect(await database.plugins.list()).toContainEqual(expect.objectContaining(empty));
    await database.close();
  });
});
