import { silentLog } from '@plugin-daemon/plugin-host/log';
import { decode } from 'cborg';
import { afterEach, expect, test } from 'vitest';
import { openMemoryCache } from '../cache/index.ts';
import type { Session } from './session.ts';
import { SessionRegistry } from './session-registry.ts';

const cache = openMemoryCache({ onListenerError: () => undefined });
const registry = (nodeId: string) => new SessionRegistry({ cache, nodeId, lifetimeMs: 60_000, log: silentLog });

const session = (id: string, type = 'serverless'): Session =>
  ({
    id,
    runtime: { type, identifier: 'a/b:1@c' },
    action: { type: 'tool', action: 'invoke_tool' },
    envelope: {
      tenantId: 't',
      userId: 'u',
      conversationId: null,
      messageId: 'm',
      appId: null,
      endpointId: null,
      context: '{"a":1}',
    },
    // Of a session only this is looked at.
  }) as unknown as Session;

afterEach(() => cache.close());

test('other nodes find the one that holds a session, until it is over', async () => {
  const [holder, other] = [registry('n1'), registry('n2')];
  holder.add(session('s'));
  expect(await other.nodeOf('s')).toBe('n1');
  expect(await holder.nodeOf('s')).toBeUndefined();
  expect(await other.nodeOf('other')).toBeUndefined();
  holder.remove(session('s'));
  expect(await other.nodeOf('s')).toBeUndefined();
});

test('the entry is upstream’s, and holds nothing that lets anybody in', async () => {
  registry('n1').add(session('s'));
  const entry: unknown = decode((await cache.get('session_info:s')) ?? new Uint8Array());
  expect(entry).toEqual({
    id: 's',
    tenant_id: 't',
    user_id: 'u',
    plugin_unique_identifier: 'a/b:1@c',
    cluster_id: 'n1',
    invoke_from: 'tool',
    action: 'invoke_tool',
    declaration: null,
    conversation_id: null,
    message_id: 'm',
    app_id: null,
    endpoint_id: null,
    context: { a: 1 },
  });
});

test('sessions of processes are nobody else’s business', async () => {
  registry('n1').add(session('s', 'local'));
  expect(await cache.get('session_info:s')).toBeUndefined();
});

test.each(['nope', '\xff', 'a'.repeat(100_000)])('what is no entry names no node: %#', async (text) => {
  await cache.set('session_info:s', text, 1000);
  expect(await registry('n2').nodeOf('s')).toBeUndefined();
});
