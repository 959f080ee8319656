import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type InstallTaskItem, LeaseLost } from '../index.ts';
import { plugin, type UnderTest } from './fixtures.ts';

const item = (identifier: string, more: Partial<InstallTaskItem> = {}): InstallTaskItem => ({
  plugin_unique_identifier: identifier,
  labels: { en_US: 'Demo' },
  icon: '',
  icon_dark: '',
  plugin_id: 'acme/demo',
  status: 'pending',
  message: '',
  source: 'package',
  ...more,
});

export function jobConformance(on: UnderTest): void {
  describe('leases of jobs', () => {
    const minute = (owner: string) => ({ owner, durationMs: 60_000 });
    const over = (owner: string) => ({ owner, durationMs: -1 });

    test('are held by one, and each taking counts', async () => {
      const { jobLeases } = on.database;
      const job = `install ${randomUUID()}`;
      expect(await jobLeases.take(job, minute('a'))).toBe(1);
      expect(await jobLeases.take(job, minute('b'))).toBeUndefined();
      expect(await jobLeases.take(job, minute('a'))).toBeUndefined();
      expect(await jobLeases.renew(job, over('a'))).toBe(true);
      expect(await jobLeases.take(job, minute('b'))).toBe(2);
      expect(await jobLeases.renew(job, minute('a'))).toBe(false);
      // Whoever has lost it ends nothing.
      await jobLeases.end({ jobId: job, owner: 'a' });
      await jobLeases.handOver({ jobId: job, owner: 'a' });
      expect(await jobLeases.take(job, minute('c'))).toBeUndefined();
      await jobLeases.handOver({ jobId: job, owner: 'b' });
      expect(await jobLeases.take(job, minute('c'))).toBe(2);
      await jobLeases.end({ jobId: job, owner: 'c' });
      expect(await jobLeases.take(job, minute('d'))).toBe(1);
      await jobLeases.forgetOld();
      expect(await jobLeases.renew(job, minute('d'))).toBe(true);
    });

    test('are taken by one of many at once', async () => {
      const job = `install ${randomUUID()}`;
      const taken = await Promise.all(
        Array.from({ length: 8 }, (_, n) => on.database.jobLeases.take(job, minute(`node ${n}`))),
      );
      expect(taken.filter((each) => each !== undefined)).toEqual([1]);
    });

    test('guard what their holder writes: after they are lost, nothing of it is written', async () => {
      const { jobLeases, installTasks, lifecycle, installations } = on.database;
      const tenantId = randomUUID();
      const job = `install ${randomUUID()}`;
      const [old, young] = ['a', 'b'].map((owner) => ({ jobId: job, owner }));
      const version = plugin(`acme/guarded-${tenantId}`);
      const task = await installTasks.create({ tenantId, plugins: [item('x')], lease: minute('a') });
      await jobLeases.take(job, over('a'));
      // Nobody else wants it: it is still ours.
      expect(await installTasks.updateItem(task.id, 'x', { status: 'running', message: '1' }, old)).toBeDefined();
      await jobLeases.take(job, minute('b'));
      const request = { ...version, tenantId, installType: 'local', source: 'package', meta: {} } as const;
      await expect(installTasks.updateItem(task.id, 'x', { message: '2' }, old)).rejects.toThrow(LeaseLost);
      await expect(lifecycle.installForTenant({ ...request, ...(old && { fence: old }) })).rejects.toThrow(LeaseLost);
      expect(await installations.countByTenant(tenantId)).toBe(0);
      expect((await installTasks.find(tenantId, task.id))?.plugins[0]?.message).toBe('1');
      expect(await lifecycle.installForTenant({ ...request, ...(young && { fence: young }) })).toMatchObject({
        outcome: 'installed',
      });
      await expect(
        lifecycle.upgradeForTenant({
          tenantId,
          originalIdentifier: version.uniqueIdentifier,
          newIdentifier: `${version.uniqueIdentifier}2`,
          newDeclaration: version.declaration,
          installType: 'local',
          source: 'package',
          meta: {},
          ...(old && { fence: old }),
        }),
      ).rejects.toThrow(LeaseLost);
    });
  });

  describe('unfinished install tasks', () => {
    const lease = (owner: string, durationMs = 60_000) => ({ owner, durationMs });

    test('are found by what they wait for, with what is to be done', async () => {
      const { installTasks } = on.database;
      const [tenant, other, owner] = [randomUUID(), randomUUID(), randomUUID()];
      const name = `acme/d_mo:0.0.1@${randomUUID()}`;
      const plugins = [item(name), item('z')];
      const one = await installTasks.create({ tenantId: tenant, plugins, lease: lease(owner), work: '{"a":1}' });
      const two = await installTasks.create({ tenantId: other, plugins: [item(name)], lease: lease('elsewhere') });
      // A similar name, and one that only a pattern takes for the same.
      await installTasks.create({ tenantId: other, plugins: [item(`${name}0`)], lease: lease(owner) });
      await installTasks.create({ tenantId: other, plugins: [item(name.replace('_', 'e'))], lease: lease(owner) });
      expect(await installTasks.openItems(name)).toMatchObject([
        { taskId: one.id, tenantId: tenant, work: '{"a":1}', item: item(name) },
        { taskId: two.id, tenantId: other, work: undefined },
      ]);
      expect(await installTasks.findOpen(tenant, [name, 'z'])).toEqual({ taskId: one.id, work: '{"a":1}' });
      expect(await installTasks.findOpen(tenant, [name, 'y'])).toBeUndefined();
      expect(await installTasks.findOpen(randomUUID(), [name])).toBeUndefined();
      expect((await installTasks.openVersions(owner)).toSorted()).toEqual(
        [name, `${name}0`, name.replace('_', 'e'), 'z'].toSorted(),
      );
      // One that has failed as a whole is still worked on.
      await installTasks.updateItem(one.id, 'z', { status: 'failed', message: 'no' });
      expect(await installTasks.openItems(name)).toHaveLength(2);
      await installTasks.updateItem(one.id, name, { status: 'success' });
      expect(await installTasks.openItems(name)).toMatchObject([{ taskId: two.id }]);
      expect(await installTasks.findOpen(tenant, [name])).toBeUndefined();
      await installTasks.deleteAll(other);
      expect(await installTasks.openItems(name)).toEqual([]);
    });

    test('do not run again after they ended', async () => {
      const { installTasks } = on.database;
      const tenant = randomUUID();
      const task = await installTasks.create({ tenantId: tenant, plugins: [item('a')], lease: lease('x') });
      await installTasks.updateItem(task.id, 'a', { status: 'failed', message: 'no' });
      expect(await installTasks.updateItem(task.id, 'a', { status: 'running', message: 'late' })).toBeUndefined();
      expect(await installTasks.find(tenant, task.id)).toMatchObject({
        status: 'failed',
        plugins: [{ status: 'failed', message: 'no' }],
      });
    });

    test('are taken over by one when their lease has ended, or was given up', async () => {
      const { installTasks } = on.database;
      const [tenant, dead] = [randomUUID(), randomUUID()];
      const create = (owner: string, ms: number, work?: string) =>
        installTasks.create({
          tenantId: tenant,
          plugins: [item('a')],
          lease: lease(owner, ms),
          ...(work !== undefined && { work }),
        });
      const [gone, alive, workless] = [
        await create(dead, -1, 'w'),
        await create('alive', 60_000),
        await create(dead, -1),
      ];
      const expired = async () =>
        (await installTasks.expired())
          .filter(({ task }) => task.tenant_id === tenant)
          .map(({ task, work }) => ({ id: task.id, work }));
      expect(await expired()).toEqual(
        expect.arrayContaining([
          { id: gone.id, work: 'w' },
          { id: workless.id, work: undefined },
        ]),
      );
      expect(await expired()).toHaveLength(2);
      const adoptions = await Promise.all(['a', 'b', 'c'].map((owner) => installTasks.adopt(gone.id, lease(owner))));
      expect(adoptions.filter(Boolean)).toHaveLength(1);
      expect(await installTasks.adopt(alive.id, lease('a'))).toBe(false);
      expect(await expired()).toEqual([{ id: workless.id, work: undefined }]);
      expect(await installTasks.failOrphans('gone', [workless.id])).toMatchObject([{ id: workless.id }]);
      expect(await expired()).toEqual([]);
      await installTasks.giveUp('alive');
      expect(await expired()).toEqual([{ id: alive.id, work: undefined }]);
      await installTasks.deleteAll(tenant);
    });
  });
}
