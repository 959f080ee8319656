import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId } from '../index.ts';
import { install, plugin, type UnderTest } from './fixtures.ts';

export function endpointConformance(on: UnderTest): void {
  describe('endpoints', () => {
    const pluginId = `${'a'.repeat(64)}/${'p'.repeat(100)}`;
    const setup = (tenantId: string) =>
      on.database.lifecycle.setupEndpoint({
        id: newId(),
        tenantId,
        userId: 'user',
        pluginId,
        name: 'hook',
        settings: { api_key: 'cipher', count: 3, flag: true },
      });
    const counters = async (tenant: string) => {
      const found = await on.database.installations.find(tenant, pluginId);
      return [found?.endpoints_setups, found?.endpoints_active];
    };

    test('are counted on their installation through their whole life', async () => {
      const tenant = randomUUID();
      await install(on, tenant, plugin(pluginId));
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
      expect(await on.database.endpoints.findByHookId(one.hook_id)).toEqual(one);

      const disabled = await on.database.lifecycle.setEndpointEnabled(tenant, one.id, false);
      expect(disabled?.enabled).toBe(false);
      expect((await on.database.endpoints.findByHookId(one.hook_id))?.enabled).toBe(false);
      expect(await on.database.lifecycle.setEndpointEnabled(tenant, one.id, false)).toEqual(disabled);
      expect(await counters(tenant)).toEqual([2, 1]);

      const renamed = await on.database.lifecycle.updateEndpoint(tenant, two.id, { name: 'n', settings: { x: 1 } });
      expect(await on.database.endpoints.find(tenant, two.id)).toEqual(renamed);
      expect(renamed).toMatchObject({ name: 'n', settings: { x: 1 }, hook_id: two.hook_id });

      expect(await on.database.lifecycle.removeEndpoint(tenant, one.id)).toMatchObject({ id: one.id });
      expect(await on.database.endpoints.findByHookId(one.hook_id)).toBeUndefined();
      expect(await counters(tenant)).toEqual([1, 1]);
    });

    test('survive their plugin and are counted again when it returns', async () => {
      const tenant = randomUUID();
      const { installation } = await install(on, tenant, plugin(pluginId));
      const endpoint = await setup(tenant);
      await setup(tenant);
      await on.database.lifecycle.setEndpointEnabled(tenant, endpoint.id, false);
      await on.database.lifecycle.uninstallFromTenant({ tenantId: tenant, installationId: installation.id });
      expect(await on.database.endpoints.listByTenant(tenant, { page: 1, pageSize: 10 })).toHaveLength(2);
      await install(on, tenant, plugin(pluginId));
      expect(await counters(tenant)).toEqual([2, 1]);
    });

    test('of other tenants are out of reach; lists are newest first', async () => {
      const [tenant, other] = [randomUUID(), randomUUID()];
      const made = [await setup(tenant), await setup(tenant), await setup(tenant)];
      const [first] = made;
      const id = first?.id ?? '';
      expect(await on.database.endpoints.find(other, id)).toBeUndefined();
      expect(await on.database.lifecycle.setEndpointEnabled(other, id, false)).toBeUndefined();
      expect(await on.database.lifecycle.updateEndpoint(other, id, { name: '', settings: {} })).toBeUndefined();
      expect(await on.database.lifecycle.removeEndpoint(other, id)).toBeUndefined();
      expect(await on.database.endpoints.listByTenant(tenant, { page: 1, pageSize: 2 })).toEqual(
        made.toReversed().slice(0, 2),
      );
      expect(await on.database.endpoints.listByPlugin(tenant, pluginId, { page: 2, pageSize: 2 })).toEqual(
        made.slice(0, 1),
      );
      expect(await on.database.endpoints.listByPlugin(tenant, 'acme/other', { page: 1, pageSize: 2 })).toEqual([]);
    });
  });

  describe('storage quota', () => {
    test('is never passed, however many ask at once', async () => {
      const tenant = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => on.database.tenantStorages.reserve(tenant, 'acme/store', 30, 100)),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
      expect(await on.database.tenantStorages.size(tenant, 'acme/store')).toBe(90);
      expect(await on.database.tenantStorages.reserve(tenant, 'acme/store', 10, 100)).toEqual({ ok: true, size: 100 });
      expect(await on.database.tenantStorages.reserve(tenant, 'acme/store', 1, 100)).toEqual({ ok: false, size: 100 });
      expect(await on.database.tenantStorages.size(tenant, 'acme/other')).toBe(0);
    });

    test('is given back, not below nothing', async () => {
      const tenant = randomUUID();
      await on.database.tenantStorages.reserve(tenant, 'p', 50, 100);
      await on.database.tenantStorages.release(tenant, 'p', 20);
      expect(await on.database.tenantStorages.size(tenant, 'p')).toBe(30);
      expect(await on.database.tenantStorages.reserve(tenant, 'p', -10, 5)).toEqual({ ok: true, size: 20 });
      await on.database.tenantStorages.release(tenant, 'p', 1000);
      expect(await on.database.tenantStorages.size(tenant, 'p')).toBe(0);
    });
  });
}
