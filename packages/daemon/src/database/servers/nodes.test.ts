import { randomUUID } from 'node:crypto';
import { provided, skipReason } from '@plugin-daemon/services';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { plugin } from '../conformance/fixtures.ts';
import { type Database, openDatabase } from '../index.ts';
import { openDialect } from '../open.ts';
import { connectRaw, freshDatabase, testServers } from '../testing/servers.ts';

const lease = (owner: string) => ({ owner, durationMs: 30_000 });
const item = (identifier: string) => ({
  plugin_unique_identifier: identifier,
  labels: {},
  icon: '',
  icon_dark: '',
  plugin_id: identifier,
  status: 'pending' as const,
  message: '',
  source: '',
});
const install = (database: Database, tenantId: string, made: ReturnType<typeof plugin>) =>
  database.lifecycle.installForTenant({ tenantId, installType: 'local', source: 'package', meta: {}, ...made });

describe.each(testServers)('several nodes on %s', (server) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }
  const options = freshDatabase(server);
  let nodes: readonly [Database, Database];
  beforeAll(async () => {
    // The database is missing, and all of them start at this moment.
    const [one, two, ...others] = await Promise.all(Array.from({ length: 5 }, () => openDatabase(options)));
    for (const other of others) await other.close();
    if (one === undefined || two === undefined) throw new Error('no nodes');
    nodes = [one, two];
  });
  afterAll(() => Promise.all(nodes.map((node) => node.close())));
  const rows = async (table: string, where: string) => {
    await using raw = await connectRaw(options);
    return await raw.query(`select * from ${table} where ${where}`);
  };

  test('the quota of a plugin is one, and in one row', async () => {
    const tenant = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => nodes[i % 2 === 0 ? 0 : 1].tenantStorages.reserve(tenant, 'p', 30, 100)),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
    expect(await rows('tenant_storages', `tenant_id = '${tenant}'`)).toMatchObject([{ size: '90' }]);
  });

  test('a readme that both extract is stored once', async () => {
    const uid = `acme/readme:0.0.1@${randomUUID()}`;
    const readmes = [
      { language: 'zh_Hans', content: '读我' },
      { language: 'en_US', content: 'read me' },
    ];
    await Promise.all([0, 1, 0, 1].map((at) => nodes[at === 0 ? 0 : 1].readmes.insertIfAbsent(uid, readmes)));
    expect(await rows('plugin_readme_records', `plugin_unique_identifier = '${uid}'`)).toHaveLength(2);
    expect((await nodes[0].readmes.list(uid)).map(({ content }) => content)).toEqual(['read me', '读我']);
  });

  test('a plugin that one tenant installs on both is installed once', async () => {
    const [tenant, made] = [randomUUID(), plugin('acme/both')];
    const outcomes = await Promise.all([0, 1, 0, 1].map((at) => install(nodes[at === 0 ? 0 : 1], tenant, made)));
    expect(outcomes.map(({ outcome }) => outcome).toSorted()).toEqual([
      ...Array.from({ length: 3 }, () => 'already-installed'),
      'installed',
    ]);
    expect(await nodes[1].plugins.find(made.uniqueIdentifier)).toMatchObject({ refers: 1 });
    expect(await nodes[1].projections.list('tool', tenant, { page: 1, pageSize: 10 })).toHaveLength(1);
  });

  test('tenants that come and go at once leave the right count, and a version in use its rows', async () => {
    const made = plugin('acme/busy');
    const tenants = Array.from({ length: 12 }, () => randomUUID());
    const [leaving, coming] = [tenants.slice(0, 6), tenants.slice(6)];
    const installed = await Promise.all(leaving.map((tenant) => install(nodes[0], tenant, made)));
    await Promise.all([
      ...installed.map(({ installation }) =>
        nodes[1].lifecycle.uninstallFromTenant({
          tenantId: installation.tenant_id,
          installationId: installation.id,
        }),
      ),
      ...coming.map((tenant) => install(nodes[0], tenant, made)),
    ]);
    expect(await nodes[0].plugins.find(made.uniqueIdentifier)).toMatchObject({ refers: 6 });
    expect(await rows('plugin_declarations', `plugin_unique_identifier = '${made.uniqueIdentifier}'`)).toHaveLength(1);
  });

  test('a deadlock is begun anew, and both come through', async () => {
    const dialect = await openDialect(options);
    try {
      const ids = [randomUUID(), randomUUID()] as const;
      for (const id of ids) {
        const time = new Date();
        const row = { id, created_at: time, updated_at: time, owner: 'x', deadline: 0 };
        await dialect.kysely.insertInto('debugging_leases').values(row).execute();
      }
      const met = Promise.withResolvers<void>();
      let waiting = 0;
      let runs = 0;
      const cross = (first: string, second: string) =>
        dialect.transaction(async (tx) => {
          runs++;
          const add = (id: string) =>
            tx
              .updateTable('debugging_leases')
              .set({ deadline: sql<number>`deadline + 1` })
              .where('id', '=', id)
              .execute();
          await add(first);
          waiting++;
          if (waiting === 2) met.resolve();
          await met.promise;
          await add(second);
        });
      await Promise.all([cross(ids[0], ids[1]), cross(ids[1], ids[0])]);
      expect(runs).toBe(3);
      const found = await dialect.kysely
        .selectFrom('debugging_leases')
        .select('deadline')
        .where('id', 'in', ids)
        .execute();
      expect(found).toEqual([{ deadline: 2 }, { deadline: 2 }]);
    } finally {
      await dialect.kysely.destroy();
    }
  });

  test('a node whose clock is a minute off takes nothing from the others', async () => {
    const tenant = randomUUID();
    const task = await nodes[0].installTasks.create({ tenantId: tenant, plugins: [item('a')], lease: lease('one') });
    const made = plugin('acme/debugged');
    await nodes[0].lifecycle.installForTenant({
      tenantId: tenant,
      installType: 'remote',
      source: 'remote',
      meta: {},
      lease: lease('one'),
      ...made,
    });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    try {
      expect(await nodes[1].installTasks.failOrphans('gone')).toEqual([]);
      expect(await nodes[1].debuggingLeases.abandoned()).toEqual([]);
      await nodes[1].installTasks.create({ tenantId: tenant, plugins: [item('b')], lease: lease('two') });
    } finally {
      vi.useRealTimers();
    }
    await nodes[1].installTasks.renewLeases({ owner: 'one', durationMs: -1 });
    expect(await nodes[1].installTasks.failOrphans('gone')).toMatchObject([{ id: task.id, status: 'failed' }]);
    await nodes[1].debuggingLeases.renew({ owner: 'one', durationMs: -1 });
    expect(await nodes[1].debuggingLeases.abandoned()).toMatchObject([{ plugin_id: 'acme/debugged' }]);
  });

  test('a wrong password is told apart from a server that has to be waited for', async () => {
    await expect(openDatabase({ ...options, password: 'wrong' })).rejects.toMatchObject({
      failure: 'denied',
      remedy: expect.stringContaining('DB_PASSWORD'),
    });
  });

  test('more callers than connections are all served', async () => {
    const tenant = randomUUID();
    await install(nodes[0], tenant, plugin('acme/crowd'));
    const found = await Promise.all(Array.from({ length: 300 }, () => nodes[1].installations.listAllByTenant(tenant)));
    expect(found.every((list) => list.length === 1)).toBe(true);
  });
});
