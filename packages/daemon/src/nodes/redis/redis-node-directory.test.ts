import { randomUUID } from 'node:crypto';
import { missing, type RedisServer, RedisServers, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { openRedisCache } from '../../cache/index.ts';
import { silentLog } from '../../telemetry/index.ts';
import { directorySuite } from '../conformance.suite.ts';
import { RedisNodeDirectory } from './redis-node-directory.ts';
import { UpstreamCluster, type UpstreamClusterOptions } from './upstream-cluster.ts';

const lacking = missing('redis').length > 0;
const IDENTIFIER = `7d1e6b8a-0c1f-4a7e-9a53-0b6f6d8f3a11/search:0.0.1@${'a'.repeat(64)}`;

describe.skipIf(lacking)(lacking ? skipReason('redis') : 'nodes in Redis', () => {
  const servers = new RedisServers();
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await servers.single();
  });
  afterAll(() => servers.close());

  const open = async (prefix: string) => {
    const cache = await openRedisCache({
      servers: { mode: 'single', host: '127.0.0.1', port: redis.port, db: 0 },
      prefix,
      onListenerError: (error) => expect.fail(String(error)),
      onLost: () => undefined,
      onBack: () => undefined,
    });
    onTestFinished(() => cache.close());
    return cache;
  };

  directorySuite(
    async () =>
      new RedisNodeDirectory({
        scripts: await open(randomUUID()),
        events: { on: () => () => undefined, publish: () => undefined },
      }),
  );

  test('nothing stays there without an end', async () => {
    const prefix = randomUUID();
    const directory = new RedisNodeDirectory({
      scripts: await open(prefix),
      events: { on: () => () => undefined, publish: () => undefined },
    });
    await directory.renew({
      id: 'a',
      entry: {
        whole: true,
        parts: new Map([
          ['', 'x'],
          ['A', 'y'],
        ]),
      },
      load: 0,
      leaseMs: 1000,
      known: 0,
    });
    const keys = (await redis.cli('keys', `${prefix}:*`)).trim().split('\n');
    expect(keys).toHaveLength(5);
    for (const key of keys) expect(Number(await redis.cli('pttl', key))).toBeGreaterThan(0);
  });

  const upstream = async (prefix: string, over: Partial<UpstreamClusterOptions> = {}) => {
    const cluster = new UpstreamCluster({
      nodeId: 'ours',
      scripts: await open(prefix),
      addresses: () => [{ host: '10.0.0.7', port: 5002 }],
      debugging: () => [{ tenantId: 't', pluginId: 'p', identifier: IDENTIFIER }],
      warm: () => [`a/b:0.0.1@${'b'.repeat(64)}`],
      isOurs: () => false,
      onChanged: () => undefined,
      log: silentLog,
      everyMs: 60_000,
      ...over,
    });
    await cluster.start();
    onTestFinished(() => cluster.leave());
    return cluster;
  };
  const field = async (prefix: string, hash: string, name: string) =>
    JSON.parse((await redis.cli('hget', `${prefix}:${hash}`, name)) || 'null');

  test("we stand in the existing daemon's hashes as one of its nodes would, and are gone from them when we left", async () => {
    const prefix = randomUUID();
    const cluster = await upstream(prefix);
    const status = await field(prefix, 'cluster-nodes-status-hash-map', 'ours');
    expect(status).toEqual({
      ips: [{ ip: '10.0.0.7', port: 5002, vote: [] }],
      last_ping_at: expect.closeTo(Date.now() / 1000, -2),
    });
    const fields = (await redis.cli('hkeys', `${prefix}:plugin_state`)).trim().split('\n');
    expect(fields).toEqual([expect.stringMatching(/^ours:[0-9a-f]{64}$/)]);
    expect(await field(prefix, 'plugin_state', fields[0] ?? '')).toMatchObject({
      identity: IDENTIFIER,
      status: 'active',
      logs: [],
      stopped_at: null,
      scheduled_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    await cluster.leave();
    expect(
      (await redis.cli('exists', `${prefix}:plugin_state`, `${prefix}:cluster-nodes-status-hash-map`)).trim(),
    ).toBe('0');
  });

  test('votes that its nodes gave our addresses stay', async () => {
    const prefix = randomUUID();
    const cluster = await upstream(prefix);
    const vote = [{ node_id: 'theirs', voted_at: 1, failed: false }];
    await redis.cli(
      'hset',
      `${prefix}:cluster-nodes-status-hash-map`,
      'ours',
      JSON.stringify({ ips: [{ ip: '10.0.0.7', port: 5002, vote }], last_ping_at: 1 }),
    );
    await cluster.refresh();
    const status = await field(prefix, 'cluster-nodes-status-hash-map', 'ours');
    expect(status.ips).toEqual([{ ip: '10.0.0.7', port: 5002, vote }]);
    expect(status.last_ping_at).toBeGreaterThan(1);
  });

  test('its nodes are known with what is debugged on them, by an entry that changes, whatever their clock says', async () => {
    const prefix = randomUUID();
    const cluster = await upstream(prefix);
    const write = (id: string, ping: number) =>
      redis.cli(
        'hset',
        `${prefix}:cluster-nodes-status-hash-map`,
        id,
        JSON.stringify({ ips: [{ ip: '10.0.0.8', port: 5002, vote: [] }], last_ping_at: ping }),
      );
    const now = Math.floor(Date.now() / 1000);
    await write('theirs', now - 60);
    await write('dead', now - 3600);
    await redis.cli(
      'hset',
      `${prefix}:plugin_state`,
      `theirs:${'c'.repeat(64)}`,
      JSON.stringify({ identity: IDENTIFIER }),
    );
    await cluster.refresh();
    expect(cluster.members).toEqual([]);
    await write('theirs', now - 55);
    await cluster.refresh();
    expect(cluster.members).toEqual([
      expect.objectContaining({
        id: 'theirs',
        foreign: true,
        addresses: [{ host: '10.0.0.8', port: 5002 }],
        debugging: [{ tenantId: '', pluginId: '', identifier: IDENTIFIER }],
      }),
    ]);
    // Now that they may ask for it, they are told of everything that is ready here.
    const states = (await redis.cli('hkeys', `${prefix}:plugin_state`)).trim().split('\n');
    expect(states.filter((name) => name.startsWith('ours:'))).toHaveLength(2);
  });

  test.each([
    'x',
    'null',
    '[]',
    '{"ips":7}',
    '{"ips":[null,{"ip":"a b","port":1}],"last_ping_at":"now"}',
    '['.repeat(9999),
  ])('what is no entry there is passed over: %.20s', async (text) => {
    const prefix = randomUUID();
    const cluster = await upstream(prefix);
    await redis.cli('hset', `${prefix}:cluster-nodes-status-hash-map`, 'odd', text, 'ours', text);
    await redis.cli('hset', `${prefix}:plugin_state`, 'odd', text, 'odd:x', text);
    await cluster.refresh();
    expect(cluster.members).toEqual([]);
    expect((await field(prefix, 'cluster-nodes-status-hash-map', 'ours')).ips).toHaveLength(1);
  });
});
