/** Several workers behind one port, with everything in one data directory: any of them answers any request, and each may die. */
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TestPlugin } from '../src/runtimes/debugging/test-plugin.ts';
import { type EventStream, eventually, ONE, OTHER, processesBelow, runToEnd, TestDaemon } from './harness.ts';
import { hookPackage, manifest, rudePackage, yaml } from './plugins/package.ts';

const COUNT = 2;
/** So many connections that each worker gets some of them. */
const MANY = 24;
const many = <T>(work: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: MANY }, (_, index) => work(index)));
/** The same, a few at a time: so little is no reason to run a plugin twice. */
async function few<T>(work: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < MANY) results.push(...(await Promise.all(Array.from({ length: 4 }, work))));
  return results;
}

const start = async (settings: Record<string, string> = {}): Promise<TestDaemon> => {
  const daemon = await TestDaemon.start({ settings: { WORKERS: String(COUNT), ...settings } });
  await daemon.logged(`workers=${COUNT}`);
  return daemon;
};

/** The process of each worker that serves now, as the log says. */
function workers(daemon: TestDaemon): ReadonlyMap<number, number> {
  const lines = daemon.log.matchAll(/this worker serves worker=(\d+) pid=(\d+)/g);
  return new Map([...lines].map(([, worker, pid]) => [Number(worker), Number(pid)]));
}

/** Which workers have answered requests, as the log says. */
const answering = (daemon: TestDaemon): readonly number[] => {
  const lines = daemon.process.logTail(100_000).matchAll(/HTTP request worker=(\d+) .* path=\/plugin/g);
  return [...new Set([...lines].map(([, worker]) => Number(worker)))].toSorted();
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Whether a process was started by another one, or by one that that one started. */
function descends(pid: number, from: number): boolean {
  for (let at = pid; at > 1; ) {
    if (at === from) return true;
    try {
      const stat = readFileSync(`/proc/${at}/stat`, 'latin1');
      at = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      // Ended meanwhile.
      return false;
    }
  }
  return false;
}

const echo = async (daemon: TestDaemon, plugin: string): Promise<readonly string[]> =>
  (await daemon.call(plugin, 'echo', { parameters: { text: 'there' } })).texts;

describe('two workers on SQLite, without Redis', () => {
  let daemon: TestDaemon;
  beforeAll(async () => {
    daemon = await start({ ADMIN_API_ENABLED: 'false' });
    await daemon.install(rudePackage('shared'));
  }, 240_000);
  afterAll(() => daemon?.close());

  test('a plugin runs in one of them, and calls that come to any of them reach it', async () => {
    const pids = await few(async () => (await daemon.call('shared', 'pid')).texts[0]);
    expect(new Set(pids).size).toBe(1);
    expect(daemon.processes()).toHaveLength(1);
    expect(answering(daemon)).toEqual([1, 2]);
    expect(await daemon.metric('forwarded_calls_total', { outcome: 'answered' })).toBeGreaterThan(0);
  });

  test('what is asked of the daemon is answered for all workers', async () => {
    const endless = { parameters: { count: 100_000, seconds: 0.05 } };
    const streams = await many(() => daemon.open('shared', 'drip', endless));
    for (const stream of streams) await stream.text(0);
    const whole = [
      /^active_sessions_total 24$/m,
      /^workers 2$/m,
      /^cluster_nodes 2$/m,
      /^active_plugins_total\{runtime_type="local"\} 1$/m,
    ];
    // A worker that does not answer in time is left out of a page: on a busy machine one may be.
    const pages = await eventually('every page is whole', async () => {
      const all = await many(() => daemon.metrics());
      return all.every((page) => whole.every((line) => line.test(page))) ? all : undefined;
    });
    for (const page of pages) expect(page.match(/^plugin_runtime_status\{.*shared.*\} 1$/gm)).toHaveLength(1);
    await eventually('the figures are those of all workers', async () => {
      const health = JSON.parse((await daemon.answer('GET', '/health/check')).text);
      return health.pool_status.busy === MANY || undefined;
    });
    for (const stream of streams) stream.leave();
    await daemon.expectIdle();
  });

  test('a call is ended by its session through any of them', async () => {
    const streams = await Promise.all(
      Array.from({ length: 6 }, () => daemon.open('shared', 'drip', { parameters: { count: 1000, seconds: 0.05 } })),
    );
    for (const stream of streams) {
      const session = await stream.text(0);
      expect((await daemon.answer('DELETE', `/plugin/${ONE}/sessions/${session}`)).status).toBe(200);
      await stream.done;
    }
    await daemon.expectIdle();
  });

  test('what a plugin said is shown by any of them, whichever runs it, and goes on being shown', async () => {
    await daemon.install(rudePackage('talking'));
    const path = `/plugin/${ONE}/management/logs?plugin_id=tests/talking`;
    const say = (line: string) => daemon.call('talking', 'say', { parameters: { line } });
    await say('said first');
    await eventually('all show it', async () => {
      const shown = await few(() => daemon.answer('GET', `${path}&lines=20`));
      return shown.every(({ text }) => text.split('said first').length === 2) || undefined;
    });
    const following = await Promise.all(Array.from({ length: 6 }, () => daemon.request('GET', `${path}&follow=true`)));
    const heard = following.map((response) => {
      const text = { of: '' };
      response.setEncoding('utf8').on('data', (part: string) => {
        text.of += part;
      });
      response.on('error', () => undefined);
      return text;
    });
    // More at once than one of them bears: the other one may run it too, and what it says there is heard as well.
    await many((index) => say(`said then ${index};`));
    await eventually(
      'all hear everything',
      async () =>
        heard.every(({ of }) =>
          Array.from({ length: MANY }, (_, index) => of.includes(`said then ${index};`)).every(Boolean),
        ) || undefined,
    );
    for (const response of following) response.destroy();
  });

  test('webhooks are answered by any of them', async () => {
    const identifier = await daemon.install(hookPackage('hooked'));
    const body = { plugin_unique_identifier: identifier, user_id: 'u', settings: {}, name: 'hook' };
    await daemon.client().call('POST', '/endpoint/setup', body);
    const [endpoint] = await daemon.client().call<{ hook_id: string }[]>('GET', '/endpoint/list?page=1&page_size=10');
    const answers = await many(() =>
      daemon.answer('POST', `/e/${endpoint?.hook_id}/seen`, { key: false, body: 'body' }),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });

  test('a plugin that is debugged at one of them is reached through all, and gone everywhere when it leaves', async () => {
    const keys = await many(() => daemon.client(OTHER).call<{ key: string }>('POST', '/debugging/key'));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(1);
    const plugin = await TestPlugin.register(daemon.process.debuggingPort, keys[0]?.key ?? '');
    const [listed] = await eventually('it is installed', async () => {
      const list = await daemon.client(OTHER).list();
      return list.length > 0 ? list : undefined;
    });
    const known = async () => (await daemon.metric('cluster_debugging_plugins')) === 1 || undefined;
    await eventually('the other worker knows', known);
    const call = () =>
      daemon.answer('POST', `/plugin/${OTHER}/dispatch/tool/invoke`, {
        headers: { 'Content-Type': 'application/json', 'X-Plugin-ID': listed?.plugin_id ?? '' },
        body: JSON.stringify({
          user_id: 'u',
          data: { provider: 'search', tool: 'echo', tool_parameters: {}, credentials: {}, credential_type: 'api-key' },
        }),
      });
    const answering = (async () => {
      for (;;) {
        const { session_id: session } = await plugin.hear();
        if (session === undefined) continue;
        const say = (type: string, data: unknown) =>
          plugin.say({ event: 'session', session_id: session, data: { type, data } });
        say('stream', { type: 'text', message: { text: 'heard' }, meta: null });
        say('end', null);
      }
    })();
    // It ends with the connection, by hearing nothing any more.
    answering.catch(() => undefined);
    const answers = await many(call);
    expect(answers.map(({ status, text }) => [status, text.includes('heard')])).toEqual(Array(MANY).fill([200, true]));
    plugin.leave();
    await eventually('it is gone', async () => (await daemon.client(OTHER).list()).length === 0 || undefined);
  });

  /** Whether a process has a working directory of that name. */
  const runs = (directory: string): boolean =>
    daemon.processes().some((pid) => {
      try {
        return readlinkSync(`/proc/${pid}/cwd`).includes(directory);
      } catch {
        // Ended meanwhile.
        return false;
      }
    });

  test('the same plugin installed through all of them at once is one task of work; it is changed and removed everywhere', async () => {
    const { unique_identifier: first } = await daemon.client().upload(rudePackage('changing'));
    await many(() => daemon.beginInstall(first));
    await eventually('it is installed', async () => {
      const texts = await daemon.call('changing', 'echo', { parameters: { text: 'x' } }).then((one) => one.texts);
      return texts.length > 0 || undefined;
    });
    const next = rudePackage('changing', {}, { 'manifest.yaml': yaml({ ...manifest('changing'), version: '0.0.2' }) });
    const { unique_identifier: second } = await daemon.client().upload(next);
    await daemon.client().call('POST', '/management/install/upgrade', {
      original_plugin_unique_identifier: first,
      new_plugin_unique_identifier: second,
      source: 'package',
      meta: {},
    });
    const listed = await eventually('it is upgraded', async () => {
      const all = await Promise.all(Array.from({ length: 4 }, () => daemon.client().list()));
      const rows = all.map((list) => list.find((one) => one.plugin_id === 'tests/changing'));
      return rows.every((row) => row?.plugin_unique_identifier === second) ? rows[0] : undefined;
    });
    expect(await many(() => echo(daemon, 'changing'))).toEqual(Array(MANY).fill(['there']));
    await eventually('the first version ended', () => runs('changing-0.0.1@') === false || undefined);
    await daemon.client().uninstall(listed?.id ?? '');
    const gone = await many(() => daemon.call('changing', 'echo'));
    expect(gone.map(({ status }) => status)).toEqual(Array(MANY).fill(404));
  });

  test('many installations for many tenants through both write one file', async () => {
    const tenants = Array.from(
      { length: MANY },
      (_, n) => `00000000-0000-4000-8000-0000000001${String(n).padStart(2, '0')}`,
    );
    const { unique_identifier: identifier } = await daemon.client().upload(rudePackage('shared'));
    await Promise.all(tenants.map((tenant) => daemon.client(tenant).install(identifier)));
    const lists = await Promise.all(tenants.map((tenant) => daemon.client(tenant).list()));
    expect(lists.map((list) => list.length)).toEqual(tenants.map(() => 1));
  });
});

describe('bad days of workers', () => {
  let daemon: TestDaemon | undefined;
  afterEach(async () => {
    await daemon?.close();
    daemon = undefined;
  });

  test('one that is killed under load is replaced; only its own calls are lost', async () => {
    const running = await start();
    daemon = running;
    await running.install(rudePackage('loaded'));
    let loading = true;
    onTestFinished(() => {
      loading = false;
    });
    let failed = 0;
    let answered = 0;
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        while (loading) {
          const texts = await echo(running, 'loaded').catch(() => undefined);
          if (texts?.[0] === 'there') answered++;
          else failed++;
        }
      }),
    );
    for (const worker of [1, 2]) {
      await eventually('calls are answered', () => answered > 50 || undefined);
      const pid = workers(running).get(worker) ?? 0;
      process.kill(pid, 'SIGKILL');
      await eventually('it is replaced', () => (workers(running).get(worker) !== pid ? true : undefined));
      answered = 0;
    }
    await eventually('calls are answered again', () => answered > 50 || undefined);
    loading = false;
    await load;
    // Those that were open at the killed one: eight at a time are, twice.
    expect(failed).toBeLessThanOrEqual(16);
    expect(await many(() => echo(running, 'loaded'))).toEqual(Array(MANY).fill(['there']));
    expect(await running.metric('worker_restarts')).toBe(2);
    expect(await running.metric('cluster_nodes')).toBe(2);
    expect((await running.answer('GET', '/readyz')).status).toBe(200);
    expect(running.log).toMatch(/a worker died.*worker=1.*SIGKILL/);
  }, 240_000);

  test('an installation goes on in another worker when its own is killed', async () => {
    const running = await start();
    daemon = running;
    const { unique_identifier: identifier } = await running
      .client()
      .upload(rudePackage('slow', { start: 'slow', seconds: 4 }));
    const task = await running.beginInstall(identifier);
    // Its helper is a child of its worker, and so are installers before it.
    const worker = await eventually('it is being started', () =>
      [...workers(running).values()].find((pid) => running.processes().some((plugin) => descends(plugin, pid))),
    );
    process.kill(worker, 'SIGKILL');
    await eventually(
      'the task is done',
      async () => {
        const path = `/management/install/tasks/${task}`;
        // One that is asked at the worker which is dying hears nothing.
        const found = await running
          .client()
          .call<{ status: string }>('GET', path)
          .catch(() => undefined);
        return found?.status === 'success' || undefined;
      },
      120_000,
    );
    expect(await echo(running, 'slow')).toEqual(['there']);
  }, 240_000);

  test('when the primary process is killed everything ends, and the next daemon takes the data over', async () => {
    const running = await start();
    daemon = running;
    await running.install(rudePackage('kept'));
    const pids = [...workers(running).values()];
    await running.process.stop('SIGKILL');
    await eventually('the workers end', () => !pids.some(isAlive) || undefined);
    await eventually('the plugins end', () => processesBelow(running.process.dataDirectory).length === 0 || undefined);
    await running.process.start();
    expect(await echo(running, 'kept')).toEqual(['there']);
  }, 240_000);

  test('SIGTERM lets open calls finish at all workers, whichever runs the plugin, and every process ends', async () => {
    const running = await start();
    daemon = running;
    await running.install(rudePackage('draining'));
    const streams: EventStream[] = await many(() =>
      running.open('draining', 'drip', { parameters: { count: 20, seconds: 0.1 } }),
    );
    for (const stream of streams) await stream.text(0);
    const pids = [...workers(running).values()];
    await running.process.stop('SIGTERM');
    await Promise.all(streams.map(({ done }) => done));
    expect(streams.map(({ texts }) => texts.at(-1))).toEqual(streams.map(() => '19'));
    expect(pids.some(isAlive)).toBe(false);
    expect(processesBelow(running.process.dataDirectory)).toEqual([]);
    // Of a machine without the Python that plugins would rather have, the log may speak.
    expect(running.log).not.toMatch(/ (ERROR|WARN) dify-plugin-daemon (?!environments )/);
  }, 240_000);

  test('what keeps one worker from starting keeps the daemon from starting, and is said', async () => {
    const path = mkdtempSync(join(tmpdir(), 'workers-'));
    try {
      const ended = await runToEnd(
        {
          WORKERS: '2',
          DATA_DIR: path,
          SERVER_PORT: '1',
          SERVER_HOST: '203.0.113.1',
          DIFY_INNER_API_URL: 'http://127.0.0.1:9',
        },
        path,
      );
      expect(ended.code).toBe(1);
      expect(ended.output).toContain('cannot listen on 203.0.113.1:1');
    } finally {
      rmSync(path, { recursive: true, force: true });
    }
  }, 240_000);
});
