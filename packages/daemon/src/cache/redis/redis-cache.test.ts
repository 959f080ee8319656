import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Cache } from '../cache.ts';
import { cacheConformance } from '../conformance.suite.ts';
import { openRedisCache, type RedisServers } from './index.ts';
import { type RedisProcess, RedisProcesses, redisIsMissing } from './testing/redis-processes.ts';

const host = '127.0.0.1';
let prefixes = 0;

interface Opened {
  readonly cache: Cache;
  readonly events: string[];
}

async function open(servers: RedisServers, prefix = `t${++prefixes}`): Promise<Opened> {
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

async function opened(servers: RedisServers, prefix?: string): Promise<Opened> {
  const all = await open(servers, prefix);
  onTestFinished(() => all.cache.close());
  return all;
}

describe.skipIf(redisIsMissing !== undefined)(
  `Redis${redisIsMissing === undefined ? '' : `: ${redisIsMissing}`}`,
  () => {
    const processes = new RedisProcesses();
    let server: RedisProcess;
    let single: RedisServers;
    beforeAll(async () => {
      server = await processes.single(['--requirepass', 'secret'], ['-a', 'secret', '--no-auth-warning']);
      single = { mode: 'single', host, port: server.port, db: 3, password: 'secret' };
    });
    afterAll(() => processes.close());

    cacheConformance('Redis', async () => (await open(single)).cache);

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
      const lock = await cache.lock('l', { leaseMs: 200 });
      await server.cli('-n', '3', 'flushdb');
      await expect.poll(() => lock?.lost.aborted, { timeout: 5000 }).toBe(true);
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
      const lock = await cache.lock('l', { leaseMs: 150 });
      await pause(600);
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
      await late.kill();
      const { cache, events } = await opened({ mode: 'single', host, port: late.port, db: 0 });
      await expect(cache.set('a', '1', 1000)).rejects.toThrow(/Redis could not write: .*ECONNREFUSED/);
      await expect(cache.lock('l', { waitMs: 0 })).rejects.toMatchObject({ kind: 'unavailable' });
      await late.start();
      await expect.poll(() => cache.problem(), { timeout: 10_000 }).toBeUndefined();
      await cache.set('a', '1', 60_000);
      expect(String(await cache.get('a'))).toBe('1');
      expect(events.filter((event) => event.startsWith('lost'))).toHaveLength(1);
      expect(events.at(-1)).toBe('back');
    });

    test('who listens is told of a gap: when the connection is lost, and when messages come again', async () => {
      const own = await processes.single();
      const servers: RedisServers = { mode: 'single', host, port: own.port, db: 0 };
      const { cache } = await opened(servers);
      const seen: string[] = [];
      await cache.subscribe('c', { message: (text) => seen.push(text), gap: (state) => seen.push(state) });
      await cache.publish('c', 'one');
      await expect.poll(() => seen).toEqual(['one']);
      await own.kill();
      await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['one', 'deaf']);
      await own.start();
      await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['one', 'deaf', 'hearing']);
      await cache.publish('c', 'two');
      await expect.poll(() => seen).toEqual(['one', 'deaf', 'hearing', 'two']);
    });

    test('a server that is silent is a gap and an error, not a hanging call; its locks are lost before they are anybody’s', async () => {
      const own = await processes.single();
      const servers: RedisServers = { mode: 'single', host, port: own.port, db: 0 };
      const { cache } = await opened(servers, 'silent');
      const states: string[] = [];
      await cache.subscribe('c', { message: () => undefined, gap: (state) => states.push(state) });
      const lock = await cache.lock('l', { leaseMs: 1000 });
      own.pause();
      await expect(cache.get('a')).rejects.toMatchObject({ kind: 'unavailable' });
      await expect.poll(() => lock?.lost.aborted, { timeout: 10_000 }).toBe(true);
      await expect.poll(() => states, { timeout: 15_000 }).toEqual(['deaf']);
      own.resume();
      await expect.poll(() => states, { timeout: 15_000 }).toEqual(['deaf', 'hearing']);
      await cache.set('a', '1', 60_000);
    });

    test('a subscription made while the server is away begins with a gap', async () => {
      const own = await processes.single();
      await own.kill();
      const { cache } = await opened({ mode: 'single', host, port: own.port, db: 0 });
      const seen: string[] = [];
      await cache.subscribe('c', { message: (text) => seen.push(text), gap: (state) => seen.push(state) });
      expect(seen).toEqual(['deaf']);
      await own.start();
      await expect.poll(() => seen, { timeout: 10_000 }).toEqual(['deaf', 'hearing']);
    });

    describe('TLS', () => {
      const folder = mkdtempSync(join(tmpdir(), 'redis-tls-'));
      const secure = new RedisProcesses();
      afterAll(async () => {
        await secure.close();
        rmSync(folder, { recursive: true });
      });
      const pem = (name: string) => readFileSync(join(folder, name), 'utf8');
      let servers: { readonly mode: 'single'; readonly host: string; readonly port: number; readonly db: number };

      beforeAll(async () => {
        makeCertificates(folder);
        const files = ['cert-file', 'server.crt', 'key-file', 'server.key', 'ca-cert-file', 'ca.crt'];
        const options = files.map((word, n) => (n % 2 === 0 ? `--tls-${word}` : join(folder, word)));
        const tls = ['--tls', '--cacert', join(folder, 'ca.crt'), '--cert', join(folder, 'server.crt')];
        const started = await secure.single(
          ['--port', '0', ...options, '--tls-auth-clients', 'yes'],
          [...tls, '--key', join(folder, 'server.key')],
          '--tls-port',
        );
        servers = { mode: 'single', host: 'localhost', port: started.port, db: 0 };
      });

      test('the authority is checked, and a certificate of our own is shown', async () => {
        const own = { cert: pem('server.crt'), key: pem('server.key') };
        const { cache } = await opened({ ...servers, tls: { ca: pem('ca.crt'), ...own, verify: true } });
        await cache.set('a', '1', 60_000);
        const unchecked = await opened({ ...servers, tls: { ...own, verify: false } });
        await unchecked.cache.set('a', '1', 60_000);
      });

      test.each([
        [
          'an authority that is not known',
          (own: object) => ({ ...servers, tls: { ...own, verify: true } }),
          /certificate/,
        ],
        ['no certificate of our own', () => ({ ...servers, tls: { ca: pem('ca.crt'), verify: true } }), /.+/],
        [
          'another name than that of the certificate',
          (own: object) => ({ ...servers, host: '127.0.0.2', tls: { ca: pem('ca.crt'), ...own, verify: true } }),
          /altnames|127\.0\.0\.2/,
        ],
        ['no TLS', () => servers, /.+/],
      ] as const)('%s is refused, with a cause', async (_what, of, cause) => {
        const { cache } = await opened(of({ cert: pem('server.crt'), key: pem('server.key') }));
        await expect(cache.get('a')).rejects.toMatchObject({ kind: 'unavailable' });
        expect(cache.problem()).toMatch(cause);
      });
    });

    describe('Sentinel', () => {
      const trio = new RedisProcesses();
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
        await master.kill();
        const tries = { timeout: 30_000, interval: 100 };
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
      const nodes = new RedisProcesses();
      let servers: RedisServers;
      beforeAll(async () => {
        const started = await nodes.cluster();
        servers = { mode: 'cluster', nodes: started.map(({ port }) => ({ host, port })) };
      });
      afterAll(() => nodes.close());

      cacheConformance('Redis Cluster', async () => (await open(servers)).cache);
    });
  },
);

/** An authority and a certificate for `localhost` and 127.0.0.1 that serves both sides. */
function makeCertificates(folder: string): void {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  openssl('req', '-x509', ...key, '-days', '2', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=test-ca');
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server');
  writeFileSync(
    join(folder, 'server.ext'),
    'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  const sign = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'server.ext'];
  openssl('x509', '-req', '-in', 'server.csr', ...sign, '-out', 'server.crt');
}
