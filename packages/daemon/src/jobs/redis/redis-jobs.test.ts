import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { createTlsFiles, missing, type RedisServer, RedisServers, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { RedisServers as Servers } from '../../cache/index.ts';
import { createLog, silentLog } from '../../telemetry/index.ts';
import { handlers, jobConformance, opened, waiting } from '../conformance.suite.ts';
import type { JobEnd } from '../index.ts';
import { openRedisJobs } from './index.ts';

const host = '127.0.0.1';
let prefixes = 0;
const open =
  (servers: Servers, prefix = `t${++prefixes}`, leavesTo?: () => boolean) =>
  (onEnd: (end: JobEnd) => void) =>
    openRedisJobs({ servers, prefix, leavesTo, lookMs: 20, log: silentLog, concurrency: 2, onEnd });

describe.skipIf(missing('redis').length > 0)(missing('redis').length > 0 ? skipReason('redis') : 'BullMQ', () => {
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

  jobConformance('BullMQ', (onEnd) => open(single)(onEnd));

  test('keys have the prefix and one slot, and stand in the database of the settings', async () => {
    const { jobs } = await opened(open(single, 'acme'));
    jobs.begin(handlers());
    await jobs.add('install', 'one');
    await expect.poll(async () => (await server.cli('-n', '3', 'dbsize')).trim(), waiting).not.toBe('0');
    expect((await server.cli('-n', '0', 'dbsize')).trim()).toBe('0');
    const keys = (await server.cli('-n', '3', 'keys', 'acme*')).trim().split('\n');
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(key).toMatch(/^acme:\{bq\}:/);
  });

  test('two nodes that ask for the same at once have it done once; many jobs are shared between them', async () => {
    const nodes = await Promise.all(['a', 'b'].map(() => opened(open(single, 'shared'))));
    const runs: string[] = [];
    const byNode = nodes.map(() => 0);
    const both = Promise.withResolvers<void>();
    for (const [at, { jobs }] of nodes.entries()) {
      jobs.begin(
        handlers({
          install: {
            run: async (name) => {
              runs.push(name);
              byNode[at] = (byNode[at] ?? 0) + 1;
              // Who takes as many as it may waits for the other one.
              if (byNode.every((count) => count > 0)) both.resolve();
              await both.promise;
            },
          },
        }),
      );
    }
    const names = Array.from({ length: 12 }, (_, i) => `plugin ${i}`);
    await Promise.all(names.flatMap((name) => nodes.map(({ jobs }) => jobs.add('install', name))));
    await expect.poll(() => new Set(runs).size, waiting).toBe(names.length);
    await pause(500);
    expect(runs).toHaveLength(names.length);
    expect(byNode.every((count) => count > 0)).toBe(true);
  });

  test('recurring work is done once for all nodes', async () => {
    const nodes = await Promise.all(['a', 'b', 'c'].map(() => opened(open(single, 'rounds'))));
    let audits = 0;
    let sweeps = 0;
    for (const { jobs } of nodes) {
      jobs.begin(
        handlers({ audit: { run: async () => void audits++ }, 'install-tasks': { run: async () => void sweeps++ } }),
      );
    }
    await expect.poll(() => sweeps, waiting).toBeGreaterThan(1);
    // Three nodes with timers of their own would have done it three times.
    expect(audits).toBe(1);
  });

  test('a job of a node that closes goes on at another one at once', async () => {
    const first = await opened(open(single, 'closing'));
    let began = false;
    first.jobs.begin(
      handlers({
        install: {
          run: async (_name, { signal }) => {
            began = true;
            await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          },
        },
      }),
    );
    await first.jobs.add('install', 'one');
    await expect.poll(() => began, waiting).toBe(true);
    await first.jobs.close();
    expect(first.ends.filter(({ kind }) => kind === 'install')).toEqual([{ kind: 'install', outcome: 'handed-over' }]);
    const done: string[] = [];
    const second = await opened(open(single, 'closing'));
    second.jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await expect.poll(() => done, waiting).toEqual(['one']);
  });

  test('a node that only asks does nothing itself', async () => {
    const front = await opened(open(single, 'front', () => true));
    front.jobs.begin(handlers({ install: { run: async () => expect.fail('it works') } }));
    await front.jobs.add('install', 'one');
    await pause(500);
    expect(await front.jobs.counts()).toEqual({ waiting: 1, active: 0, delayed: 0 });
    const done: string[] = [];
    const runner = await opened(open(single, 'front'));
    runner.jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await expect.poll(() => done, waiting).toEqual(['one']);
  });

  test('a node that only asks does what nobody is there to do', async () => {
    const front = await opened(open(single, 'alone', () => false));
    const done: string[] = [];
    front.jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await front.jobs.add('install', 'one');
    await expect.poll(() => done, waiting).toEqual(['one']);
  });

  test('a node that rests takes nothing new, and what it does goes on', async () => {
    const resting = await opened(open(single, 'rest'));
    const done: string[] = [];
    const { promise: may, resolve: finish } = Promise.withResolvers<void>();
    let began = false;
    resting.jobs.begin(
      handlers({
        install: {
          run: async (name) => {
            began = true;
            await may;
            done.push(`rests: ${name}`);
          },
        },
      }),
    );
    await resting.jobs.add('install', 'one');
    await expect.poll(() => began, waiting).toBe(true);
    resting.jobs.rest();
    await resting.jobs.add('install', 'two');
    const other = await opened(open(single, 'rest'));
    other.jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await expect.poll(() => done, waiting).toEqual(['two']);
    finish();
    await expect.poll(() => done, waiting).toEqual(['two', 'rests: one']);
  });

  test.each([
    ['of another kind', 'uninstall', '{"name":"one"}'],
    ['of the prototype', 'toString', '{"name":"one"}'],
    ['without a name', 'install', '{}'],
    ['with a name that is none', 'install', '{"name":{"a":1}}'],
    ['with an endless name', 'install', `{"name":"${'x'.repeat(5000)}"}`],
    ['with nothing', 'install', 'null'],
    ['of depth', 'install', `${'['.repeat(5000)}${']'.repeat(5000)}`],
  ])('a job %s is dropped, and the others are done', async (what, kind, data) => {
    const prefix = `odd ${what}`;
    const { jobs } = await opened(open(single, prefix));
    const done: string[] = [];
    const key = (rest: string) => `${prefix}:{bq}:work-1:${rest}`;
    const cli = (...args: string[]) => server.cli('-n', '3', ...args);
    await cli(
      'hset',
      key('odd'),
      'name',
      kind,
      'data',
      data,
      'opts',
      '{}',
      'timestamp',
      '1',
      'delay',
      '0',
      'priority',
      '0',
    );
    await cli('lpush', key('wait'), 'odd');
    jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await jobs.add('install', 'good');
    await expect.poll(() => done, waiting).toEqual(['good']);
    await expect.poll(() => jobs.counts(), waiting).toEqual({ waiting: 0, active: 0, delayed: 0 });
  });

  test('a server that is flushed loses jobs and rounds; rounds come back, and jobs when they are asked for again', async () => {
    const own = await processes.single();
    const servers: Servers = { mode: 'single', host, port: own.port, db: 0 };
    const { jobs } = await opened(open(servers));
    let sweeps = 0;
    const done: string[] = [];
    jobs.begin(
      handlers({
        install: { run: async (name) => void done.push(name) },
        'install-tasks': { run: async () => void sweeps++ },
      }),
    );
    await expect.poll(() => sweeps, waiting).toBeGreaterThan(0);
    await own.cli('flushall');
    const before = sweeps;
    await jobs.add('install', 'one');
    await expect.poll(() => done, waiting).toEqual(['one']);
    await expect.poll(() => sweeps, { timeout: 60_000 }).toBeGreaterThan(before + 1);
  }, 240_000);

  test('a server that is away: what runs goes on, what is asked for is done here, and all is well when it is back', async () => {
    const own = await processes.single();
    const servers: Servers = { mode: 'single', host, port: own.port, db: 0 };
    const { jobs } = await opened(open(servers));
    const done: string[] = [];
    const { promise: may, resolve: finish } = Promise.withResolvers<void>();
    let began = false;
    jobs.begin(
      handlers({
        install: {
          run: async (name) => {
            began = true;
            if (name === 'long') await may;
            done.push(name);
          },
        },
      }),
    );
    await jobs.add('install', 'long');
    await expect.poll(() => began, waiting).toBe(true);
    await own.process.kill();
    await jobs.add('install', 'meanwhile');
    await expect.poll(() => done, waiting).toEqual(['meanwhile']);
    await expect(jobs.counts()).rejects.toMatchObject({ kind: 'unavailable' });
    finish();
    await expect.poll(() => done, waiting).toEqual(['meanwhile', 'long']);
    await own.process.start();
    await expect.poll(() => jobs.add('install', 'next').then(() => 'asked', String), waiting).toBe('asked');
    await expect.poll(() => done, waiting).toContain('next');
  }, 240_000);

  test('closing ends although the server is away', async () => {
    const own = await processes.single();
    const jobs = await open({ mode: 'single', host, port: own.port, db: 0 })(() => undefined);
    let rounds = 0;
    jobs.begin(handlers({ audit: { run: async () => void rounds++ } }));
    await expect.poll(() => rounds, waiting).toBe(1);
    await own.process.kill();
    await jobs.close();
  }, 240_000);

  test('a server that may throw jobs away is told of', async () => {
    const own = await processes.single({ configuration: ['--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'] });
    const lines: string[] = [];
    const log = createLog({ level: 'INFO', format: 'json', destination: { write: (line) => void lines.push(line) } });
    const servers: Servers = { mode: 'single', host, port: own.port, db: 0 };
    const { jobs } = await opened(() => openRedisJobs({ servers, prefix: 'evicting', log, concurrency: 1 }));
    jobs.begin(handlers());
    await expect.poll(() => lines.join(''), waiting).toMatch(/allkeys-lru.*maxmemory-policy noeviction/);
  });

  test('TLS with client certificates', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'jobs-tls-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const files = createTlsFiles(directory);
    const own = await processes.single({
      tls: true,
      configuration: [
        ...['--tls-cert-file', files.serverCert, '--tls-key-file', files.serverKey],
        ...['--tls-ca-cert-file', files.ca, '--tls-auth-clients', 'yes'],
      ],
      cli: ['--tls', '--cacert', files.ca, '--cert', files.clientCert, '--key', files.clientKey],
    });
    const pem = (file: string) => readFileSync(file, 'utf8');
    const tls = {
      ca: pem(files.ca),
      cert: pem(files.clientCert),
      key: pem(files.clientKey),
      verify: true,
    };
    const { jobs } = await opened(open({ mode: 'single', host, port: own.port, db: 0, tls }));
    const done: string[] = [];
    jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await jobs.add('install', 'one');
    await expect.poll(() => done, waiting).toEqual(['one']);
  });

  test('Sentinel: jobs are done after another server became the master', async () => {
    const { master, sentinels } = await processes.sentinel('jobs');
    const servers: Servers = {
      mode: 'sentinel',
      db: 0,
      password: 'secret',
      sentinels: sentinels.map(({ port }) => ({ host, port })),
      service: 'jobs',
      sentinelCredentials: {},
    };
    const { jobs } = await opened(open(servers));
    const done: string[] = [];
    jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await jobs.add('install', 'before');
    await expect.poll(() => done, waiting).toEqual(['before']);
    await master.process.kill();
    await jobs.add('install', 'meanwhile');
    await expect.poll(() => done, { timeout: 60_000 }).toContain('meanwhile');
    await expect
      .poll(
        () =>
          jobs.counts().then(
            () => 'answers',
            () => 'is away',
          ),
        { timeout: 60_000 },
      )
      .toBe('answers');
    await jobs.add('install', 'after');
    await expect.poll(() => done, { timeout: 60_000 }).toContain('after');
  }, 240_000);

  test('a Cluster', async () => {
    const nodes = await processes.cluster();
    const servers: Servers = { mode: 'cluster', nodes: nodes.map(({ port }) => ({ host, port })) };
    const { jobs } = await opened(open(servers));
    const done: string[] = [];
    jobs.begin(handlers({ install: { run: async (name) => void done.push(name) } }));
    await expect.poll(() => jobs.add('install', 'one').then(() => 'asked', String), waiting).toBe('asked');
    await expect.poll(() => done, waiting).toEqual(['one']);
  }, 240_000);
});
