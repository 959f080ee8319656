import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { expect, onTestFinished, test } from 'vitest';
import { openMemoryCache } from '../cache/index.ts';
import { EventBus } from '../events/index.ts';
import { fingerprint, type Member } from '../nodes/index.ts';
import { NodePlacement, type NodePlacementOptions } from '../routing/index.ts';
import type { Claim } from '../supervision/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { ReadyNodes } from './ready-nodes.ts';
import { WantedVersions } from './wanted-versions.ts';

const IDENTIFIER = `acme/demo:0.0.1@${'a'.repeat(64)}`;
const member = (id: string, more: Partial<Member> = {}): Member => ({
  id,
  name: `node ${id}`,
  version: '1',
  role: 'all',
  state: 'serving',
  addresses: [],
  tls: false,
  cores: 1,
  warm: new Set<string>(),
  debugging: [],
  load: 0,
  foreign: false,
  ...more,
});
const warm = { warm: new Set([fingerprint(IDENTIFIER)]) };

async function buses(...ids: string[]): Promise<EventBus[]> {
  const cache = openMemoryCache({ onListenerError: (error) => expect.fail(String(error)) });
  onTestFinished(() => cache.close());
  return await Promise.all(
    ids.map(async (nodeId) => {
      const bus = await EventBus.open({ cache, nodeId, log: silentLog });
      onTestFinished(() => bus.close());
      return bus;
    }),
  );
}

/** The others, as they tell of themselves. */
class Others {
  members: Member[] = [];
  trouble: string | undefined;
  problem = () => this.trouble;
  readonly #listeners = new Set<() => void>();
  list = () => this.members;
  watch = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  become(...members: Member[]): void {
    this.members = members;
    for (const listener of this.#listeners) listener();
  }
  get watched(): number {
    return this.#listeners.size;
  }
}

const control = (signal = new AbortController().signal) => {
  const steps: string[] = [];
  return { signal, onProgress: (step: string) => void steps.push(step), steps };
};

/** What this node does itself. */
function here(ready: () => Promise<void> = async () => undefined) {
  const played = { claims: 0, readied: 0, released: 0 };
  const claim = (): Claim => {
    played.claims++;
    return {
      ready: async () => {
        played.readied++;
        await ready();
      },
      release: async () => {
        played.released++;
        return true;
      },
    };
  };
  return { claim, played };
}

function readyNodes(
  events: EventBus,
  others: Others,
  over: Partial<NodePlacementOptions> & { count?: number; ready?: () => Promise<void> } = {},
) {
  const { count = 1, ready, ...options } = over;
  const own = here(ready);
  const placement = new NodePlacement({
    self: { id: 'a', name: 'node a', role: 'all', cores: 1 },
    draining: () => false,
    load: () => 0,
    members: others.list,
    openAt: () => 0,
    isSuspect: () => false,
    rule: 'every',
    pins: [],
    maxNodes: 0,
    ...options,
  });
  const nodes = new ReadyNodes({ count, plugins: own, events, nodes: others, placement, askEveryMs: 20 });
  return { claim: nodes.claim(IDENTIFIER), played: own.played };
}

/** The ids of the nodes that were asked last. */
function askedOn(bus: EventBus) {
  const seen = { times: 0, nodes: [] as readonly string[] };
  bus.on('version-wanted', ({ identifier, nodes = [] }) => {
    expect(identifier).toBe(IDENTIFIER);
    seen.times++;
    seen.nodes = nodes;
  });
  return seen;
}

async function pair(): Promise<[EventBus, EventBus]> {
  const [events, other] = await buses('a', 'b');
  if (events === undefined || other === undefined) throw new Error('no bus');
  return [events, other];
}

test('where every node runs it, this one is enough unless more are asked for', async () => {
  const [events, other] = await pair();
  const asked = askedOn(other);
  const others = new Others();
  others.become(member('b'));
  const { claim, played } = readyNodes(events, others);
  await claim.ready(control());
  await claim.release();
  expect(played).toEqual({ claims: 1, readied: 1, released: 1 });
  expect(asked.times).toBe(0);
});

test('as many as asked for are waited for, asked again, and seen in what they tell; the progress counts them', async () => {
  const [events, other] = await pair();
  const others = new Others();
  others.become(
    member('b'),
    member('c'),
    member('front', { role: 'front', ...warm }),
    member('d', { state: 'draining' }),
  );
  const asked = askedOn(other);
  const given = control();
  const { claim } = readyNodes(events, others, { count: 3 });
  const waiting = claim.ready(given);
  await expect.poll(() => asked.times).toBeGreaterThan(2);
  expect([...asked.nodes].sort()).toEqual(['b', 'c']);
  await expect.poll(() => given.steps.at(-1)).toBe('ready on 1 of 3 nodes, waiting for the others...');
  others.become(member('b', warm), member('c'));
  await expect.poll(() => given.steps.at(-1)).toBe('ready on 2 of 3 nodes, waiting for the others...');
  others.become(member('b', warm), member('c', warm));
  await waiting;
  // They are asked until nobody wants it any more: else they would give it up before its rows are written.
  const before = asked.times;
  await expect.poll(() => asked.times).toBeGreaterThan(before);
  await claim.release();
  expect(others.watched).toBe(0);
});

test('no more nodes are asked than are wanted, and no more than the rule lets a plugin run on', async () => {
  const [events, other] = await pair();
  const asked = askedOn(other);
  const others = new Others();
  others.become(...['b', 'c', 'd', 'e', 'f'].map((id) => member(id)));
  const first = readyNodes(events, others, { count: 2, rule: 'demand' });
  void first.claim.ready(control()).catch(() => undefined);
  await expect.poll(() => asked.times).toBeGreaterThan(0);
  expect(asked.nodes.length + first.played.readied).toBe(2);
  await first.claim.release();
  const limited = readyNodes(events, others, { count: 5, rule: 'demand', maxNodes: 1 });
  others.become(...['b', 'c', 'd', 'e', 'f'].map((id) => member(id, id === 'd' ? warm : {})));
  await limited.claim.ready(control());
  expect(limited.played.readied).toBe(0);
});

test('a plugin that is pinned elsewhere is made ready there and not here; its steps and its readiness are told', async () => {
  const [events, other] = await pair();
  const asked = askedOn(other);
  const others = new Others();
  others.become(member('b', { name: 'big' }), member('c'));
  const given = control();
  const { claim, played } = readyNodes(events, others, { rule: 'pinned', pins: ['acme/demo=big'] });
  const waiting = claim.ready(given);
  await expect.poll(() => asked.nodes).toEqual(['b']);
  expect(given.steps.at(-1)).toBe('waiting for big, where it is to run...');
  const say = (node: string, step: string) => other.publish('version-progress', { identifier: IDENTIFIER, node, step });
  say('c', 'somebody else');
  say('b', 'installing dependencies...');
  await expect.poll(() => given.steps.at(-1)).toBe('installing dependencies...');
  other.publish('version-ready', { identifier: IDENTIFIER, node: 'c' });
  other.publish('version-ready', { identifier: IDENTIFIER, node: 'b' });
  await waiting;
  await claim.release();
  expect(played).toEqual({ claims: 1, readied: 0, released: 1 });
});

test('where the pinned node is not there it is waited for, and asked when it comes', async () => {
  const [events, other] = await pair();
  const asked = askedOn(other);
  const others = new Others();
  others.become(member('c'));
  const given = control();
  const { claim, played } = readyNodes(events, others, { rule: 'pinned', pins: ['acme/demo=big'] });
  const waiting = claim.ready(given);
  await expect.poll(() => given.steps.at(-1)).toContain('no node that may run this plugin is there');
  others.become(member('c'), member('b', { name: 'big' }));
  await expect.poll(() => asked.nodes).toEqual(['b']);
  others.become(member('c'), member('b', { name: 'big', ...warm }));
  await waiting;
  await claim.release();
  expect(played.readied).toBe(0);
});

test('a node that goes while it makes a version ready is replaced by the next one', async () => {
  const [events, other] = await pair();
  const asked = askedOn(other);
  const others = new Others();
  const all = ['b', 'c', 'd'].map((id) => member(id));
  others.become(...all);
  const front = { self: { id: 'a', name: 'node a', role: 'front', cores: 1 } } as const;
  const { claim } = readyNodes(events, others, { rule: 'demand', ...front });
  const waiting = claim.ready(control());
  await expect.poll(() => asked.nodes).toHaveLength(1);
  const [first = ''] = asked.nodes;
  others.become(...all.filter(({ id }) => id !== first));
  await expect.poll(() => asked.nodes[0] !== first && asked.nodes.length).toBe(1);
  other.publish('version-ready', { identifier: IDENTIFIER, node: asked.nodes[0] ?? '' });
  await waiting;
  await claim.release();
});

test('while the others cannot be asked, this node does what it may run', async () => {
  const [events] = await pair();
  const others = new Others();
  others.become(member('b', warm), member('c'));
  others.trouble = 'Redis is away';
  const { claim, played } = readyNodes(events, others, { count: 3, rule: 'demand' });
  await claim.ready(control());
  await claim.release();
  expect(played.readied).toBe(1);
});

test('nodes that leave are not waited for', async () => {
  const [events] = await pair();
  const others = new Others();
  others.become(member('b'));
  const { claim } = readyNodes(events, others, { count: 5 });
  const waiting = claim.ready(control());
  others.become();
  await waiting;
  await claim.release();
});

test('nodes that cannot run it fail the installation when too few are left, with their cause; spare ones do not', async () => {
  const [events, other] = await pair();
  const others = new Others();
  others.become(member('b'), member('c'));
  const asked = askedOn(other);
  const refuse = (node: string) =>
    other.publish('version-refused', { identifier: IDENTIFIER, node, reason: `${node} has no Python` });
  const { claim } = readyNodes(events, others, { count: 2 });
  const waiting = claim.ready(control());
  await expect.poll(() => asked.nodes).toHaveLength(1);
  const [first = ''] = asked.nodes;
  refuse(first);
  await expect.poll(() => asked.nodes[0] !== first).toBe(true);
  refuse(asked.nodes[0] ?? '');
  await expect(waiting).rejects.toThrow(
    /1 of the 2 nodes that INSTALL_READY_NODES asks for.*node . *: . has no Python; node . *: . has no Python/,
  );
  await claim.release();
});

test('a version that several nodes refuse is not tried on all that there are', async () => {
  const [events, other] = await pair();
  const asked = askedOn(other);
  const tried = new Set<string>();
  other.on('version-wanted', ({ nodes = [] }) => {
    for (const node of nodes) {
      tried.add(node);
      other.publish('version-refused', { identifier: IDENTIFIER, node, reason: 'no such interpreter' });
    }
  });
  const others = new Others();
  others.become(...Array.from({ length: 50 }, (_, n) => member(`n${n}`)));
  const front = { self: { id: 'a', name: 'node a', role: 'front', cores: 1 } } as const;
  const { claim } = readyNodes(events, others, { rule: 'demand', ...front });
  await expect(claim.ready(control())).rejects.toThrow(/it cannot run where it belongs: .*no such interpreter/);
  await claim.release();
  expect(tried.size).toBe(3);
  expect(asked.times).toBeLessThan(10);
});

test('what fails here fails as it is', async () => {
  const [events] = await pair();
  const failed = new DaemonError('runtime-unavailable', 'no Python');
  const { claim } = readyNodes(events, new Others(), { ready: () => Promise.reject(failed) });
  await expect(claim.ready(control())).rejects.toBe(failed);
  await claim.release();
});

test('the waiting ends with its signal', async () => {
  const [events] = await pair();
  const others = new Others();
  others.become(member('b'));
  const stop = new AbortController();
  const { claim } = readyNodes(events, others, { count: 2 });
  const waiting = claim.ready(control(stop.signal));
  stop.abort(new Error('deleted'));
  await expect(waiting).rejects.toThrow('deleted');
  await claim.release();
  expect(others.watched).toBe(0);
});

interface Played {
  claims: number;
  released: number;
  ready: () => Promise<void>;
}

function wanted(events: EventBus, played: Played) {
  const claim = (): Claim => {
    played.claims++;
    return {
      ready: () => played.ready(),
      release: async () => {
        played.released++;
        return false;
      },
    };
  };
  const versions = new WantedVersions({ events, nodeId: 'b', plugins: { claim }, log: silentLog, keepMs: 1000 });
  onTestFinished(() => versions.close());
  return versions;
}

test('a wanted version is claimed once while it is asked for, and given up when it is not any more', async () => {
  const [asking, events] = await buses('a', 'b');
  if (events === undefined || asking === undefined) throw new Error('no bus');
  const played: Played = { claims: 0, released: 0, ready: async () => undefined };
  wanted(events, played);
  const until = performance.now() + 300;
  while (performance.now() < until) {
    asking.publish('version-wanted', { identifier: IDENTIFIER });
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(played.claims).toBe(1);
  await expect.poll(() => played.released, { timeout: 60_000 }).toBe(1);
});

test('one that cannot be made ready is refused with the reason', async () => {
  const [asking, events] = await buses('a', 'b');
  if (events === undefined || asking === undefined) throw new Error('no bus');
  const refusals: unknown[] = [];
  asking.on('version-refused', (refusal) => refusals.push(refusal));
  const played: Played = { claims: 0, released: 0, ready: () => Promise.reject(new Error('no Python')) };
  wanted(events, played);
  asking.publish('version-wanted', { identifier: IDENTIFIER });
  asking.publish('version-wanted', { identifier: `${IDENTIFIER}b`, nodes: ['c'] });
  await expect.poll(() => refusals).toEqual([{ identifier: IDENTIFIER, node: 'b', reason: 'no Python' }]);
  expect(played.released).toBe(1);
});

test('its steps are told, and that it is ready, once more to whoever asks again', async () => {
  const [asking, events] = await pair();
  const told: unknown[] = [];
  asking.on('version-progress', (progress) => told.push(progress));
  asking.on('version-ready', (ready) => told.push(ready));
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  const claim = (): Claim => ({
    ready: async ({ onProgress }) => {
      onProgress?.('first');
      onProgress?.('second');
      await done;
    },
    release: async () => false,
  });
  const versions = new WantedVersions({ events, nodeId: 'b', plugins: { claim }, log: silentLog });
  onTestFinished(() => versions.close());
  asking.publish('version-wanted', { identifier: IDENTIFIER, nodes: ['b', 'c'] });
  await expect.poll(() => told).toEqual([{ identifier: IDENTIFIER, node: 'b', step: 'second' }]);
  finish();
  await expect.poll(() => told.slice(1)).toEqual([{ identifier: IDENTIFIER, node: 'b' }]);
  asking.publish('version-wanted', { identifier: IDENTIFIER, nodes: ['b'] });
  await expect.poll(() => told.slice(2)).toEqual([{ identifier: IDENTIFIER, node: 'b' }]);
});

test('closing gives everything up and answers nobody', async () => {
  const [asking, events] = await buses('a', 'b');
  if (events === undefined || asking === undefined) throw new Error('no bus');
  const played: Played = { claims: 0, released: 0, ready: () => new Promise(() => undefined) };
  const versions = wanted(events, played);
  asking.publish('version-wanted', { identifier: IDENTIFIER });
  await expect.poll(() => played.claims).toBe(1);
  await versions.close();
  expect(played.released).toBe(1);
  asking.publish('version-wanted', { identifier: `${IDENTIFIER}b` });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(played.claims).toBe(1);
});
