import { expect, onTestFinished, test } from 'vitest';
import { openMemoryCache } from '../cache/index.ts';
import { EventBus } from '../events/index.ts';
import { fingerprint, type Member } from '../nodes/index.ts';
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
  warm: [],
  debugging: [],
  load: 0,
  foreign: false,
  ...more,
});
const warm = { warm: [fingerprint(IDENTIFIER)] };

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
  return { signal, progress: (step: string) => void steps.push(step), steps };
};

test('one node is enough unless more are asked for', async () => {
  const [events] = await buses('a');
  const others = new Others();
  others.become(member('b'));
  if (events === undefined) throw new Error('no bus');
  await new ReadyNodes({ count: 1, events, nodes: others }).wait(IDENTIFIER, control());
});

test('as many as asked for are waited for, asked again, and seen in what they tell; the progress counts them', async () => {
  const [events, other] = await buses('a', 'b');
  if (events === undefined || other === undefined) throw new Error('no bus');
  const others = new Others();
  others.become(
    member('b'),
    member('c'),
    member('front', { role: 'front', ...warm }),
    member('d', { state: 'draining' }),
  );
  let asked = 0;
  other.on('version-wanted', ({ identifier }) => {
    expect(identifier).toBe(IDENTIFIER);
    asked++;
  });
  const given = control();
  const waiting = new ReadyNodes({ count: 3, events, nodes: others, askEveryMs: 20 }).wait(IDENTIFIER, given);
  await expect.poll(() => asked).toBeGreaterThan(2);
  expect(given.steps.at(-1)).toBe('ready on 1 of 3 nodes, waiting for the others...');
  others.become(member('b', warm), member('c'));
  await expect.poll(() => given.steps.at(-1)).toBe('ready on 2 of 3 nodes, waiting for the others...');
  others.become(member('b', warm), member('c', warm));
  await waiting;
  expect(others.watched).toBe(0);
});

test('nodes that leave are not waited for', async () => {
  const [events] = await buses('a');
  if (events === undefined) throw new Error('no bus');
  const others = new Others();
  others.become(member('b'));
  const waiting = new ReadyNodes({ count: 5, events, nodes: others }).wait(IDENTIFIER, control());
  others.become();
  await waiting;
});

test('nodes that cannot run it fail the installation when too few are left, with their cause; spare ones do not', async () => {
  const [events, other] = await buses('a', 'b');
  if (events === undefined || other === undefined) throw new Error('no bus');
  const others = new Others();
  others.become(member('b'), member('c'));
  const refuse = (node: string) =>
    other.publish('version-refused', { identifier: IDENTIFIER, node, reason: `${node} has no Python` });
  const given = control();
  const waiting = new ReadyNodes({ count: 2, events, nodes: others, askEveryMs: 20 }).wait(IDENTIFIER, given);
  refuse('b');
  await expect.poll(() => given.steps.length).toBeGreaterThan(2);
  refuse('c');
  await expect(waiting).rejects.toThrow(
    /1 of the 2 nodes that INSTALL_READY_NODES asks for.*node b: b has no Python; node c: c has no Python/,
  );
});

test('the waiting ends with its signal', async () => {
  const [events] = await buses('a');
  if (events === undefined) throw new Error('no bus');
  const others = new Others();
  others.become(member('b'));
  const stop = new AbortController();
  const waiting = new ReadyNodes({ count: 2, events, nodes: others }).wait(IDENTIFIER, control(stop.signal));
  stop.abort(new Error('deleted'));
  await expect(waiting).rejects.toThrow('deleted');
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
  await expect.poll(() => played.released, { timeout: 10_000 }).toBe(1);
});

test('one that cannot be made ready is refused with the reason', async () => {
  const [asking, events] = await buses('a', 'b');
  if (events === undefined || asking === undefined) throw new Error('no bus');
  const refusals: unknown[] = [];
  asking.on('version-refused', (refusal) => refusals.push(refusal));
  const played: Played = { claims: 0, released: 0, ready: () => Promise.reject(new Error('no Python')) };
  wanted(events, played);
  asking.publish('version-wanted', { identifier: IDENTIFIER });
  await expect.poll(() => refusals).toEqual([{ identifier: IDENTIFIER, node: 'b', reason: 'no Python' }]);
  expect(played.released).toBe(1);
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
