/** A daemon that shares a Redis: what it keeps there, and what it does without it. */
import { missing, type RedisServer, RedisServers, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { eventually, ONE, TestDaemon } from './harness.ts';
import { hookPackage, rudePackage } from './plugins/package.ts';

describe.skipIf(missing('redis').length > 0)(missing('redis').length > 0 ? skipReason('redis') : 'with Redis', () => {
  const processes = new RedisServers();
  let redis: RedisServer;
  let daemon: TestDaemon;
  const key = async (): Promise<string> =>
    JSON.parse((await daemon.answer('POST', `/plugin/${ONE}/debugging/key`)).text).data.key;
  const ready = async () => await daemon.answer('GET', '/readyz');

  beforeAll(async () => {
    redis = await processes.single();
    daemon = await TestDaemon.start({
      settings: { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port), REDIS_KEY_PREFIX: 'acme', REDIS_DB: '2' },
    });
  });
  afterAll(async () => {
    await daemon?.close();
    await processes.close();
  });

  test("debugging keys stand there under upstream's names, in its encoding", async () => {
    const uuid = await key();
    const dump = async (name: string) => (await redis.cli('-n', '2', '--no-raw', 'get', name)).trim();
    expect(await dump(`acme:{remote:key:manager}:id2key:${ONE}`)).toBe(String.raw`"\xa1ckeyx$${uuid}"`);
    expect(await dump(`acme:{remote:key:manager}:key2id:${uuid}`)).toBe(String.raw`"\xa1itenant_idx$${ONE}"`);
    expect(await key()).toBe(uuid);
  });

  test('a webhook that is disabled here goes on nowhere: what the existing daemon keeps of it is dropped', async () => {
    const client = daemon.client();
    const identifier = await daemon.install(hookPackage('hooked'));
    await client.call('POST', '/endpoint/setup', {
      plugin_unique_identifier: identifier,
      user_id: 'u',
      name: 'n',
      settings: {},
    });
    const [endpoint] = await client.call<{ id: string; hook_id: string }[]>(
      'GET',
      '/endpoint/list?page=1&page_size=10',
    );
    const models = 'acme:auto_type:github.com/langgenius/dify-plugin-daemon/internal/types/models';
    const kept = [
      `${models}.Endpoint:hook_id:${endpoint?.hook_id}`,
      `${models}.PluginInstallation:plugin_id:tests/hooked:tenant_id:${ONE}`,
      `acme:model_installations:tenant_id:${ONE}`,
    ];
    const there = async (...keys: string[]) => (await redis.cli('-n', '2', 'exists', ...keys)).trim();
    for (const key of kept) await redis.cli('-n', '2', 'set', key, 'as it was');
    expect(await there(...kept)).toBe('3');
    await client.call('POST', '/endpoint/disable', { endpoint_id: endpoint?.id });
    await eventually('the endpoint is dropped', async () => (await there(kept[0] ?? '')) === '0' || undefined);
    const [installed] = (await client.list()).filter(({ plugin_id }) => plugin_id === 'tests/hooked');
    await client.call('POST', '/management/uninstall', { plugin_installation_id: installed?.id });
    await eventually('the installation is dropped', async () => (await there(...kept)) === '0' || undefined);
  });

  test('without it, what runs goes on; what needs it says so; it is used again when it is back', async () => {
    await daemon.install(rudePackage('redis'));
    expect((await daemon.call('redis', 'echo', { parameters: { text: 'with' } })).texts).toEqual(['with']);
    await redis.process.kill();
    await eventually(
      'readiness names Redis',
      async () => (await ready()).text.includes('Redis cannot be reached') || undefined,
    );
    expect((await ready()).status).toBe(503);
    expect((await daemon.call('redis', 'echo', { parameters: { text: 'without' } })).texts).toEqual(['without']);
    const refused = await daemon.answer('POST', `/plugin/${ONE}/debugging/key`);
    expect(refused.text).toMatch(/Redis could not .*(ECONNREFUSED|closed)/);
    expect(refused.text).toContain('REDIS_*');
    await redis.process.start();
    await eventually('readiness is back', async () => (await ready()).status === 200 || undefined);
    expect(await key()).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a flushed server costs no more than a new key', async () => {
    const before = await key();
    await redis.cli('flushall');
    expect(await key()).not.toBe(before);
  });
});
