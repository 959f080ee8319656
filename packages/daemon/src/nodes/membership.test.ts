import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../telemetry/index.ts';
import type { NodeDirectory } from './directory.ts';
import { readEntry } from './entry-text.ts';
import { Membership, MemoryNodeDirectory, type NodeEntry } from './index.ts';

const entry = (over: Partial<NodeEntry> = {}): NodeEntry => ({
  name: 'n',
  version: '1',
  role: 'all',
  state: 'serving',
  addresses: [{ host: '127.0.0.1', port: 1 }],
  tls: false,
  cores: 2,
  warm: [],
  debugging: [],
  ...over,
});

/** A directory that can be out of reach. */
class Reachable implements NodeDirectory {
  readonly inner: NodeDirectory;
  down = false;

  constructor(inner: NodeDirectory) {
    this.inner = inner;
  }

  async renew(renewal: Parameters<NodeDirectory['renew']>[0]) {
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
    leaseMs: 400,
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
  b.membership.update({ warm: ['print'] });
  await expect
    .poll(() => a.membership.list())
    .toEqual([expect.objectContaining({ id: 'b', load: 5, warm: ['print'] })]);
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
    warm: ['a'],
    debugging: [{ tenantId: 't', pluginId: 'p', identifier: 'i' }],
    state: 'draining',
  });
  expect(readEntry(JSON.stringify(whole))).toEqual(whole);
  expect(readEntry(JSON.stringify({ ...whole, warm: [1, 'a', null], debugging: [{}, ...whole.debugging] }))).toEqual(
    whole,
  );
});

test('changes that do not end put off neither the return of a node nor its lease', async () => {
  const inner = new MemoryNodeDirectory();
  const directory = new Reachable(inner);
  const a = await node(directory, 'a');
  const b = await node(inner, 'b');
  directory.down = true;
  await expect.poll(() => a.membership.problem()).toContain('cannot be told');
  let count = 0;
  const busy = setInterval(() => a.membership.update({ warm: [`plugin-${count++}`] }), 10);
  onTestFinished(() => clearInterval(busy));
  directory.down = false;
  await expect.poll(() => a.membership.problem()).toBeUndefined();
  await expect.poll(() => known(b.membership)).toEqual(['a']);
});
