import { expect, onTestFinished, test } from 'vitest';
import type { Listener } from '../cache/index.ts';
import { openMemoryCache } from '../cache/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { EventBus } from './index.ts';

const memory = () => {
  const cache = openMemoryCache({ onListenerError: (error) => expect.fail(String(error)) });
  onTestFinished(() => cache.close());
  return cache;
};

async function node(cache: Parameters<typeof EventBus.open>[0]['cache'], nodeId: string) {
  const bus = await EventBus.open({ cache, nodeId, log: silentLog });
  onTestFinished(() => bus.close());
  const seen: unknown[] = [];
  bus.on('row-changed', (data) => seen.push(data));
  bus.onGap((state) => seen.push(state));
  return { bus, seen };
}

test('an event reaches every other node, and not its sender', async () => {
  const cache = memory();
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((id) => node(cache, id)));
  a?.bus.publish('row-changed', { table: 'endpoints', key: 'hook' });
  await expect
    .poll(() => [b?.seen, c?.seen])
    .toEqual([[{ table: 'endpoints', key: 'hook' }], [{ table: 'endpoints', key: 'hook' }]]);
  expect(a?.seen).toEqual([]);
});

test('beside somebody who tells nothing a node stays deaf, whatever its connection says', async () => {
  let hear: Listener | undefined;
  const bus = await EventBus.open({
    cache: {
      publish: async () => undefined,
      subscribe: async (_, listener) => {
        hear = listener;
        return async () => undefined;
      },
    },
    nodeId: 'a',
    log: silentLog,
  });
  onTestFinished(() => bus.close());
  const seen: string[] = [];
  bus.onGap((state) => seen.push(state));
  bus.untold(true);
  bus.untold(true);
  hear?.gap?.('deaf');
  hear?.gap?.('hearing');
  bus.untold(false);
  expect(seen).toEqual(['deaf', 'deaf', 'deaf', 'hearing']);
});

test('who asks for it is told of the changes of this node alone', async () => {
  const cache = memory();
  const [a, b] = await Promise.all(['a', 'b'].map((id) => node(cache, id)));
  const own: unknown[] = [];
  a?.bus.onOwnChange((data) => own.push(data));
  b?.bus.publish('row-changed', { table: 'endpoints', key: 'theirs' });
  a?.bus.publish('row-changed', { table: 'endpoints', key: 'ours' });
  await expect.poll(() => a?.seen.length).toBe(1);
  expect(own).toEqual([{ table: 'endpoints', key: 'ours' }]);
});

test.each([
  ['no JSON', 'x'],
  ['no object', '[1]'],
  ['null', 'null'],
  ['no event', '{"node":"x"}'],
  ['an event of nobody', '{"node":"x","event":"toString","data":{}}'],
  ['a table of nobody', '{"node":"x","event":"row-changed","data":{"table":"__proto__","key":"k"}}'],
  ['a key that is no text', '{"node":"x","event":"row-changed","data":{"table":"endpoints","key":{}}}'],
  ['no data', '{"node":"x","event":"row-changed"}'],
  ['depth', `{"node":"x","event":"row-changed","data":${'['.repeat(5000)}${']'.repeat(5000)}}`],
  ['length', `{"node":"x","event":"row-changed","data":{"table":"endpoints","key":"${'k'.repeat(20_000)}"}}`],
])('%s on the channel is passed over', async (_what, text) => {
  const cache = memory();
  const { seen } = await node(cache, 'a');
  await cache.publish('v2:events', text);
  await cache.publish('v2:events', '{"node":"x","event":"row-changed","data":{"table":"endpoints","key":"good"}}');
  await expect.poll(() => seen).toEqual([{ table: 'endpoints', key: 'good' }]);
});

test('a gap of the subscription is told', async () => {
  let listener: Listener | undefined;
  const { seen } = await node(
    {
      publish: async () => undefined,
      subscribe: async (_channel, given) => {
        listener = given;
        return async () => undefined;
      },
    },
    'a',
  );
  listener?.gap?.('deaf');
  listener?.gap?.('hearing');
  expect(seen).toEqual(['deaf', 'hearing']);
});

test('what could not be told is made up for: the others hear that they missed something', async () => {
  const cache = memory();
  let down = true;
  const flaky = {
    subscribe: cache.subscribe.bind(cache),
    publish: async (channel: string, text: string) => {
      if (down) throw new Error('down');
      await cache.publish(channel, text);
    },
  };
  const a = await node(flaky, 'a');
  const b = await node(cache, 'b');
  a.bus.publish('row-changed', { table: 'endpoints', key: 'lost' });
  a.bus.publish('row-changed', { table: 'endpoints', key: 'lost too' });
  down = false;
  await expect.poll(() => b.seen, { timeout: 60_000 }).toEqual(['hearing']);
});
