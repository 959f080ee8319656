import { expect, onTestFinished, test } from 'vitest';
import { openMemoryCache } from '../cache/index.ts';
import { EventBus } from '../events/index.ts';
import { silentLog } from '../telemetry/index.ts';
import type { EndpointRecord } from './records.ts';
import { openRowCaches } from './row-caches.ts';

// The caches look at nothing inside a row.
const row = (name: string) => ({ name }) as unknown as EndpointRecord;

async function twoNodes() {
  const cache = openMemoryCache({ onListenerError: (error) => expect.fail(String(error)) });
  onTestFinished(() => cache.close());
  const open = async (nodeId: string) => {
    const events = await EventBus.open({ cache, nodeId, log: silentLog });
    onTestFinished(() => events.close());
    return openRowCaches(events);
  };
  return { cache, here: await open('here'), there: await open('there') };
}

test('what one node changes, the others forget, and only that', async () => {
  const { here, there } = await twoNodes();
  for (const node of [here, there]) {
    node.endpoints.set('hook', row('old'));
    node.endpoints.set('other', row('other'));
    node.installations.set('hook', row('of another table') as never);
  }
  here.endpoints.invalidate('hook');
  await expect.poll(() => there.endpoints.peek('hook')).toBeUndefined();
  expect(there.endpoints.peek('other')).toBeDefined();
  expect(there.installations.peek('hook')).toBeDefined();
});

test('a row that was being read while another node changed it is not kept', async () => {
  const { here, there } = await twoNodes();
  const old = Promise.withResolvers<EndpointRecord>();
  const reading = there.endpoints.get('hook', () => old.promise);
  here.endpoints.invalidate('hook');
  there.endpoints.set('marker', row('marker'));
  here.endpoints.invalidate('marker');
  await expect.poll(() => there.endpoints.peek('marker')).toBeUndefined();
  old.resolve(row('old'));
  await reading;
  expect(there.endpoints.peek('hook')).toBeUndefined();
});

test('after a gap everything is forgotten', async () => {
  const { cache, there } = await twoNodes();
  there.endpoints.set('hook', row('old'));
  await cache.publish('v2:events', '{"node":"third","event":"events-lost","data":{}}');
  await expect.poll(() => there.endpoints.peek('hook')).toBeUndefined();
});
