import { expect, test } from 'vitest';
import { fingerprint, type Member } from '../nodes/index.ts';
import { ConnectionsElsewhere, NodePlacement, type NodePlacementOptions, placeOf } from './index.ts';

const PLUGIN = 'a/b:1@x';
const member = (id: string, over: Partial<Member> = {}): Member => ({
  id,
  name: `name of ${id}`,
  version: '1',
  role: 'all',
  state: 'serving',
  addresses: [{ host: '127.0.0.1', port: 1 }],
  tls: false,
  cores: 1,
  warm: new Set(),
  debugging: [],
  load: 0,
  foreign: false,
  ...over,
});

function placement(members: readonly Member[], over: Partial<NodePlacementOptions> & { role?: 'all' | 'front' } = {}) {
  const { role = 'all', ...options } = over;
  return new NodePlacement({
    self: { id: 'self', name: 'mine', role, cores: 1 },
    draining: () => false,
    load: () => 0,
    members: () => members,
    openAt: () => 0,
    isSuspect: () => false,
    rule: 'every',
    pins: [],
    maxNodes: 0,
    random: () => 0,
    ...options,
  });
}
const idOf = (chosen: ReturnType<NodePlacement['choose']>) => (typeof chosen === 'object' ? chosen.id : chosen);

test('one node alone does everything itself, and one that only routes nothing', () => {
  expect(placement([]).choose(PLUGIN, false)).toBe('here');
  expect(placement([], { draining: () => true }).choose(PLUGIN, false)).toBe('here');
  expect(placement([], { role: 'front' }).choose(PLUGIN, false)).toBeUndefined();
});

test('a front node hands to those that run plugins, not to other fronts, nor to those that stop', () => {
  const others = [member('f', { role: 'front' }), member('d', { state: 'draining' }), member('r', { role: 'runner' })];
  const front = placement(others, { role: 'front' });
  expect(idOf(front.choose(PLUGIN, false))).toBe('r');
  expect(front.choose(PLUGIN, false, new Set(['r']))).toBeUndefined();
  expect(front.runsUncalled(PLUGIN)).toBe(false);
});

test('a node that stops hands over, and goes on alone when there is nobody', () => {
  const draining = () => true;
  expect(idOf(placement([member('b')], { draining }).choose(PLUGIN, true))).toBe('b');
  expect(placement([member('b')], { draining }).choose(PLUGIN, true, new Set(['b']))).toBe('here');
  expect(placement([member('b', { role: 'front' })], { draining }).choose(PLUGIN, true)).toBe('here');
});

test('who did not answer a moment ago is left out, as long as there is another way', () => {
  const isSuspect = (id: string) => id === 'b';
  const warm = new Set([fingerprint(PLUGIN)]);
  expect(placement([member('b', { warm })], { isSuspect }).choose(PLUGIN, false)).toBe('here');
  expect(
    idOf(placement([member('b', { warm }), member('c')], { isSuspect, role: 'front' }).choose(PLUGIN, false)),
  ).toBe('c');
  expect(idOf(placement([member('b', { warm })], { isSuspect, role: 'front' }).choose(PLUGIN, false))).toBe('b');
});

test('calls of ours that are open there count before it tells its load', () => {
  const warm = new Set([fingerprint(PLUGIN)]);
  const openAt = (id: string) => (id === 'b' ? 100 : 0);
  const chosen = placement([member('b', { warm }), member('c', { warm })], { role: 'front', openAt }).choose(
    PLUGIN,
    false,
  );
  expect(idOf(chosen)).toBe('c');
});

test('pinned plugins run where they are pinned, others by demand', () => {
  const others = [member('b', { name: 'big' }), member('c')];
  const pinned = placement(others, { rule: 'pinned', pins: ['a/b=big'] });
  expect(idOf(pinned.choose(PLUGIN, true))).toBe('b');
  expect(pinned.choose(PLUGIN, true, new Set(['b']))).toBeUndefined();
  expect(pinned.choose('a/c:1@x', true)).toBe('here');
  expect([pinned.runsUncalled(PLUGIN), pinned.runsUncalled('a/c:1@x')]).toEqual([false, false]);
  expect(placement(others, { rule: 'pinned', pins: ['a/b=mine'] }).runsUncalled(PLUGIN)).toBe(true);
});

test("the existing daemon's nodes get what is installed only where there is no other", () => {
  const foreign = member('theirs', { foreign: true, warm: new Set([fingerprint(PLUGIN)]) });
  expect(placement([foreign]).choose(PLUGIN, false)).toBe('here');
  expect(idOf(placement([foreign], { role: 'front' }).choose(PLUGIN, false))).toBe('theirs');
  expect(idOf(placement([foreign, member('b')], { role: 'front' }).choose(PLUGIN, false))).toBe('b');
});

test('connections of other nodes are known by tenant and plugin, and by identifier; losing one is told', async () => {
  const lost: string[] = [];
  const connections = new ConnectionsElsewhere((tenantId, pluginId) => lost.push(`${tenantId} ${pluginId}`));
  const debugging = [{ tenantId: 't', pluginId: 'a/b', identifier: PLUGIN }];
  const ended = Promise.withResolvers<void>();
  const waiting = connections.appearing('t', 'a/b', ended.promise);
  connections.update([member('b', { debugging })]);
  expect(await waiting).toEqual({ nodeId: 'b', identifier: PLUGIN });
  expect([connections.find('t', 'a/b')?.nodeId, connections.get(PLUGIN)?.nodeId]).toEqual(['b', 'b']);
  expect(connections.find('other', 'a/b')).toBeUndefined();
  // It went on to another node: nothing is lost.
  connections.update([member('b'), member('c', { debugging })]);
  expect([connections.find('t', 'a/b')?.nodeId, lost]).toEqual(['c', []]);
  connections.update([]);
  expect([connections.find('t', 'a/b'), lost]).toEqual([undefined, ['t a/b']]);
  const late = connections.appearing('t', 'a/b', ended.promise);
  ended.resolve();
  expect(await late).toBeUndefined();
});

test('a node that has more than its share asks for another one, and not again before that can be ready', () => {
  let [load, now] = [0, 0];
  const asked: unknown[] = [];
  const busy = placement([member('b'), member('c'), member('f', { role: 'front' })], {
    rule: 'demand',
    load: () => load,
    now: () => now,
    prepare: (identifier, node) => asked.push([identifier, node]),
  });
  busy.noticed(PLUGIN);
  expect(asked).toEqual([]);
  load = 20;
  for (let n = 0; n < 10; n++) busy.noticed(PLUGIN);
  expect(asked).toEqual([[PLUGIN, expect.stringMatching(/^[bc]$/)]]);
  busy.noticed('a/other:1@x');
  expect(asked).toHaveLength(2);
  now = 3000;
  busy.noticed(PLUGIN);
  expect(asked).toHaveLength(3);
});

test('of the workers of a node one runs a plugin without being called, and calls go to it until it is busy', () => {
  const places = ['mine/1', 'mine/2', 'mine/3'];
  const owner = placeOf(PLUGIN, places) ?? '';
  const at = (place: string, members: readonly Member[] = [], over: Partial<NodePlacementOptions> = {}) =>
    placement(members, { self: { id: place, name: 'mine', role: 'all', cores: 1, place }, places, ...over });
  expect(places.filter((place) => at(place).runsUncalled(PLUGIN))).toEqual([owner]);
  const others = (more: Partial<Member> = {}) =>
    places.filter((place) => place !== owner).map((place) => member(place, { name: 'mine', place, ...more }));
  // While its worker was not there another one has taken it.
  expect(at(owner, others({ warm: new Set([fingerprint(PLUGIN)]) })).runsUncalled(PLUGIN)).toBe(false);
  // It starts where its place is, whoever is asked, and whatever its id is this time.
  const [elsewhere] = places.filter((place) => place !== owner);
  const anew = member('another id', { name: 'mine', place: owner });
  expect(idOf(at(elsewhere ?? '', [anew]).choose(PLUGIN, false))).toBe('another id');
  const warm = { ...anew, warm: new Set([fingerprint(PLUGIN)]) };
  expect(idOf(at(elsewhere ?? '', [warm]).choose(PLUGIN, false))).toBe('another id');
  expect(at(elsewhere ?? '', [{ ...warm, load: 32 }]).choose(PLUGIN, false)).toBe('here');
  // Plugins are shared out evenly enough.
  const counts = places.map(
    (place) =>
      Array.from({ length: 300 }, (_, n) => placeOf(`a/p${n}:1@x`, places)).filter((one) => one === place).length,
  );
  expect(Math.min(...counts)).toBeGreaterThan(60);
});
