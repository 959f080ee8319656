import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../telemetry/index.ts';
import type { NodeDirectory, Renewal } from './directory.ts';
import { readEntry, readPrints } from './entry-text.ts';
import { fingerprint, Membership, MemoryNodeDirectory, type NodeEntry } from './index.ts';

const entry = (over: Partial<NodeEntry> = {}): NodeEntry => ({
  name: 'n',
  version: '1',
  role: 'all',
  state: 'serving',
  addresses: [{ host: '127.0.0.1', port: 1 }],
  tls: false,
  cores: 2,
  debugging: [],
  ...over,
});

/** A directory that can be out of reach. */
class Reachable implements NodeDirectory {
  readonly inner: NodeDirectory;
  down = false;
  seen: (renewal: Renewal) => void = () => undefined;

  constructor(inner: NodeDirectory) {
    this.inner = inner;
  }

  async renew(renewal: Parameters<NodeDirectory['renew']>[0]) {
    this.seen(renewal);
    if (this.down) throw new Error('out of reach');
    return await this.inner.renew(renewal);
  }
  async leave(id: string) {
    await this.inner.leave(id);
  }
  watch(listener: () => void) {
    return this.inner.watch(listener);
  }
  announce() {
    this.inner.announce();
  }
}

async function node(directory: NodeDirectory, nodeId: string, over: { leaseMs?: number; now?: () => number } = {}) {
  const onMissed = vi.fn<() => void>();
  const load = { calls: 0 };
  const membership = new Membership({
    nodeId,
    directory,
    entry: entry({ name: nodeId }),
    load: () => load.calls,
    onMissed,
    log: silentLog,
    // Longer than this process ever stands still: who is forgotten in between is told as well.
    leaseMs: 1600,
    ...over,
  });
  await membership.join();
  onTestFinished(() => membership.leave());
  return { membership, onMissed, load };
}

const names = ({ list }: { list: () => readonly { name: string }[] }) => list().map(({ name }) => name);
const known = (membership: Membership) => names({ list: () => membership.list() });

test('nodes learn of each other, of changes and loads, and of who leaves', async () => {
  const directory = new MemoryNodeDirectory();
  const a = await node(directory, 'a');
  const b = await node(directory, 'b');
  await expect.poll(() => known(a.membership)).toEqual(['b']);
  expect(known(b.membership)).toEqual(['a']);
  b.load.calls = 5;
  const print = fingerprint('a/b:1@x');
  b.membership.ready(print, true);
  await expect
    .poll(() => a.membership.list())
    .toEqual([expect.objectContaining({ id: 'b', load: 5, warm: new Set([print]) })]);
  await b.membership.leave();
  await expect.poll(() => known(a.membership)).toEqual([]);
});

test('the watchers are told of changes, and not of loads', async () => {
  const directory = new MemoryNodeDirectory();
  const a = await node(directory, 'a');
  const told = vi.fn<() => void>();
  a.membership.watch(told);
  const b = await node(directory, 'b');
  await expect.poll(() => told.mock.calls.length).toBe(1);
  b.load.calls = 9;
  await expect.poll(() => a.membership.list()[0]?.load).toBe(9);
  expect(told.mock.calls.length).toBe(1);
  await b.membership.updateNow({ state: 'draining' });
  await expect.poll(() => told.mock.calls.length).toBe(2);
});

test('a node that was stopped for longer than its lease forgets first, and is known again before it goes on', async () => {
  const directory = new MemoryNodeDirectory();
  let skipped = 0;
  const a = await node(directory, 'a', { now: () => performance.now() + skipped });
  expect(a.membership.catchUp()).toBeUndefined();
  skipped = 20_000;
  const missed = a.membership.catchUp();
  expect(missed).toBeInstanceOf(Promise);
  expect(a.onMissed).toHaveBeenCalledTimes(1);
  expect(a.membership.problem()).toContain('catches up');
  await missed;
  expect(a.membership.catchUp()).toBeUndefined();
  expect(a.membership.problem()).toBeUndefined();
  expect(a.onMissed).toHaveBeenCalledTimes(1);
});

test('one that cannot reach the others after it was stopped goes on by itself, and says so', async () => {
  const directory = new Reachable(new MemoryNodeDirectory());
  let skipped = 0;
  const a = await node(directory, 'a', { now: () => performance.now() + skipped });
  directory.down = true;
  skipped = 20_000;
  await a.membership.catchUp();
  expect(a.membership.catchUp()).toBeUndefined();
  expect(a.membership.problem()).toContain('cannot be told');
  directory.down = false;
  await expect.poll(() => a.membership.problem()).toBeUndefined();
  // What was told meanwhile was missed too.
  expect(a.onMissed).toHaveBeenCalledTimes(2);
});

test('a directory that was emptied is filled again', async () => {
  const inner = new MemoryNodeDirectory();
  const a = await node(inner, 'a');
  const b = await node(inner, 'b');
  await expect.poll(() => known(a.membership)).toEqual(['b']);
  await inner.leave('a');
  await inner.leave('b');
  await expect.poll(() => [known(a.membership), known(b.membership)]).toEqual([['b'], ['a']]);
});

test('who was known stays known while the directory is out of reach', async () => {
  const inner = new MemoryNodeDirectory();
  const reachable = new Reachable(inner);
  const a = await node(reachable, 'a');
  await node(inner, 'b');
  await expect.poll(() => known(a.membership)).toEqual(['b']);
  reachable.down = true;
  await expect.poll(() => a.membership.problem()).toContain('cannot be told');
  expect(known(a.membership)).toEqual(['b']);
});

test.each([
  ['no JSON', 'x'],
  ['no object', '[]'],
  ['no role', JSON.stringify({ ...entry(), role: 'king' })],
  ['no address', JSON.stringify({ ...entry(), addresses: [{ host: 'a b', port: 1 }] })],
  ['an address that is another', JSON.stringify({ ...entry(), addresses: [{ host: 'a@b', port: 1 }] })],
  ['depth', '['.repeat(5000)],
  ['length', JSON.stringify({ ...entry(), name: 'x'.repeat(2 * 1024 * 1024) })],
])('%s is no entry', (_what, text) => expect(readEntry(text)).toBeUndefined());

test('an entry is read as it was written; what is none of its parts is left out', () => {
  const whole = entry({
    debugging: [{ tenantId: 't', pluginId: 'p', identifier: 'i' }],
    state: 'draining',
  });
  expect(readEntry(JSON.stringify(whole))).toEqual({ entry: whole, edition: 0 });
  const odd = { ...whole, edition: 7, debugging: [{}, ...whole.debugging] };
  expect(readEntry(JSON.stringify(odd))).toEqual({ entry: whole, edition: 7 });
});

test.each([
  ['fingerprints of that part', 'Aaaaaaaaaaa A-_45678901', ['Aaaaaaaaaaa', 'A-_45678901']],
  ['others', 'Baaaaaaaaaa Aaaaaaaaaaa', ['Aaaaaaaaaaa']],
  ['what is none', 'A Aaaaaaaaaaaaaa Aaaaaaaaa!a  ', []],
  ['nothing', '', []],
  ['no end', 'Aaaaaaaaaaa '.repeat(100_000), []],
])('of a part is read: %s', (_what, text, read) => expect(readPrints('A', text)).toEqual(read));

test('whatever becomes ready or does not any more, and whoever misses some of it, in the end all know the same', async () => {
  const inner = new MemoryNodeDirectory();
  const reachable = new Reachable(inner);
  const a = await node(inner, 'a');
  const b = await node(reachable, 'b');
  const prints = Array.from({ length: 300 }, (_, n) => fingerprint(`a/p${n}:1@x`));
  const ready = new Set<string>();
  let seed = 1;
  const below = (count: number): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % count;
  };
  for (let round = 0; round < 60; round++) {
    for (let n = 0; n < 20; n++) {
      const print = prints[below(prints.length)] ?? '';
      const is = below(3) > 0;
      a.membership.ready(print, is);
      if (is) ready.add(print);
      else ready.delete(print);
    }
    // Now and then one of them misses something, or everything is lost.
    reachable.down = below(4) === 0;
    if (below(10) === 0) await inner.leave('a');
    await sleep(15);
  }
  reachable.down = false;
  await expect.poll(() => b.membership.list().map(({ warm }) => [...warm].sort())).toEqual([[...ready].sort()]);
  const c = await node(inner, 'c');
  await expect.poll(() => c.membership.list().find(({ id }) => id === 'a')?.warm).toEqual(ready);
});

test('one more plugin is told as a part of what is ready, not as all of it', async () => {
  const inner = new MemoryNodeDirectory();
  const told: number[] = [];
  const counting = new Reachable(inner);
  counting.seen = ({ entry: change }) => {
    if (change !== undefined) told.push([...change.parts.values()].join().length);
  };
  const a = await node(counting, 'a');
  for (let n = 0; n < 5000; n++) a.membership.ready(fingerprint(`a/p${n}:1@x`), true);
  await expect.poll(() => Math.max(...told)).toBeGreaterThan(50_000);
  await sleep(200);
  told.length = 0;
  a.membership.ready(fingerprint('a/one-more:1@x'), true);
  await expect.poll(() => told.length).toBe(1);
  expect(told[0]).toBeLessThan(2000);
});

test('changes that do not end put off neither the return of a node nor its lease', async () => {
  const inner = new MemoryNodeDirectory();
  const directory = new Reachable(inner);
  const a = await node(directory, 'a');
  const b = await node(inner, 'b');
  directory.down = true;
  await expect.poll(() => a.membership.problem()).toContain('cannot be told');
  let count = 0;
  const busy = setInterval(() => a.membership.ready(fingerprint(`plugin-${count++}`), true), 10);
  onTestFinished(() => clearInterval(busy));
  directory.down = false;
  await expect.poll(() => a.membership.problem()).toBeUndefined();
  await expect.poll(() => known(b.membership)).toEqual(['a']);
});
