import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { InstallTaskItem } from '../index.ts';
import type { UnderTest } from './fixtures.ts';

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

export function installTaskConformance(on: UnderTest): void {
  describe('install tasks', () => {
    const lease = { owner: 'daemon-1', durationMs: 60_000 };
    const create = (tenantId: string, items: readonly string[], owned = lease) =>
      on.database.installTasks.create({ tenantId, plugins: items.map((identifier) => item(identifier)), lease: owned });

    test('go from running to success as their items do', async () => {
      const tenant = randomUUID();
      const task = await create(tenant, ['a', 'b']);
      expect(task).toMatchObject({ status: 'running', total_plugins: 2, completed_plugins: 0, tenant_id: tenant });
      await on.database.installTasks.updateItem(task.id, 'a', { status: 'running', message: 'starting' });
      await on.database.installTasks.updateItem(task.id, 'a', { status: 'success', message: 'installed' });
      expect(await on.database.installTasks.updateItem(task.id, 'a', { status: 'success' })).toMatchObject({
        status: 'running',
        completed_plugins: 1,
      });
      const done = await on.database.installTasks.updateItem(task.id, 'b', {
        status: 'success',
        labels: { en_US: 'B' },
      });
      expect(done).toMatchObject({ status: 'success', completed_plugins: 2 });
      expect(await on.database.installTasks.find(tenant, task.id)).toEqual(done);
      expect(done?.plugins[1]).toEqual(item('b', { status: 'success', labels: { en_US: 'B' } }));
    });

    test('fail with their first item and stay failed', async () => {
      const tenant = randomUUID();
      const task = await create(tenant, ['a', 'b']);
      expect(
        await on.database.installTasks.updateItem(task.id, 'a', { status: 'failed', message: 'no' }),
      ).toMatchObject({ status: 'failed' });
      expect(await on.database.installTasks.updateItem(task.id, 'b', { status: 'success' })).toMatchObject({
        status: 'failed',
        completed_plugins: 1,
      });
      await on.database.installTasks.updateItem(task.id, 'a', { status: 'success' });
      expect((await on.database.installTasks.find(tenant, task.id))?.status).toBe('failed');
    });

    test('parallel changes of many items are all kept', async () => {
      const tenant = randomUUID();
      const names = Array.from({ length: 30 }, (_, i) => `p${i}`);
      const task = await create(tenant, names);
      await Promise.all(names.map((name) => on.database.installTasks.updateItem(task.id, name, { status: 'success' })));
      expect(await on.database.installTasks.find(tenant, task.id)).toMatchObject({
        status: 'success',
        completed_plugins: 30,
      });
    });

    test('cut long messages in the middle, between characters', async () => {
      const task = await create(randomUUID(), ['a']);
      const long = await on.database.installTasks.updateItem(task.id, 'a', {
        message: `${'x'.repeat(600)}${'y'.repeat(600)}`,
      });
      expect(long?.plugins[0]?.message).toBe(`${'x'.repeat(512)}...${'y'.repeat(512)}`);
      const wide = await on.database.installTasks.updateItem(task.id, 'a', { message: '€'.repeat(500) });
      expect(wide?.plugins[0]?.message).toBe(`${'€'.repeat(170)}...${'€'.repeat(170)}`);
      const short = await on.database.installTasks.updateItem(task.id, 'a', { message: 'x'.repeat(1024) });
      expect(short?.plugins[0]?.message).toHaveLength(1024);
    });

    test('that were deleted stay deleted', async () => {
      const tenant = randomUUID();
      const task = await create(tenant, ['a']);
      expect(await on.database.installTasks.delete(randomUUID(), task.id)).toBe(false);
      expect(await on.database.installTasks.delete(tenant, task.id)).toBe(true);
      expect(await on.database.installTasks.delete(tenant, task.id)).toBe(false);
      expect(await on.database.installTasks.updateItem(task.id, 'a', { status: 'success' })).toBeUndefined();
      expect(await on.database.installTasks.find(tenant, task.id)).toBeUndefined();
      await create(tenant, ['a']);
      await create(tenant, ['a']);
      expect(await on.database.installTasks.deleteAll(tenant)).toBe(2);
      expect(await on.database.installTasks.list(tenant, { page: 1, pageSize: 10 })).toEqual([]);
    });

    test('lose single items, and go when only successes remain', async () => {
      const tenant = randomUUID();
      const task = await create(tenant, ['a', 'b', 'c']);
      expect(await on.database.installTasks.deleteItem(tenant, task.id, 'none')).toBe(false);
      expect(await on.database.installTasks.deleteItem(randomUUID(), task.id, 'a')).toBe(false);
      expect(await on.database.installTasks.deleteItem(tenant, task.id, 'a')).toBe(true);
      expect(await on.database.installTasks.find(tenant, task.id)).toMatchObject({
        total_plugins: 3,
        plugins: [{}, {}],
      });
      expect(await on.database.installTasks.updateItem(task.id, 'a', { status: 'success' })).toBeUndefined();
      await on.database.installTasks.updateItem(task.id, 'b', { status: 'success' });
      expect(await on.database.installTasks.deleteItem(tenant, task.id, 'c')).toBe(true);
      expect(await on.database.installTasks.find(tenant, task.id)).toBeUndefined();
    });

    test('are listed newest first', async () => {
      const tenant = randomUUID();
      const tasks = [await create(tenant, ['a']), await create(tenant, ['b']), await create(tenant, ['c'])];
      expect(await on.database.installTasks.list(tenant, { page: 1, pageSize: 2 })).toEqual(
        tasks.toReversed().slice(0, 2),
      );
      expect(await on.database.installTasks.list(tenant, { page: 2, pageSize: 2 })).toEqual(tasks.slice(0, 1));
    });

    test('whose lease ran out fail, with the items that were not done', async () => {
      const tenant = randomUUID();
      const lost = await create(tenant, ['a', 'b'], { owner: 'dead', durationMs: -1 });
      await on.database.installTasks.updateItem(lost.id, 'a', { status: 'success', message: 'installed' });
      const kept = await create(tenant, ['a']);
      const failed = await on.database.installTasks.failOrphans('lost its daemon');
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
      expect((await on.database.installTasks.find(tenant, kept.id))?.status).toBe('running');
      expect(await on.database.installTasks.failOrphans('again')).toEqual([]);
    });

    test('live as long as their lease is renewed', async () => {
      const tenant = randomUUID();
      const mine = { owner: `daemon-${tenant}`, durationMs: -1 };
      const [task, gone, done] = [
        await create(tenant, ['a'], mine),
        await create(tenant, ['a'], mine),
        await create(tenant, ['a'], mine),
      ];
      await on.database.installTasks.delete(tenant, gone.id);
      await on.database.installTasks.updateItem(done.id, 'a', { status: 'success' });
      expect(await on.database.installTasks.renewLeases({ ...mine, durationMs: 60_000 })).toEqual([task.id]);
      expect(await on.database.installTasks.failOrphans('lost')).toEqual([]);
      expect(await on.database.installTasks.failOwned(mine.owner, 'shutdown')).toMatchObject([
        { id: task.id, status: 'failed', plugins: [{ message: 'shutdown' }] },
      ]);
    });

    test('that succeeded are swept when they are old enough', async () => {
      const tenant = randomUUID();
      const [done, failed] = [await create(tenant, ['a']), await create(tenant, ['a'])];
      await on.database.installTasks.updateItem(done.id, 'a', { status: 'success' });
      await on.database.installTasks.updateItem(failed.id, 'a', { status: 'failed' });
      await on.database.installTasks.sweepSuccessful(60_000);
      expect(await on.database.installTasks.list(tenant, { page: 1, pageSize: 10 })).toHaveLength(2);
      await pause(5);
      expect(await on.database.installTasks.sweepSuccessful(1)).toBeGreaterThan(0);
      expect(await on.database.installTasks.list(tenant, { page: 1, pageSize: 10 })).toMatchObject([{ id: failed.id }]);
    });
  });
}
