import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  createTlsFiles,
  missing,
  type RedisServer,
  RedisServers,
  skipReason,
  type TlsFiles,
} from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Cache } from '../cache.ts';
import { cacheConformance } from '../conformance.suite.ts';
import { openQueueClient, openRedisCache, type RedisServers as Servers } from './index.ts';

const host = '127.0.0.1';
let prefixes = 0;

interface Opened {
  readonly cache: Cache;
  readonly events: string[];
}

async function open(servers: Servers, prefix = `t${++prefixes}`): Promise<Opened> {
  const events: string[] = [];
  const cache = await openRedisCache({
    servers,
    prefix,
    onListenerError: (error) => events.push(`listener: ${String(error)}`),
    onLost: (reason) => events.push(`lost: ${reason}`),
    onBack: () => events.push('back'),
  });
  return { cache, events };
}

async function opened(servers: Servers, prefix?: string): Promise<Opened> {
  const all = await open(servers, prefix);
  onTestFinished(() => all.cache.close());
  return all;
}

describe.skipIf(missing('redis').length > 0)(missing('redis').length > 0 ? skipReason('redis') : 'Redis', () => {
  const processes = new RedisServers();
  let server: RedisServer;
  let single: Servers;
  beforeAll(async () => {
    server = await processes.single({
      configuration: ['--requirepass', 'secret'],
      cli: ['-a', 'secret', '--no-auth-warning'],
    });
    single = { mode: 'single', host, port: server.port, db: 3, password: 'secret' };
  });
  afterAll(() => processes.close());

  cacheConformance('Redis', async () => (await open(single)).cache);

  test('a connection into a black hole is given up: the next one is used, whatever becomes of the first', async () => {
    let swallows = false;
    const sockets = new Set<Socket>();
    const relay = createServer((socket) => {
      const there = connect(server.port, host);
      for (const one of [socket, there]) one.on('error', () => undefined);
      sockets.add(socket).add(there);
      // What went into the hole stays there, as with a cable that is pulled.
      socket.on('data', (bytes) => !holes.has(socket) && there.write(bytes));
      there.on('data', (bytes) => !holes.has(socket) && socket.write(bytes));
      there.on('close', () => socket.destroy());
      if (swallows) holes.add(socket);
    });
    const holes = new Set<Socket>();
    relay.listen(0, host);
    await once(relay, 'listening');
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      relay.close();
    });
    const { port } = relay.address() as AddressInfo;
    const { cache, events } = await opened({ ...single, mode: 'single', host, port, db: 3 });
    await cache.set('a', 'one', 600_000);
    for (const socket of sockets) holes.add(socket);
    swallows = true;
    await expect(cache.get('a')).rejects.toThrow();
    // The way is open again, for whoever comes anew.
    swallows = false;
    await expect
      .poll(() => cache.get('a').then(String, () => 'unreachable'), { timeout: 60_000, interval: 100 })
      .toBe('one');
    expect(events[0]).toContain('lost');
  }, 240_000);

  test.each([
    ['that the server does not have', { db: 99 }, 'DB index is out of range'],
    ['that its user may not enter', { db: 3, username: 'outside', password: 'pw' }, 'NOPERM'],
  ])('a database %s is none: nothing is written into another', async (_what, wrong, reason) => {
    await server.cli('acl', 'setuser', 'outside', 'on', '>pw', '~*', '&*', '+@all', '-select');
    const { cache, events } = await opened({ ...single, ...wrong, mode: 'single', host, port: server.port }, 'wrong');
    for (let round = 0; round < 3; round++)
      await expect(cache.set('a', '1', 60_000)).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining(reason),
      });
    const queue = await openQueueClient({ ...single, ...wrong, mode: 'single', host, port: server.port });
    queue.on('error', () => undefined);
    let written = false;
    queue.set('wrong:b', '1').then(
      () => {
        written = true;
      },
      () => undefined,
    );
    await pause(200);
    queue.disconnect();
    expect(written).toBe(false);
    expect(events).toEqual([expect.stringContaining(reason)]);
    for (const db of ['0', '3']) expect((await server.cli('-n', db, 'keys', 'wrong:*')).trim()).toBe('');
  });

  test('no key is without expiry, and every key has the prefix', async () => {
    const { cache } = await opened(single, 'acme');
    await cache.set('a', '1', 60_000);
    await cache.setIfAbsent('b', '1', 60_000);
    const lock = await cache.lock('c');
    const keys = (await server.cli('-n', '3', 'keys', 'acme:*')).trim().split('\n').toSorted();
    expect(keys).toEqual(['acme:a', 'acme:b', 'acme:v2:{lock:c}', 'acme:v2:{lock:c}:fence']);
    for (const key of keys) expect(Number(await server.cli('-n', '3', 'pttl', key))).toBeGreaterThan(0);
    await lock?.release();
    expect((await server.cli('-n', '3', 'exists', 'acme:v2:{lock:c}')).trim()).toBe('0');
  });

  test('one node holds a lock at a time; the fence grows from holder to holder', async () => {
    const nodes = await Promise.all([opened(single, 'nodes'), opened(single, 'nodes'), opened(single, 'nodes')]);
    let holders = 0;
    const fences: number[] = [];
    await Promise.all(
      nodes.flatMap(({ cache }) =>
        Array.from({ length: 5 }, async () => {
          const lock = await cache.lock('l');
          expect(++holders).toBe(1);
          fences.push(lock?.fence ?? 0);
          await pause(3);
          holders--;
          await lock?.release();
        }),
      ),
    );
    expect(fences).toHaveLength(15);
    expect(fences).toEqual(fences.toSorted((a, b) => a - b));
    expect(new Set(fences).size).toBe(15);
  });

  test('a holder whose key is gone learns that it lost the lock; the next one may have it', async () => {
    const { cache } = await opened(single, 'gone');
    const lock = await cache.lock('l', { leaseMs: 3000 });
    await server.cli('-n', '3', 'flushdb');
    await expect.poll(() => lock?.lost.aborted, { timeout: 60_000 }).toBe(true);
    expect(lock?.held).toBe(false);
    expect(String(lock?.lost.reason)).toMatch(/deleted/);
    const other = await opened(single, 'gone');
    const next = await other.cache.lock('l', { waitMs: 0 });
    expect(next?.held).toBe(true);
    // Letting go of what is lost takes nothing from the one who has it now.
    await lock?.release();
    expect(await (await opened(single, 'gone')).cache.lock('l', { waitMs: 0 })).toBeUndefined();
  });

  test('a lease is renewed for as long as it is held', async () => {
    const { cache } = await opened(single, 'renewed');
    const lock = await cache.lock('l', { leaseMs: 2000 });
    await pause(5000);
    expect(lock?.held).toBe(true);
    expect(await (await opened(single, 'renewed')).cache.lock('l', { waitMs: 0 })).toBeUndefined();
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, /WRONGPASS|invalid/],
    ['no password', { password: undefined }, /NOAUTH|Authentication/],
  ])('%s is the cause that callers and readiness hear', async (_what, { password }, cause) => {
    const { password: _none, ...rest } = single;
    const { cache } = await opened({ ...rest, ...(password !== undefined && { password }) });
    const failed = await cache.get('a').then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ kind: 'unavailable' });
    expect(String(failed)).toMatch(cause);
    expect(cache.problem()).toMatch(cause);
  });

  test('a server that comes up late is used then; without it every verb fails with cause and remedy', async () => {
    const late = await processes.single();
    await late.process.kill();
    const { cache, events } = await opened({ mode: 'single', host, port: late.port, db: 0 });
    await expect(cache.set('a', '1', 1000)).rejects.toThrow(/Redis could not write: .*ECONNREFUSED/);
    await expect(cache.lock('l', { waitMs: 0 })).rejects.toMatchObject({ kind: 'unavailable' });
    await late.process.start();
    await expect.poll(() => cache.problem(), { timeout: 60_000 }).toBeUndefined();
    await cache.set('a', '1', 60_000);
    expect(String(await cache.get('a'))).toBe('1');
    expect(events.filter((event) => event.startsWith('lost'))).toHaveLength(1);
    expect(events.at(-1)).toBe('back');
  });

  test('who listens is told of a gap: when the connection is lost, and when messages come again', async () => {
    const own = await processes.single();
    const servers: Servers = { mode: 'single', host, port: own.port, db: 0 };
    const { cache } = await opened(servers);
    const seen: string[] = [];
    await cache.subscribe('c', { message: (text) => seen.push(text), gap: (state) => seen.push(state) });
    await cache.publish('c', 'one');
    await expect.poll(() => seen).toEqual(['one']);
    await own.process.kill();
    await expect.poll(() => seen, { timeout: 60_000 }).toEqual(['one', 'deaf']);
    await own.process.start();
    await expect.poll(() => seen, { timeout: 60_000 }).toEqual(['one', 'deaf', 'hearing']);
    await cache.publish('c', 'two');
    await expect.poll(() => seen).toEqual(['one', 'deaf', 'hearing', 'two']);
  });

  test('a server that is silent is a gap and an error, not a hanging call; its locks are lost before they are anybody’s', async () => {
    const own = await processes.single();
    const servers: Servers = { mode: 'single', host, port: own.port, db: 0 };
    const { cache } = await opened(servers, 'silent');
    const states: string[] = [];
    await cache.subscribe('c', { message: () => undefined, gap: (state) => states.push(state) });
    const lock = await cache.lock('l', { leaseMs: 1000 });
    own.process.pause();
    await expect(cache.get('a')).rejects.toMatchObject({ kind: 'unavailable' });
    await expect.poll(() => lock?.lost.aborted, { timeout: 60_000 }).toBe(true);
    await expect.poll(() => states, { timeout: 60_000 }).toEqual(['deaf']);
    own.process.resume();
    await expect.poll(() => states, { timeout: 60_000 }).toEqual(['deaf', 'hearing']);
    await cache.set('a', '1', 60_000);
  });

  test('a subscription made while the server is away begins with a gap', async () => {
    const own = await processes.single();
    await own.process.kill();
    const { cache } = await opened({ mode: 'single', host, port: own.port, db: 0 });
    const seen: string[] = [];
    await cache.subscribe('c', { message: (text) => seen.push(text), gap: (state) => seen.push(state) });
    expect(seen).toEqual(['deaf']);
    await own.process.start();
    await expect.poll(() => seen, { timeout: 60_000 }).toEqual(['deaf', 'hearing']);
  });

  describe('TLS', () => {
    const secure = new RedisServers();
    // Made where the tests are not skipped.
    let directory = '';
    afterAll(async () => {
      await secure.close();
      rmSync(directory, { recursive: true });
    });
    const own = () => ({ cert: pem(files.clientCert), key: pem(files.clientKey) });
    const pem = (file: string) => readFileSync(file, 'utf8');
    let files: TlsFiles;
    let servers: { readonly mode: 'single'; readonly host: string; readonly port: number; readonly db: number };

    beforeAll(async () => {
      directory = mkdtempSync(join(tmpdir(), 'redis-tls-'));
      files = createTlsFiles(directory);
      const server = ['--tls-cert-file', files.serverCert, '--tls-key-file', files.serverKey];
      const started = await secure.single({
        tls: true,
        configuration: [...server, '--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'yes'],
        cli: ['--tls', '--cacert', files.ca, '--cert', files.clientCert, '--key', files.clientKey],
      });
      servers = { mode: 'single', host: 'localhost', port: started.port, db: 0 };
    });

    test('the authority is checked, and a certificate of our own is shown', async () => {
      const { cache } = await opened({ ...servers, tls: { ca: pem(files.ca), ...own(), verify: true } });
      await cache.set('a', '1', 60_000);
      const unchecked = await opened({ ...servers, tls: { ...own(), verify: false } });
      await unchecked.cache.set('a', '1', 60_000);
    });

    test.each([
      ['an authority that is not known', () => ({ ...servers, tls: { ...own(), verify: true } }), /certificate/],
      ['no certificate of our own', () => ({ ...servers, tls: { ca: pem(files.ca), verify: true } }), /.+/],
      [
        'another name than that of the certificate',
        () => ({ ...servers, host: '127.0.0.2', tls: { ca: pem(files.ca), ...own(), verify: true } }),
        /altnames|127\.0\.0\.2/,
      ],
      ['no TLS', () => servers, /.+/],
    ] as const)('%s is refused, with a cause', async (_what, of, cause) => {
      const { cache } = await opened(of());
      await expect(cache.get('a')).rejects.toMatchObject({ kind: 'unavailable' });
      expect(cache.problem()).toMatch(cause);
    });
  });

  describe('Sentinel', () => {
    const trio = new RedisServers();
    afterAll(() => trio.close());

    test('a master that dies is replaced; what was written stays, who listens is told', async () => {
      const { master, sentinels } = await trio.sentinel('mymaster');
      const { cache } = await opened({
        mode: 'sentinel',
        sentinels: sentinels.map(({ port }) => ({ host, port })),
        service: 'mymaster',
        sentinelCredentials: {},
        sentinelConnectMs: 500,
        password: 'secret',
        db: 0,
      });
      const states: string[] = [];
      await cache.subscribe('c', { message: (text) => states.push(text), gap: (state) => states.push(state) });
      await cache.set('a', '1', 600_000);
      // What was acknowledged by the master alone may be lost with it: let the replica have it.
      await master.cli('wait', '1', '5000');
      await master.process.kill();
      const tries = { timeout: 60_000, interval: 100 };
      await expect
        .poll(
          () =>
            cache.set('b', '2', 600_000).then(
              () => 'written',
              () => 'no',
            ),
          tries,
        )
        .toBe('written');
      expect(String(await cache.get('a'))).toBe('1');
      await expect.poll(() => states, tries).toEqual(['deaf', 'hearing']);
      await cache.publish('c', 'heard');
      await expect.poll(() => states.at(-1)).toBe('heard');
    });
  });

  describe('Cluster', () => {
    const nodes = new RedisServers();
    let servers: Servers;
    beforeAll(async () => {
      const started = await nodes.cluster();
      servers = { mode: 'cluster', nodes: started.map(({ port }) => ({ host, port })) };
    });
    afterAll(() => nodes.close());

    cacheConformance('Redis Cluster', async () => (await open(servers)).cache);
  });
});
