/** What every directory of nodes has to do. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { EntryChange, NodeDirectory, Renewal } from './directory.ts';

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
  const whole = (text: string): EntryChange => ({ whole: true, parts: new Map([['', text]]) });
  const ids = (of: readonly { readonly id: string }[]) => of.map(({ id }) => id).sort();

  test('who gives an entry joins, and is told of everybody', async () => {
    const directory = await open();
    const first = await directory.renew(renewal('a', { entry: whole('{"a":1}'), load: 3 }));
    expect(first.accepted).toBe(true);
    const second = await directory.renew(renewal('b', { entry: whole('text of b') }));
    expect(second.alive).toContainEqual({ id: 'a', load: 3 });
    expect(ids(second.alive)).toEqual(['a', 'b']);
    expect(second.changed).toContainEqual({ id: 'a', part: '', text: '{"a":1}' });
    expect(Math.abs(second.now - Date.now())).toBeLessThan(60_000);
  });

  test('entries are told once, loads always', async () => {
    const directory = await open();
    await directory.renew(renewal('a', { entry: whole('one') }));
    const { revision } = await directory.renew(renewal('b', { entry: whole('two') }));
    await directory.renew(renewal('a', { load: 7 }));
    const later = await directory.renew(renewal('b', { known: revision }));
    expect(later.changed).toEqual([]);
    expect(later.alive).toContainEqual({ id: 'a', load: 7 });
    await directory.renew(renewal('a', { entry: whole('changed') }));
    const again = await directory.renew(renewal('b', { known: revision }));
    expect(again.changed).toEqual([{ id: 'a', part: '', text: 'changed' }]);
  });

  test('of an entry only the parts that changed are told; told as a whole, it is what it was told to be', async () => {
    const directory = await open();
    const told = (whole: boolean, parts: Record<string, string>) => ({ whole, parts: new Map(Object.entries(parts)) });
    await directory.renew(renewal('a', { entry: told(true, { '': 'a', b: 'in b', c: 'in c' }) }));
    const first = await directory.renew(renewal('z', { entry: whole('z') }));
    expect(
      first.changed
        .filter(({ id }) => id === 'a')
        .map(({ part, text }) => [part, text].join())
        .sort(),
    ).toEqual([',a', 'b,in b', 'c,in c']);
    await directory.renew(renewal('a', { entry: told(false, { c: 'anew', d: '' }) }));
    const second = await directory.renew(renewal('z', { known: first.revision }));
    expect(second.changed.map(({ id, part, text }) => [id, part, text].join()).sort()).toEqual(['a,c,anew', 'a,d,']);
    await directory.renew(renewal('a', { entry: told(true, { '': 'once more', d: 'in d' }) }));
    const { changed } = await directory.renew(renewal('late', { entry: whole('late') }));
    expect(
      changed
        .filter(({ id }) => id === 'a')
        .map(({ part, text }) => [part, text].join())
        .sort(),
    ).toEqual([',once more', 'd,in d']);
    // Parts alone make nobody known.
    expect((await directory.renew(renewal('ghost', { entry: told(false, { b: 'x' }) }))).accepted).toBe(false);
  });

  test('who is not known and gives no entry is told so', async () => {
    const directory = await open();
    expect((await directory.renew(renewal('ghost'))).accepted).toBe(false);
    expect((await directory.renew(renewal('a', { entry: whole('x') }))).alive).toEqual([{ id: 'a', load: 0 }]);
  });

  test('a lease that is not renewed ends, and its owner is told when it comes back', async () => {
    const directory = await open();
    await directory.renew(renewal('a', { entry: whole('x'), leaseMs: 50 }));
    await directory.renew(renewal('b', { entry: whole('y') }));
    const until = Date.now() + 20_000;
    while (Date.now() < until && ids((await directory.renew(renewal('b'))).alive).includes('a')) await sleep(20);
    expect(ids((await directory.renew(renewal('b'))).alive)).toEqual(['b']);
    expect((await directory.renew(renewal('a'))).accepted).toBe(false);
  });

  test('who leaves is gone at once', async () => {
    const directory = await open();
    await directory.renew(renewal('a', { entry: whole('x') }));
    await directory.renew(renewal('b', { entry: whole('y') }));
    await directory.leave('a');
    expect(ids((await directory.renew(renewal('b'))).alive)).toEqual(['b']);
  });

  test('a revision that nobody has reached yet, as after a loss of everything, tells all', async () => {
    const directory = await open();
    const { revision } = await directory.renew(renewal('a', { entry: whole('x') }));
    const { changed } = await directory.renew(renewal('b', { entry: whole('y'), known: revision + 1_000_000_000 }));
    expect(ids(changed)).toEqual(['a', 'b']);
  });

  test('nothing of who has gone is told to who comes', async () => {
    const directory = await open();
    const parts = new Map([...'ABCxyz019-_'].map((part) => [part, `in ${part}`]));
    await directory.renew(renewal('a', { entry: { whole: true, parts: parts.set('', 'a') }, leaseMs: 50 }));
    await directory.renew(renewal('b', { entry: { whole: true, parts } }));
    await directory.leave('b');
    await sleep(100);
    const { changed } = await directory.renew(renewal('c', { entry: whole('c') }));
    expect(ids(changed)).toEqual(['c']);
  });
}
