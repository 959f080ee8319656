import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RuntimeType } from '../index.ts';
import { install, plugin, type UnderTest } from './fixtures.ts';

export function readConformance(on: UnderTest): void {
  describe('installations', () => {
    test('are listed newest first and by pages, and found by any number of ids in the order of installation', async () => {
      const tenant = randomUUID();
      const ids = Array.from({ length: 300 }, (_, i) => `acme/listed-${i}`);
      for (const id of ids) await install(on, tenant, plugin(id));
      await install(on, randomUUID(), plugin('acme/listed-0'));
      const newest = ids.toReversed();
      const idsOf = (rows: readonly { plugin_id: string }[]) => rows.map((row) => row.plugin_id);
      expect(await on.database.installations.countByTenant(tenant)).toBe(300);
      expect(idsOf(await on.database.installations.listAllByTenant(tenant))).toEqual(newest);
      expect(idsOf(await on.database.installations.listByTenant(tenant, { page: 2, pageSize: 7 }))).toEqual(
        newest.slice(7, 14),
      );
      expect(
        idsOf(await on.database.installations.findByPluginIds(tenant, [...newest, 'acme/none', ids[3] ?? ''])),
      ).toEqual(ids);
      expect(await on.database.installations.findByPluginIds(tenant, [])).toEqual([]);
      expect(await on.database.projections.pluginIds('tool', tenant)).toEqual(newest);
      expect(await on.database.projections.findByPluginIds('tool', tenant, ids)).toHaveLength(300);
      const [first, second] = [
        await on.database.projections.list('tool', tenant, { page: 1, pageSize: 200 }),
        await on.database.projections.list('tool', tenant, { page: 2, pageSize: 200 }),
      ];
      expect(idsOf([...first, ...second])).toEqual(ids);
    });

    test('are found by id and identifier of their own tenant, and answered from memory', async () => {
      const tenant = randomUUID();
      const made = plugin('acme/found');
      const { installation } = await install(on, tenant, made);
      expect(await on.database.installations.findById(tenant, installation.id)).toEqual(installation);
      expect(await on.database.installations.findById(randomUUID(), installation.id)).toBeUndefined();
      expect(await on.database.installations.findByIdentifier(tenant, made.uniqueIdentifier)).toEqual(installation);
      expect(on.database.installations.peek(tenant, 'acme/found')).toBeUndefined();
      const found = await on.database.installations.find(tenant, 'acme/found');
      expect(on.database.installations.peek(tenant, 'acme/found')).toBe(found);
      expect(await on.database.installations.find(tenant, 'acme/found')).toBe(found);
    });

    test('tell which versions are in use', async () => {
      const made = plugin('acme/in-use');
      await install(on, randomUUID(), made);
      await install(on, randomUUID(), made);
      const used = await on.database.installations.identifiersInUse({ runtimeType: 'local' });
      expect(used.filter((identifier) => identifier === made.uniqueIdentifier)).toHaveLength(1);
      expect(await on.database.installations.identifiersInUse({ runtimeType: 'serverless' })).not.toContain(
        made.uniqueIdentifier,
      );
    });
  });

  test('model bindings follow the installed version, newest first, each once', async () => {
    const tenant = randomUUID();
    const one = plugin('acme/model-1', '0.0.1', { model: { provider: 'p1' } });
    const two = plugin('acme/model-2', '0.0.1', { model: { provider: 'p2' } });
    await install(on, tenant, one);
    await pause(2);
    await install(on, tenant, two);
    const binding = (made: typeof one, provider: string) => ({
      plugin_id: made.pluginId,
      provider,
      plugin_unique_identifier: made.uniqueIdentifier,
      runtime_type: 'local' satisfies RuntimeType,
    });
    expect(await on.database.projections.modelBindings(tenant)).toEqual([binding(two, 'p2'), binding(one, 'p1')]);
    expect(await on.database.projections.modelBindings(randomUUID())).toEqual([]);
  });

  describe('declarations', () => {
    test('are stored once and returned byte for byte', async () => {
      const made = plugin('acme/declared');
      const json = '{"name":"ünï\u2028","big":12345678901234567890,"a":{"b":[1.50]}}';
      expect(await on.database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, json)).toBe(true);
      expect(await on.database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, '{}')).toBe(false);
      const stored = await on.database.declarations.find(made.uniqueIdentifier);
      expect(stored?.json).toBe(json);
      expect(stored?.plugin_id).toBe('acme/declared');
      expect(stored?.value).toBe((await on.database.declarations.find(made.uniqueIdentifier))?.value);
      expect(await on.database.declarations.replace(made.uniqueIdentifier, '{"verified":true}')).toBe(true);
      expect((await on.database.declarations.find(made.uniqueIdentifier))?.json).toBe('{"verified":true}');
      expect(await on.database.declarations.delete(made.uniqueIdentifier)).toBe(true);
      expect(await on.database.declarations.replace(made.uniqueIdentifier, '{}')).toBe(false);
      expect(await on.database.declarations.delete(made.uniqueIdentifier)).toBe(false);
      expect(await on.database.declarations.find(made.uniqueIdentifier)).toBeUndefined();
    });

    test('come in any number, whether in memory or not', async () => {
      const all = Array.from({ length: 300 }, (_, i) => plugin(`acme/many-${i}`));
      for (const { uniqueIdentifier, pluginId, declaration } of all) {
        await on.database.declarations.insertIfAbsent(uniqueIdentifier, pluginId, declaration.json);
      }
      const [first] = all;
      await on.database.declarations.find(first?.uniqueIdentifier ?? '');
      const wanted = [...all, plugin('acme/missing')].map(({ uniqueIdentifier }) => ({ uniqueIdentifier }));
      const found = await on.database.declarations.findMany(wanted);
      expect(found.size).toBe(300);
      expect(await on.database.declarations.findMany(wanted)).toEqual(found);
    });
  });

  test('readmes are stored once for a version', async () => {
    const identifier = plugin(`acme/readme-${randomUUID()}`).uniqueIdentifier;
    const readmes = [
      { language: 'en_US', content: '# Hello' },
      { language: 'zh_Hans', content: '# 你好' },
    ];
    await Promise.all([1, 2, 3].map(() => on.database.readmes.insertIfAbsent(identifier, readmes)));
    await on.database.readmes.insertIfAbsent(identifier, []);
    expect(await on.database.readmes.list(identifier)).toMatchObject(readmes);
  });

  test('serverless runtimes are replaced by identifier', async () => {
    const runtime = {
      plugin_unique_identifier: plugin(`acme/serverless-${randomUUID()}`).uniqueIdentifier,
      function_url: 'http://a',
      function_name: 'a',
      type: 'serverless',
      checksum: '1',
    };
    await on.database.serverlessRuntimes.upsert(runtime);
    const first = await on.database.serverlessRuntimes.find(runtime.plugin_unique_identifier);
    await on.database.serverlessRuntimes.upsert({ ...runtime, function_url: 'http://b' });
    const second = await on.database.serverlessRuntimes.find(runtime.plugin_unique_identifier);
    expect(second).toMatchObject({ ...runtime, function_url: 'http://b', id: first?.id });
    expect(on.database.serverlessRuntimes.peek(runtime.plugin_unique_identifier)).toEqual(second);
    const other = { url: 'http://c', name: 'c' };
    expect(await on.database.serverlessRuntimes.point(runtime.plugin_unique_identifier, other)).toBe(true);
    expect(await on.database.serverlessRuntimes.find(runtime.plugin_unique_identifier)).toMatchObject({
      function_url: 'http://c',
      function_name: 'c',
      checksum: '1',
      id: first?.id,
    });
    expect(await on.database.serverlessRuntimes.point(`acme/none-${randomUUID()}:1.0.0@a`, other)).toBe(false);
    expect(await on.database.serverlessRuntimes.delete(runtime.plugin_unique_identifier)).toBe(true);
    expect(await on.database.serverlessRuntimes.find(runtime.plugin_unique_identifier)).toBeUndefined();
    expect(await on.database.serverlessRuntimes.delete(runtime.plugin_unique_identifier)).toBe(false);
  });

  test('plugins are found in any number and listed by type', async () => {
    const tenant = randomUUID();
    const [local, remote] = [plugin('acme/listed-local'), plugin('acme/listed-remote')];
    await install(on, tenant, local);
    await install(on, tenant, remote, { installType: 'remote' });
    const found = await on.database.plugins.findMany([local.uniqueIdentifier, remote.uniqueIdentifier, 'none']);
    expect([...found.keys()].toSorted()).toEqual([local.uniqueIdentifier, remote.uniqueIdentifier].toSorted());
    const remotes = await on.database.plugins.list({ installType: 'remote' });
    expect(remotes.map((row) => row.plugin_unique_identifier)).toContain(remote.uniqueIdentifier);
    expect(remotes.every((row) => row.install_type === 'remote')).toBe(true);
    expect((await on.database.plugins.list()).length).toBeGreaterThan(remotes.length);
  });

  test('text that looks like SQL is text', async () => {
    const evil = `acme/x'); drop table plugins; --`;
    const tenant = randomUUID();
    await install(on, tenant, plugin(evil), { meta: { "k'": '"; --' } });
    expect(await on.database.installations.find(tenant, evil)).toMatchObject({
      plugin_id: evil,
      meta: { "k'": '"; --' },
    });
    expect(await on.database.plugins.exists(plugin(evil).uniqueIdentifier)).toBe(true);
  });

  test('it answers when asked whether it is there', async () => {
    await expect(on.database.ping()).resolves.toBeUndefined();
  });
}
