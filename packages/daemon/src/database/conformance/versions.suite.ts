import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { StoredDeclaration } from '../index.ts';
import { install, type MadePlugin, plugin, provider, type UnderTest } from './fixtures.ts';

const allKinds = {
  tool: provider('the-tool'),
  model: { provider: 'the-model' },
  agent_strategy: provider('the-agent'),
  datasource: provider('the-datasource'),
  trigger: provider('the-trigger'),
  endpoint: { settings: [] },
};

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}Z$/;

export function versionConformance(on: UnderTest): void {
  const refers = async (identifier: string) => (await on.database.plugins.find(identifier))?.refers;

  describe('install', () => {
    test('writes the plugin, the installation and a row for each declared kind', async () => {
      const tenant = randomUUID();
      const made = plugin('acme/all-kinds', '0.0.1', allKinds);
      const outcome = await install(on, tenant, made, { source: 'marketplace', meta: { repo: 'r', n: 1 } });
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
      expect(await on.database.installations.find(tenant, 'acme/all-kinds')).toEqual(outcome.installation);
      for (const [kind, expected] of [
        ['tool', 'the-tool'],
        ['model', 'the-model'],
        ['agent_strategy', 'the-agent'],
        ['datasource', 'the-datasource'],
        ['trigger', 'the-trigger'],
      ] as const) {
        expect(await on.database.projections.list(kind, tenant, { page: 1, pageSize: 10 })).toMatchObject([
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
      const first = await install(on, tenant, old);
      expect(await install(on, tenant, next)).toEqual({
        outcome: 'already-installed',
        installation: first.installation,
      });
      expect(await on.database.plugins.exists(next.uniqueIdentifier)).toBe(false);
      expect(await on.database.projections.count('tool', tenant)).toBe(1);
    });

    test('by many tenants at once counts each of them', async () => {
      const made = plugin('acme/counted');
      const tenants = Array.from({ length: 12 }, () => randomUUID());
      const outcomes = await Promise.all([...tenants, ...tenants].map((tenant) => install(on, tenant, made)));
      expect(outcomes.filter(({ outcome }) => outcome === 'installed')).toHaveLength(12);
      expect(await refers(made.uniqueIdentifier)).toBe(12);
      expect(await on.database.installations.countByIdentifier(made.uniqueIdentifier)).toBe(12);
    });

    test('of a debugging plugin keeps its declaration with the plugin', async () => {
      const tenant = randomUUID();
      const made = plugin('acme/remote');
      await install(on, tenant, made, { installType: 'remote' });
      expect((await on.database.plugins.find(made.uniqueIdentifier))?.remote_declaration).toBe(made.declaration.json);
      for (const type of ['remote', 'local', undefined] as const) {
        expect((await on.database.declarations.find(made.uniqueIdentifier, type))?.json).toBe(made.declaration.json);
      }
      const changed = new StoredDeclaration(made.uniqueIdentifier, made.pluginId, '{"changed":true}');
      expect(await on.database.lifecycle.updateRemoteDeclaration(changed)).toBe(true);
      expect((await on.database.declarations.find(made.uniqueIdentifier, 'remote'))?.value).toEqual({ changed: true });
      const local = plugin('acme/not-remote');
      await install(on, tenant, local);
      expect(await on.database.lifecycle.updateRemoteDeclaration(local.declaration)).toBe(false);
      expect((await on.database.plugins.find(local.uniqueIdentifier))?.remote_declaration).toBeNull();
    });
  });

  describe('uninstall', () => {
    test('of the last tenant takes the shared rows along, of another not', async () => {
      const [one, two] = [randomUUID(), randomUUID()];
      const made = plugin('acme/shared', '0.0.1', allKinds);
      await on.database.declarations.insertIfAbsent(made.uniqueIdentifier, made.pluginId, made.declaration.json);
      const first = await install(on, one, made);
      const second = await install(on, two, made);

      const uninstalled = await on.database.lifecycle.uninstallFromTenant({
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
      expect(await on.database.installations.find(one, made.pluginId)).toBeUndefined();
      expect(await on.database.installations.peek(one, made.pluginId)).toBeUndefined();
      expect(await on.database.projections.count('model', one)).toBe(0);
      expect(await on.database.projections.count('model', two)).toBe(1);
      expect(await on.database.declarations.find(made.uniqueIdentifier)).toBeDefined();

      expect(
        await on.database.lifecycle.uninstallFromTenant({ tenantId: two, installationId: second.installation.id }),
      ).toMatchObject({ outcome: 'uninstalled', lastReference: true });
      expect(await on.database.plugins.find(made.uniqueIdentifier)).toBeUndefined();
      expect(await on.database.declarations.find(made.uniqueIdentifier)).toBeUndefined();
    });

    test('of what is not there, or belongs to another tenant, changes nothing', async () => {
      const tenant = randomUUID();
      const { installation } = await install(on, tenant, plugin('acme/mine'));
      for (const request of [
        { tenantId: randomUUID(), installationId: installation.id },
        { tenantId: tenant, installationId: randomUUID() },
      ]) {
        expect(await on.database.lifecycle.uninstallFromTenant(request)).toEqual({ outcome: 'absent' });
      }
      expect(await on.database.installations.find(tenant, 'acme/mine')).toEqual(installation);
    });
  });

  describe('upgrade', () => {
    const upgrade = (tenantId: string, from: MadePlugin, to: MadePlugin) =>
      on.database.lifecycle.upgradeForTenant({
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
      await on.database.declarations.insertIfAbsent(from.uniqueIdentifier, from.pluginId, from.declaration.json);
      await on.database.declarations.insertIfAbsent(to.uniqueIdentifier, to.pluginId, to.declaration.json);
      const { installation } = await install(on, tenant, from);

      const outcome = await upgrade(tenant, from, to);
      expect(outcome).toMatchObject({
        outcome: 'upgraded',
        originalReleased: true,
        originalInstallType: 'local',
        installation: { id: installation.id, created_at: installation.created_at, source: 'github', meta: { v: 2 } },
      });
      expect(await on.database.installations.find(tenant, 'acme/grows')).toEqual(
        outcome.outcome === 'upgraded' ? outcome.installation : undefined,
      );
      expect(await on.database.plugins.find(to.uniqueIdentifier)).toMatchObject({ refers: 1, manifest_type: 'plugin' });
      expect(await on.database.plugins.exists(from.uniqueIdentifier)).toBe(false);
      expect(await on.database.declarations.find(from.uniqueIdentifier)).toBeUndefined();
      expect(await on.database.declarations.find(to.uniqueIdentifier)).toBeDefined();
      expect(await on.database.projections.find('tool', tenant, 'acme/grows')).toMatchObject({ provider: 'new' });
      expect(await on.database.projections.find('model', tenant, 'acme/grows')).toMatchObject({ provider: 'added' });
      expect(await on.database.projections.find('trigger', tenant, 'acme/grows')).toBeUndefined();
    });

    test('by all tenants at once leaves no reference to the original', async () => {
      const [from, to] = [plugin('acme/stampede', '0.0.1'), plugin('acme/stampede', '0.0.2')];
      const tenants = Array.from({ length: 8 }, () => randomUUID());
      for (const tenant of tenants) await install(on, tenant, from);
      const outcomes = await Promise.all(tenants.map((tenant) => upgrade(tenant, from, to)));
      const released = outcomes.filter((outcome) => outcome.outcome === 'upgraded' && outcome.originalReleased);
      expect(released).toHaveLength(1);
      expect(await refers(to.uniqueIdentifier)).toBe(8);
      expect(await on.database.plugins.exists(from.uniqueIdentifier)).toBe(false);
    });

    test('from a version the tenant does not have changes nothing', async () => {
      const [from, to] = [plugin('acme/absent', '0.0.1'), plugin('acme/absent', '0.0.2')];
      expect(await upgrade(randomUUID(), from, to)).toEqual({ outcome: 'not-installed' });
      expect(await on.database.plugins.exists(to.uniqueIdentifier)).toBe(false);
    });
  });
}
