import { expect, test } from 'vitest';
import { channelPair } from '../../ipc/testing.ts';
import { cacheConformance } from '../conformance.suite.ts';
import { openMemoryCache } from '../index.ts';
import { openPrimaryCache, serveCache } from './index.ts';

const unexpected = (error: unknown) => {
  throw error;
};

function linked() {
  const shared = openMemoryCache({ onListenerError: unexpected });
  const worker = () => {
    const { primary, worker: channel, cut } = channelPair();
    serveCache(primary, shared);
    return { cache: openPrimaryCache({ channel, onListenerError: unexpected }), cut };
  };
  return { shared, worker };
}

cacheConformance('primary process', async () => linked().worker().cache);

test('workers share values, messages and locks', async () => {
  const { worker } = linked();
  const [one, other] = [worker().cache, worker().cache];
  await one.set('a', '1', 60_000);
  expect(String(await other.get('a'))).toBe('1');
  const heard: string[] = [];
  await other.subscribe('c', { message: (text) => heard.push(text) });
  await one.publish('c', 'hello');
  await expect.poll(() => heard).toEqual(['hello']);
  const held = await one.lock('l');
  expect(await other.lock('l', { waitMs: 0 })).toBeUndefined();
  await held?.release();
  expect(await other.lock('l', { waitMs: 0 })).toBeDefined();
});

test('what a worker holds ends with it, also what it waits for', async () => {
  const { worker } = linked();
  const [dying, waiting, living] = [worker(), worker(), worker()];
  const lock = await dying.cache.lock('l');
  const never = waiting.cache.lock('l').catch(() => 'its worker died');
  const next = living.cache.lock('l');
  waiting.cut();
  expect(await never).toBe('its worker died');
  expect(lock?.held).toBe(true);
  dying.cut();
  expect((await next)?.held).toBe(true);
  await expect.poll(() => lock?.held).toBe(false);
  expect(lock?.lost.aborted).toBe(true);
  expect(dying.cache.problem()).toContain('gone');
  await expect(dying.cache.get('a')).rejects.toMatchObject({ kind: 'unavailable' });
});
