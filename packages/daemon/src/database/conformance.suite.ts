import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, type InstallRequest, newId, type RuntimeType, StoredDeclaration } from './index.ts';
import type { InstallTaskItem } from './records.ts';

const provider = (name: string) => ({ identity: { name } });
const allKinds = {
  tool: provider('the-tool'),
  model: { provider: 'the-model' },
  agent_strategy: provider('the-agent'),
  datasource: provider('the-datasource'),
  trigger: provider('the-trigger'),
  endpoint: { settings: [] },
};

function plugin(pluginId: string, version = '0.0.1', value: object = { tool: provider('the-tool') }) {
  const uniqueIdentifier = `${pluginId}:${version}@${'a'.repeat(64)}`;
  const declaration = new StoredDeclaration(uniqueIdentifier, pluginId, JSON.stringify(value));
  return { pluginId, uniqueIdentifier, declaration };
}

const item = (identifier: string, more: Partial<InstallTaskItem> = {}): InstallTaskItem => ({
  plugin_unique_identifier: identifier,
  labels: { en_US: 'Demo' },
  icon: 'icon.svg',
  icon_dark: '',
  plugin_id: 'acme/demo',
  status: 'pending',
  message: '',
  source: 'package',
  ...more,
});

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/;

/** What every database does, run over the given one. Each test uses tenants and plugins of its own. */
export function databaseConformance(
  name: string,
  open: () => Promise<{ database: Database; close: () => Promise<void> }>,
) {
  describe(`database: ${name}`, () => {
    let database: Database;
    let close: () => Promise<void>;
    beforeAll(async () => {
      ({ database, close } = await open());
    });
    afterAll(() => close());

    const install = (tenantId: string, made: ReturnType<typeof plugin>, more: Partial<InstallRequest> = {}) =>
      database.lifecycle.installForTenant({
        tenantId,
        installType: 'local',
        source: 'package',
        meta: {},
        ...made,
        ...more,
      });
    const refers = async (identifier: string) => (await database.plugins.find(identifier))?.refers;

    describe('install', () => {
      test('writes the plugin, the installation and a row for each declared kind', async () => {
        const tenant = randomUUID();
        const made = plugin('acme/all-kinds', '0.0.1', allKinds);
        const outcome = await install(tenant, made, { source: 'marketplace', meta: { repo: 'r', n: 1 } });
        expect(outcome).toMatchObject({
          outcome: 'installed',
          plugin: {
            plugin_unique_identifier: made.uniqueIdentifier,
            refers: 1,
            install_type: 'local',
            manifest_type: '',
          },
          installation: {
            id: expect.stringMatching(uuidV7),
            created_at: expect.stringMatching(time),
            tenant_id: tenant,
            plugin_id: 'acme/all-kinds',
            runtime_type: 'local',
            endpoints_setups: 0,
            endpoints_active: 0,
            source: 'marketplace',
            meta: { repo: 'r', n: 1 },
          },
        });
        expect(await database.installations.find(tenant, 'acme/all-kinds')).toEqual(outcome.installation);
        for (const [kind, expected] of [
          ['tool', 'the-tool'],
          ['model', 'the-model'],
          ['agent_strategy', 'the-agent'],
          ['datasource', 'the-datasource'],
          ['trigger', 'the-trigger'],
        ] as const) {
          expect(await database.projections.list(kind, tenant, { page: 1, pageSize: 10 })).toMatchObject([
            {
              tenant_id: tenant,
              provider: expected,
              plugin_id: 'acme/all-kinds',
              plugin_unique_identifier: made.uniqueIdentifier,
            },
          ]);
        }
      });

      test('of one plugin id happens once, in whatever version', async () => {
        const tenant = randomUUID();
        const [old, next] = [plugin('acme/once', '0.0.1'), plugin('acme/once', '0.0.2')];
        const first = await install(tenant, old);
        expect(await install(tenant, next)).toEqual({ outcome: 'already-installed', installation: first.installation });
        expect(await database.plugins.exists(next.uniqueIdentifier)).toBe(false);
        expect(await database.projections.count('tool', tenant)).toBe(1);
      });

      test('by many tenants at once counts each of them', async () => {
        const made = plugin('acme/counted');
        const tenants = Array.from({ length: 12 }, () => randomUUID());
        const outcomes = await Promise.all([...tenants, ...tenants].map((tenant) => install(tenant, made)));
        expect(outcomes.filter(({ outcome }) => outcome === 'installed')).toHaveLength(12);
        expect(await refers(made.uniqueIdentifier)).toBe(12);
        expect(await database.installations.countByIdentifier(made.uniqueIdentifier)).toBe(12);
      });

      test('of a debugging plugin keeps its declaration with the plugin', async () => {
        const tenant = randomUUID();
        const made = plugin('acme/remote');
        await install(tenant, made, { installType: 'remote' });
        expect((await database.plugins.find(made.uniqueIdentifier))?.remote_declaration).toBe(made.declaration.json);
        for (const type of ['remote', 'local', undefined] as const) {
          expect((await database.declarations.find(made.uniqueIdentifier, type))?.json).toBe(made.declaration.json);
        }
        const changed = new StoredDeclaration(made.uniqueIdentifier, made.pluginId, '{"changed":true}');
        expect(await database.lifecycle.updateRemoteDeclaration(changed)).toBe(true);
        expect((await database.declarations.find(made.uniqueIdentifier, 'remote'))?.value).toEqual({ changed: true });
        const local = plugin('acme/not-remote');
        await install(tenant, local);
        expect(await database.lifecycle.updateRemoteDeclaration(local.declaration)).toBe(false);
        expect((await database.plugins.find(local.uniqueIdentifier))?.remote_declaration).toBeNull();
      });
    });

    describe('uninstall', () => {
      test('of the last tenant takes the shared rows along, of another not', async () => {
        const [one, two] = [randomUUID(), randomUUID()];
        const made = plugin('acme/shared', '0.0.1', allKinds);
        await database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, made.declaration.json);
        const first = await install(one, made);
        const second = await install(two, made);

        const uninstalled = await database.lifecycle.uninstallFromTenant({
          tenantId: one,
          installationId: first.installation.id,
        });
        expect(uninstalled).toEqual({
          outcome: 'uninstalled',
          installation: first.installation,
          lastReference: false,
          installType: 'local',
        });
        expect(await refers(made.uniqueIdentifier)).toBe(1);
        expect(await database.installations.find(one, made.pluginId)).toBeUndefined();
        expect(await database.installations.peek(one, made.pluginId)).toBeUndefined();
        expect(await database.projections.count('model', one)).toBe(0);
        expect(await database.projections.count('model', two)).toBe(1);
        expect(await database.declarations.find(made.uniqueIdentifier)).toBeDefined();

        expect(
          await database.lifecycle.uninstallFromTenant({ tenantId: two, installationId: second.installation.id }),
        ).toMatchObject({ outcome: 'uninstalled', lastReference: true });
        expect(await database.plugins.find(made.uniqueIdentifier)).toBeUndefined();
        expect(await database.declarations.find(made.uniqueIdentifier)).toBeUndefined();
      });

      test('of what is not there, or belongs to another tenant, changes nothing', async () => {
        const tenant = randomUUID();
        const { installation } = await install(tenant, plugin('acme/mine'));
        for (const request of [
          { tenantId: randomUUID(), installationId: installation.id },
          { tenantId: tenant, installationId: randomUUID() },
        ]) {
          expect(await database.lifecycle.uninstallFromTenant(request)).toEqual({ outcome: 'absent' });
        }
        expect(await database.installations.find(tenant, 'acme/mine')).toEqual(installation);
      });
    });

    describe('upgrade', () => {
      const upgrade = (tenantId: string, from: ReturnType<typeof plugin>, to: ReturnType<typeof plugin>) =>
        database.lifecycle.upgradeForTenant({
          tenantId,
          originalIdentifier: from.uniqueIdentifier,
          newIdentifier: to.uniqueIdentifier,
          newDeclaration: to.declaration,
          installType: 'local',
          source: 'github',
          meta: { v: 2 },
        });

      test('keeps the installation and moves references and projections', async () => {
        const tenant = randomUUID();
        const from = plugin('acme/grows', '0.0.1', { tool: provider('old'), trigger: provider('gone') });
        const to = plugin('acme/grows', '0.0.2', { tool: provider('new'), model: { provider: 'added' } });
        await database.declarations.insertIfAbsent(from.uniqueIdentifier, from.pluginId, from.declaration.json);
        await database.declarations.insertIfAbsent(to.uniqueIdentifier, to.pluginId, to.declaration.json);
        const { installation } = await install(tenant, from);

        const outcome = await upgrade(tenant, from, to);
        expect(outcome).toMatchObject({
          outcome: 'upgraded',
          originalReleased: true,
          originalInstallType: 'local',
          installation: { id: installation.id, created_at: installation.created_at, source: 'github', meta: { v: 2 } },
        });
        expect(await database.installations.find(tenant, 'acme/grows')).toEqual(
          outcome.outcome === 'upgraded' ? outcome.installation : undefined,
        );
        expect(await database.plugins.find(to.uniqueIdentifier)).toMatchObject({ refers: 1, manifest_type: 'plugin' });
        expect(await database.plugins.exists(from.uniqueIdentifier)).toBe(false);
        expect(await database.declarations.find(from.uniqueIdentifier)).toBeUndefined();
        expect(await database.declarations.find(to.uniqueIdentifier)).toBeDefined();
        expect(await database.projections.find('tool', tenant, 'acme/grows')).toMatchObject({ provider: 'new' });
        expect(await database.projections.find('model', tenant, 'acme/grows')).toMatchObject({ provider: 'added' });
        expect(await database.projections.find('trigger', tenant, 'acme/grows')).toBeUndefined();
      });

      test('by all tenants at once leaves no reference to the original', async () => {
        const [from, to] = [plugin('acme/stampede', '0.0.1'), plugin('acme/stampede', '0.0.2')];
        const tenants = Array.from({ length: 8 }, () => randomUUID());
        for (const tenant of tenants) await install(tenant, from);
        const outcomes = await Promise.all(tenants.map((tenant) => upgrade(tenant, from, to)));
        const released = outcomes.filter((outcome) => outcome.outcome === 'upgraded' && outcome.originalReleased);
        expect(released).toHaveLength(1);
        expect(await refers(to.uniqueIdentifier)).toBe(8);
        expect(await database.plugins.exists(from.uniqueIdentifier)).toBe(false);
      });

      test('from a version the tenant does not have changes nothing', async () => {
        const [from, to] = [plugin('acme/absent', '0.0.1'), plugin('acme/absent', '0.0.2')];
        expect(await upgrade(randomUUID(), from, to)).toEqual({ outcome: 'not-installed' });
        expect(await database.plugins.exists(to.uniqueIdentifier)).toBe(false);
      });
    });

    describe('installations', () => {
      test('are listed newest first, by pages, by ids in any number', async () => {
        const tenant = randomUUID();
        const ids = Array.from({ length: 300 }, (_, i) => `acme/listed-${i}`);
        for (const id of ids) await install(tenant, plugin(id));
        await install(randomUUID(), plugin('acme/listed-0'));
        const newest = ids.toReversed();
        const idsOf = (rows: readonly { plugin_id: string }[]) => rows.map((row) => row.plugin_id);
        expect(await database.installations.countByTenant(tenant)).toBe(300);
        expect(idsOf(await database.installations.listAllByTenant(tenant))).toEqual(newest);
        expect(idsOf(await database.installations.listByTenant(tenant, { page: 2, pageSize: 7 }))).toEqual(
          newest.slice(7, 14),
        );
        expect(
          idsOf(await database.installations.findByPluginIds(tenant, [...ids, 'acme/none', ids[3] ?? ''])),
        ).toEqual(newest);
        expect(await database.installations.findByPluginIds(tenant, [])).toEqual([]);
        expect(await database.projections.pluginIds('tool', tenant)).toEqual(newest);
        expect(await database.projections.findByPluginIds('tool', tenant, ids)).toHaveLength(300);
        const [first, second] = [
          await database.projections.list('tool', tenant, { page: 1, pageSize: 200 }),
          await database.projections.list('tool', tenant, { page: 2, pageSize: 200 }),
        ];
        expect(idsOf([...first, ...second])).toEqual(ids);
      });

      test('are found by id and identifier of their own tenant, and answered from memory', async () => {
        const tenant = randomUUID();
        const made = plugin('acme/found');
        const { installation } = await install(tenant, made);
        expect(await database.installations.findById(tenant, installation.id)).toEqual(installation);
        expect(await database.installations.findById(randomUUID(), installation.id)).toBeUndefined();
        expect(await database.installations.findByIdentifier(tenant, made.uniqueIdentifier)).toEqual(installation);
        expect(database.installations.peek(tenant, 'acme/found')).toBeUndefined();
        const found = await database.installations.find(tenant, 'acme/found');
        expect(database.installations.peek(tenant, 'acme/found')).toBe(found);
        expect(await database.installations.find(tenant, 'acme/found')).toBe(found);
      });

      test('tell which versions are in use', async () => {
        const made = plugin('acme/in-use');
        await install(randomUUID(), made);
        await install(randomUUID(), made);
        const used = await database.installations.identifiersInUse({ runtimeType: 'local' });
        expect(used.filter((identifier) => identifier === made.uniqueIdentifier)).toHaveLength(1);
        expect(await database.installations.identifiersInUse({ runtimeType: 'serverless' })).not.toContain(
          made.uniqueIdentifier,
        );
      });
    });

    test('model bindings follow the installed version, newest first, each once', async () => {
      const tenant = randomUUID();
      const one = plugin('acme/model-1', '0.0.1', { model: { provider: 'p1' } });
      const two = plugin('acme/model-2', '0.0.1', { model: { provider: 'p2' } });
      await install(tenant, one);
      await pause(2);
      await install(tenant, two);
      const binding = (made: typeof one, provider: string) => ({
        plugin_id: made.pluginId,
        provider,
        plugin_unique_identifier: made.uniqueIdentifier,
        runtime_type: 'local' satisfies RuntimeType,
      });
      expect(await database.projections.modelBindings(tenant)).toEqual([binding(two, 'p2'), binding(one, 'p1')]);
      expect(await database.projections.modelBindings(randomUUID())).toEqual([]);
    });

    describe('declarations', () => {
      test('are stored once and returned byte for byte', async () => {
        const made = plugin('acme/declared');
        const json = '{"name":"ünï\u2028","big":12345678901234567890,"a":{"b":[1.50]}}';
        expect(await database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, json)).toBe(true);
        expect(await database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, '{}')).toBe(false);
        const stored = await database.declarations.find(made.uniqueIdentifier);
        expect(stored?.json).toBe(json);
        expect(stored?.plugin_id).toBe('acme/declared');
        expect(stored?.value).toBe((await database.declarations.find(made.uniqueIdentifier))?.value);
        expect(await database.declarations.delete(made.uniqueIdentifier)).toBe(true);
        expect(await database.declarations.delete(made.uniqueIdentifier)).toBe(false);
        expect(await database.declarations.find(made.uniqueIdentifier)).toBeUndefined();
      });

      test('come in any number, whether in memory or not', async () => {
        const all = Array.from({ length: 300 }, (_, i) => plugin(`acme/many-${i}`));
        for (const { uniqueIdentifier, pluginId, declaration } of all) {
          await database.declarations.insertIfAbsent(uniqueIdentifier, pluginId, declaration.json);
        }
        const [first] = all;
        await database.declarations.find(first?.uniqueIdentifier ?? '');
        const wanted = [...all, plugin('acme/missing')].map(({ uniqueIdentifier }) => ({ uniqueIdentifier }));
        const found = await database.declarations.findMany(wanted);
        expect(found.size).toBe(300);
        expect(await database.declarations.findMany(wanted)).toEqual(found);
      });
    });

    describe('endpoints', () => {
      const pluginId = `${'a'.repeat(64)}/${'p'.repeat(120)}`;
      const setup = (tenantId: string) =>
        database.lifecycle.setupEndpoint({
          id: newId(),
          tenantId,
          userId: 'user',
          pluginId,
          name: 'hook',
          settings: { api_key: 'cipher', count: 3, flag: true },
        });
      const counters = async (tenant: string) => {
        const found = await database.installations.find(tenant, pluginId);
        return [found?.endpoints_setups, found?.endpoints_active];
      };

      test('are counted on their installation through their whole life', async () => {
        const tenant = randomUUID();
        await install(tenant, plugin(pluginId));
        expect(await counters(tenant)).toEqual([0, 0]);
        const [one, two] = [await setup(tenant), await setup(tenant)];
        expect(one).toMatchObject({
          name: 'hook',
          hook_id: expect.stringMatching(/^[a-z0-9]{16}$/),
          enabled: true,
          expired_at: '2050-01-01T00:00:00.000Z',
          settings: { api_key: 'cipher', count: 3, flag: true },
        });
        expect(await counters(tenant)).toEqual([2, 2]);
        expect(await database.endpoints.findByHookId(one.hook_id)).toEqual(one);

        const disabled = await database.lifecycle.setEndpointEnabled(tenant, one.id, false);
        expect(disabled?.enabled).toBe(false);
        expect((await database.endpoints.findByHookId(one.hook_id))?.enabled).toBe(false);
        expect(await database.lifecycle.setEndpointEnabled(tenant, one.id, false)).toEqual(disabled);
        expect(await counters(tenant)).toEqual([2, 1]);

        const renamed = await database.lifecycle.updateEndpoint(tenant, two.id, { name: 'n', settings: { x: 1 } });
        expect(await database.endpoints.find(tenant, two.id)).toEqual(renamed);
        expect(renamed).toMatchObject({ name: 'n', settings: { x: 1 }, hook_id: two.hook_id });

        expect(await database.lifecycle.removeEndpoint(tenant, one.id)).toMatchObject({ id: one.id });
        expect(await database.endpoints.findByHookId(one.hook_id)).toBeUndefined();
        expect(await counters(tenant)).toEqual([1, 1]);
      });

      test('survive their plugin and are counted again when it returns', async () => {
        const tenant = randomUUID();
        const { installation } = await install(tenant, plugin(pluginId));
        const endpoint = await setup(tenant);
        await setup(tenant);
        await database.lifecycle.setEndpointEnabled(tenant, endpoint.id, false);
        await database.lifecycle.uninstallFromTenant({ tenantId: tenant, installationId: installation.id });
        expect(await database.endpoints.listByTenant(tenant, { page: 1, pageSize: 10 })).toHaveLength(2);
        await install(tenant, plugin(pluginId));
        expect(await counters(tenant)).toEqual([2, 1]);
      });

      test('of other tenants are out of reach; lists are newest first', async () => {
        const [tenant, other] = [randomUUID(), randomUUID()];
        const made = [await setup(tenant), await setup(tenant), await setup(tenant)];
        const [first] = made;
        const id = first?.id ?? '';
        expect(await database.endpoints.find(other, id)).toBeUndefined();
        expect(await database.lifecycle.setEndpointEnabled(other, id, false)).toBeUndefined();
        expect(await database.lifecycle.updateEndpoint(other, id, { name: '', settings: {} })).toBeUndefined();
        expect(await database.lifecycle.removeEndpoint(other, id)).toBeUndefined();
        expect(await database.endpoints.listByTenant(tenant, { page: 1, pageSize: 2 })).toEqual(
          made.toReversed().slice(0, 2),
        );
        expect(await database.endpoints.listByPlugin(tenant, pluginId, { page: 2, pageSize: 2 })).toEqual(
          made.slice(0, 1),
        );
        expect(await database.endpoints.listByPlugin(tenant, 'acme/other', { page: 1, pageSize: 2 })).toEqual([]);
      });
    });

    describe('install tasks', () => {
      const lease = { owner: 'daemon-1', durationMs: 60_000 };
      const create = (tenantId: string, items: readonly string[], owned = lease) =>
        database.installTasks.create({ tenantId, plugins: items.map((identifier) => item(identifier)), lease: owned });

      test('go from running to success as their items do', async () => {
        const tenant = randomUUID();
        const task = await create(tenant, ['a', 'b']);
        expect(task).toMatchObject({ status: 'running', total_plugins: 2, completed_plugins: 0, tenant_id: tenant });
        await database.installTasks.updateItem(task.id, 'a', { status: 'running', message: 'starting' });
        await database.installTasks.updateItem(task.id, 'a', { status: 'success', message: 'installed' });
        expect(await database.installTasks.updateItem(task.id, 'a', { status: 'success' })).toMatchObject({
          status: 'running',
          completed_plugins: 1,
        });
        const done = await database.installTasks.updateItem(task.id, 'b', {
          status: 'success',
          labels: { en_US: 'B' },
        });
        expect(done).toMatchObject({ status: 'success', completed_plugins: 2 });
        expect(await database.installTasks.find(tenant, task.id)).toEqual(done);
        expect(done?.plugins[1]).toEqual(item('b', { status: 'success', labels: { en_US: 'B' } }));
      });

      test('fail with their first item and stay failed', async () => {
        const tenant = randomUUID();
        const task = await create(tenant, ['a', 'b']);
        expect(await database.installTasks.updateItem(task.id, 'a', { status: 'failed', message: 'no' })).toMatchObject(
          { status: 'failed' },
        );
        expect(await database.installTasks.updateItem(task.id, 'b', { status: 'success' })).toMatchObject({
          status: 'failed',
          completed_plugins: 1,
        });
        await database.installTasks.updateItem(task.id, 'a', { status: 'success' });
        expect((await database.installTasks.find(tenant, task.id))?.status).toBe('failed');
      });

      test('parallel changes of many items are all kept', async () => {
        const tenant = randomUUID();
        const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
        const task = await create(tenant, names);
        await Promise.all(names.map((name) => database.installTasks.updateItem(task.id, name, { status: 'success' })));
        expect(await database.installTasks.find(tenant, task.id)).toMatchObject({
          status: 'success',
          completed_plugins: 30,
        });
      });

      test('cut long messages in the middle, between characters', async () => {
        const task = await create(randomUUID(), ['a']);
        const long = await database.installTasks.updateItem(task.id, 'a', {
          message: `${'x'.repeat(600)}${'y'.repeat(600)}`,
        });
        expect(long?.plugins[0]?.message).toBe(`${'x'.repeat(512)}...${'y'.repeat(512)}`);
        const wide = await database.installTasks.updateItem(task.id, 'a', { message: '€'.repeat(500) });
        expect(wide?.plugins[0]?.message).toBe(`${'€'.repeat(170)}...${'€'.repeat(170)}`);
        const short = await database.installTasks.updateItem(task.id, 'a', { message: 'x'.repeat(1024) });
        expect(short?.plugins[0]?.message).toHaveLength(1024);
      });

      test('that were deleted stay deleted', async () => {
        const tenant = randomUUID();
        const task = await create(tenant, ['a']);
        expect(await database.installTasks.delete(randomUUID(), task.id)).toBe(false);
        expect(await database.installTasks.delete(tenant, task.id)).toBe(true);
        expect(await database.installTasks.delete(tenant, task.id)).toBe(false);
        expect(await database.installTasks.updateItem(task.id, 'a', { status: 'success' })).toBeUndefined();
        expect(await database.installTasks.find(tenant, task.id)).toBeUndefined();
        await create(tenant, ['a']);
        await create(tenant, ['a']);
        expect(await database.installTasks.deleteAll(tenant)).toBe(2);
        expect(await database.installTasks.list(tenant, { page: 1, pageSize: 10 })).toEqual([]);
      });

      test('lose single items, and go when only successes remain', async () => {
        const tenant = randomUUID();
        const task = await create(tenant, ['a', 'b', 'c']);
        expect(await database.installTasks.deleteItem(tenant, task.id, 'none')).toBe(false);
        expect(await database.installTasks.deleteItem(randomUUID(), task.id, 'a')).toBe(false);
        expect(await database.installTasks.deleteItem(tenant, task.id, 'a')).toBe(true);
        expect(await database.installTasks.find(tenant, task.id)).toMatchObject({
          total_plugins: 3,
          plugins: [{}, {}],
        });
        expect(await database.installTasks.updateItem(task.id, 'a', { status: 'success' })).toBeUndefined();
        await database.installTasks.updateItem(task.id, 'b', { status: 'success' });
        expect(await database.installTasks.deleteItem(tenant, task.id, 'c')).toBe(true);
        expect(await database.installTasks.find(tenant, task.id)).toBeUndefined();
      });

      test('are listed newest first', async () => {
        const tenant = randomUUID();
        const tasks = [await create(tenant, ['a']), await create(tenant, ['b']), await create(tenant, ['c'])];
        expect(await database.installTasks.list(tenant, { page: 1, pageSize: 2 })).toEqual(
          tasks.toReversed().slice(0, 2),
        );
        expect(await database.installTasks.list(tenant, { page: 2, pageSize: 2 })).toEqual(tasks.slice(0, 1));
      });

      test('whose lease ran out fail, with the items that were not done', async () => {
        const tenant = randomUUID();
        const lost = await create(tenant, ['a', 'b'], { owner: 'dead', durationMs: -1 });
        await database.installTasks.updateItem(lost.id, 'a', { status: 'success', message: 'installed' });
        const kept = await create(tenant, ['a']);
        const failed = await database.installTasks.failOrphans('lost its daemon');
        expect(failed.filter((task) => task.tenant_id === tenant)).toMatchObject([
          {
            id: lost.id,
            status: 'failed',
            plugins: [
              { status: 'success', message: 'installed' },
              { status: 'failed', message: 'lost its daemon' },
            ],
          },
        ]);
        expect((await database.installTasks.find(tenant, kept.id))?.status).toBe('running');
        expect(await database.installTasks.failOrphans('again')).toEqual([]);
      });

      test('live as long as their lease is renewed', async () => {
        const tenant = randomUUID();
        const mine = { owner: `daemon-${tenant}`, durationMs: -1 };
        const [task, gone, done] = [
          await create(tenant, ['a'], mine),
          await create(tenant, ['a'], mine),
          await create(tenant, ['a'], mine),
        ];
        await database.installTasks.delete(tenant, gone.id);
        await database.installTasks.updateItem(done.id, 'a', { status: 'success' });
        expect(await database.installTasks.renewLeases({ ...mine, durationMs: 60_000 })).toEqual([task.id]);
        expect(await database.installTasks.failOrphans('lost')).toEqual([]);
        expect(await database.installTasks.failOwned(mine.owner, 'shutdown')).toMatchObject([
          { id: task.id, status: 'failed', plugins: [{ message: 'shutdown' }] },
        ]);
      });

      test('that succeeded are swept when they are old enough', async () => {
        const tenant = randomUUID();
        const [done, failed] = [await create(tenant, ['a']), await create(tenant, ['a'])];
        await database.installTasks.updateItem(done.id, 'a', { status: 'success' });
        await database.installTasks.updateItem(failed.id, 'a', { status: 'failed' });
        await database.installTasks.sweepSuccessful(60_000);
        expect(await database.installTasks.list(tenant, { page: 1, pageSize: 10 })).toHaveLength(2);
        await pause(5);
        expect(await database.installTasks.sweepSuccessful(1)).toBeGreaterThan(0);
        expect(await database.installTasks.list(tenant, { page: 1, pageSize: 10 })).toMatchObject([{ id: failed.id }]);
      });
    });

    describe('storage quota', () => {
      test('is never passed, however many ask at once', async () => {
        const tenant = randomUUID();
        const answers = await Promise.all(
          Array.from({ length: 20 }, () => database.tenantStorages.reserve(tenant, 'acme/store', 30, 100)),
        );
        expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
        expect(await database.tenantStorages.size(tenant, 'acme/store')).toBe(90);
        expect(await database.tenantStorages.reserve(tenant, 'acme/store', 10, 100)).toEqual({ ok: true, size: 100 });
        expect(await database.tenantStorages.reserve(tenant, 'acme/store', 1, 100)).toEqual({ ok: false, size: 100 });
        expect(await database.tenantStorages.size(tenant, 'acme/other')).toBe(0);
      });

      test('is given back, not below nothing', async () => {
        const tenant = randomUUID();
        await database.tenantStorages.reserve(tenant, 'p', 50, 100);
        await database.tenantStorages.release(tenant, 'p', 20);
        expect(await database.tenantStorages.size(tenant, 'p')).toBe(30);
        expect(await database.tenantStorages.reserve(tenant, 'p', -10, 5)).toEqual({ ok: true, size: 20 });
        await database.tenantStorages.release(tenant, 'p', 1000);
        expect(await database.tenantStorages.size(tenant, 'p')).toBe(0);
      });
    });

    test('readmes are stored once for a version', async () => {
      const identifier = plugin(`acme/readme-${randomUUID()}`).uniqueIdentifier;
      const readmes = [
        { language: 'en_US', content: '# Hello' },
        { language: 'zh_Hans', content: '# 你好' },
      ];
      await Promise.all([1, 2, 3].map(() => database.readmes.insertIfAbsent(identifier, readmes)));
      await database.readmes.insertIfAbsent(identifier, []);
      expect(await database.readmes.list(identifier)).toMatchObject(readmes);
    });

    test('serverless runtimes are replaced by identifier', async () => {
      const runtime = {
        plugin_unique_identifier: plugin(`acme/serverless-${randomUUID()}`).uniqueIdentifier,
        function_url: 'http://a',
        function_name: 'a',
        type: 'serverless',
        checksum: '1',
      };
      await database.serverlessRuntimes.upsert(runtime);
      const first = await database.serverlessRuntimes.find(runtime.plugin_unique_identifier);
      await database.serverlessRuntimes.upsert({ ...runtime, function_url: 'http://b' });
      const second = await database.serverlessRuntimes.find(runtime.plugin_unique_identifier);
      expect(second).toMatchObject({ ...runtime, function_url: 'http://b', id: first?.id });
      expect(await database.serverlessRuntimes.delete(runtime.plugin_unique_identifier)).toBe(true);
      expect(await database.serverlessRuntimes.delete(runtime.plugin_unique_identifier)).toBe(false);
    });

    test('plugins are found in any number and listed by type', async () => {
      const tenant = randomUUID();
      const [local, remote] = [plugin('acme/listed-local'), plugin('acme/listed-remote')];
      await install(tenant, local);
      await install(tenant, remote, { installType: 'remote' });
      const found = await database.plugins.findMany([local.uniqueIdentifier, remote.uniqueIdentifier, 'none']);
      expect([...found.keys()].toSorted()).toEqual([local.uniqueIdentifier, remote.uniqueIdentifier].toSorted());
      const remotes = await database.plugins.list({ installType: 'remote' });
      expect(remotes.map((row) => row.plugin_unique_identifier)).toContain(remote.uniqueIdentifier);
      expect(remotes.every((row) => row.install_type === 'remote')).toBe(true);
      expect((await database.plugins.list()).length).toBeGreaterThan(remotes.length);
    });

    test('text that looks like SQL is text', async () => {
      const evil = `acme/x'); drop table plugins; --`;
      const tenant = randomUUID();
      await install(tenant, plugin(evil), { meta: { "k'": '"; --' } });
      expect(await database.installations.find(tenant, evil)).toMatchObject({
        plugin_id: evil,
        meta: { "k'": '"; --' },
      });
      expect(await database.plugins.exists(plugin(evil).uniqueIdentifier)).toBe(true);
    });

    test('it answers when asked whether it is there', async () => {
      await expect(database.ping()).resolves.toBeUndefined();
    });
  });
}
