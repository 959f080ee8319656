/** What every directory of nodes has to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { NodeDirectory, Renewal } from './directory.ts';

const LEASE_MS = 60_000;

/** @param open a directory in which nobody is; what it needs is closed with the test */
export function directorySuite(open: () => Promise<NodeDirectory>): void {
  const renewal = (id: string, more: Partial<Renewal> = {}): Renewal => ({
    id,
    entry: undefined,
    load: 0,
    leaseMs: LEASE_MS,
    known: 0,
    ...more,
  });
  const ids = (of: readonly { readonly id: string }[]) => of.map(({ id }) => id).sort();

  test('who gives an entry joins, and is told of everybody', async () => {
    const directory = await open();
    const first = await directory.renew(renewal('a', { entry: '{"a":1}', load: 3 }));
    expect(first.accepted).toBe(true);
    const second = await directory.renew(renewal('b', { entry: 'text of b' }));
    expect(second.alive).toContainEqual({ id: 'a', load: 3 });
    expect(ids(second.alive)).toEqual(['a', 'b']);
    expect(second.changed).toContainEqual({ id: 'a', entry: '{"a":1}' });
    expect(Math.abs(second.now - Date.now())).toBeLessThan(60_000);
  });

  test('entries are told once, loads always', async () => {
    const directory = await open();
    await directory.renew(renewal('a', { entry: 'one' }));
    const { revision } = await directory.renew(renewal('b', { entry: 'two' }));
    await directory.renew(renewal('a', { load: 7 }));
    const later = await directory.renew(renewal('b', { known: revision }));
    expect(later.changed).toEqual([]);
    expect(later.alive).toContainEqual({ id: 'a', load: 7 });
    await directory.renew(renewal('a', { entry: 'changed' }));
    const again = await directory.renew(renewal('b', { known: revision }));
    expect(again.changed).toEqual([{ id: 'a', entry: 'changed' }]);
  });

  test('who is not known and gives no entry is told so', async () => {
    const directory = await open();
    expect((await directory.renew(renewal('ghost'))).accepted).toBe(false);
    expect((await directory.renew(renewal('a', { entry: 'x' }))).alive).toEqual([{ id: 'a', load: 0 }]);
  });

  test('a lease that is not renewed ends, and its owner is told when it comes back', async () => {
    const directory = await open();
    await directory.renew(renewal('a', { entry: 'x', leaseMs: 50 }));
    await directory.renew(renewal('b', { entry: 'y' }));
    const until = Date.now() + 20_000;
    while (Date.now() < until && ids((await directory.renew(renewal('b'))).alive).includes('a')) await sleep(20);
    expect(ids((await directory.renew(renewal('b'))).alive)).toEqual(['b']);
    expect((await directory.renew(renewal('a'))).accepted).toBe(false);
  });

  test('who leaves is gone at once', async () => {
    const directory = await open();
    await directory.renew(renewal('a', { entry: 'x' }));
    await directory.renew(renewal('b', { entry: 'y' }));
    await directory.leave('a');
    expect(ids((await directory.renew(renewal('b'))).alive)).toEqual(['b']);
  });

  test('a revision that nobody has reached yet, as after a loss of everything, tells all', async () => {
    const directory = await open();
    const { revision } = await directory.renew(renewal('a', { entry: 'x' }));
    const { changed } = await directory.renew(renewal('b', { entry: 'y', known: revision + 1_000_000_000 }));
    expect(ids(changed)).toEqual(['a', 'b']);
  });
}
