/** Database servers that come late, die, hang, and come back, under a daemon that works. */

import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { provided, RunningServices, type ServerProcess, type ServiceName, skipReason } from '@plugin-daemon/services';
import { messageOf } from '@plugin-daemon/values';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { eventually, failureOf, reservePort, type Settings, TestDaemon, temporaryDirectory } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Between one call or install and the next: a minute of them without a pause fills the memory of the test. */
const BETWEEN_MS = 5;

type Server = Extract<ServiceName, 'postgresql' | 'pgbouncer' | 'mariadb' | 'mysql'>;
/** What the daemon speaks to, and what is killed. */
const cases: readonly { readonly name: string; readonly server: Server; readonly killed: Server }[] = [
  { name: 'postgresql', server: 'postgresql', killed: 'postgresql' },
  { name: 'pgbouncer', server: 'pgbouncer', killed: 'pgbouncer' },
  { name: 'postgresql behind pgbouncer', server: 'pgbouncer', killed: 'postgresql' },
  { name: 'mariadb', server: 'mariadb', killed: 'mariadb' },
  { name: 'mysql', server: 'mysql', killed: 'mysql' },
];

const settingsOf = (server: Server, url: string, database: string): Settings => {
  const { hostname, port, username, password } = new URL(url);
  return {
    DB_TYPE: server === 'mariadb' ? 'mysql' : server,
    DB_HOST: hostname,
    DB_PORT: port,
    DB_USERNAME: username,
    DB_PASSWORD: password,
    DB_DATABASE: database,
    DB_CONNECT_TIMEOUT: '1s',
    DB_READ_TIMEOUT: '2s',
    DB_WRITE_TIMEOUT: '2s',
  };
};

describe.each(cases)('$name', ({ server, killed }) => {
  if (provided(server) === undefined) {
    test.skip(skipReason(server), () => undefined);
    return;
  }
  let services: RunningServices;
  /** Of this test alone: it is killed. */
  let victim: ServerProcess;
  let url: string;
  beforeAll(async () => {
    services = await RunningServices.start([server]);
    const [first] = services.get(killed).processes;
    if (first === undefined) throw new Error('no process');
    victim = first;
    url = services.environment[`TEST_${server.toUpperCase()}_URL`] ?? '';
  });
  afterAll(() => services?.close());

  test('that is not up yet is waited for with one line, and readiness says so', async () => {
    await victim.kill();
    using directory = temporaryDirectory();
    const [port, debugging] = [await reservePort(), await reservePort()];
    const child = spawn(process.execPath, [MAIN], {
      cwd: directory.path,
      env: {
        PATH: process.env.PATH,
        SERVER_PORT: String(port),
        PLUGIN_REMOTE_INSTALLING_PORT: String(debugging),
        ...settingsOf(server, url, 'late'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (bytes: Buffer) => {
      output += bytes.toString();
    });
    const ask = async (path: string) => {
      try {
        const response = await fetch(`http://127.0.0.1:${port}${path}`);
        return { status: response.status, body: await response.text() };
      } catch {
        return undefined;
      }
    };
    try {
      const waiting = await eventually('it says that it waits', () => ask('/readyz'));
      expect(waiting).toEqual({
        status: 503,
        body: JSON.stringify({ status: 'not ready', problems: { database: 'waiting for the database' } }),
      });
      expect((await ask('/livez'))?.status).toBe(200);
      expect(failureOf((await ask('/plugin/x/management/list'))?.body ?? '').message).toContain('is starting');
      await eventually('it has tried again', () => ask('/readyz'));
      await victim.start();
      await eventually('it is ready', async () => (await ask('/readyz'))?.status === 200 || undefined);
      expect(output.split('\n').filter((line) => line.includes('waiting for the database'))).toHaveLength(1);
      expect(output).not.toContain('secret');
      // It stops cleanly, whether or not the database is there to hear of it.
      await victim.kill();
    } finally {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    expect(child.exitCode).toBe(0);
  });

  test('that is not up is not waited for after SIGTERM', async () => {
    using directory = temporaryDirectory();
    const port = await reservePort();
    const child = spawn(process.execPath, [MAIN], {
      cwd: directory.path,
      env: { PATH: process.env.PATH, SERVER_PORT: String(port), ...settingsOf(server, url, 'late') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const waits = once(child.stdout, 'data');
    await waits;
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    await victim.start();
  });

  describe('under a daemon that works', () => {
    let daemon: TestDaemon;
    let identifier: string;
    beforeAll(async () => {
      daemon = await TestDaemon.start({ settings: settingsOf(server, url, 'faults') });
      identifier = await daemon.install(rudePackage('rude'));
    }, 240_000);
    afterAll(() => daemon?.close());

    const says = async (text: string) => (await daemon.call('rude', 'echo', { parameters: { text } })).texts;
    const ready = async () => (await daemon.answer('GET', '/readyz')).status === 200;

    /** Calls and installs, one after the other, until it is told to stop. */
    function load() {
      let going = true;
      const seen = { calls: 0, refused: [] as string[], tenants: [] as string[] };
      const call = async () => {
        while (going) {
          expect(await says('hello')).toEqual(['hello']);
          seen.calls++;
          await sleep(BETWEEN_MS);
        }
      };
      const install = async () => {
        while (going) {
          const tenant = randomUUID();
          try {
            await daemon.beginInstall(identifier, tenant);
            seen.tenants.push(tenant);
          } catch (error) {
            seen.refused.push(messageOf(error));
          }
          await sleep(BETWEEN_MS);
        }
      };
      const ended = Promise.all([call(), call(), install(), install()]);
      // A test that fails stops it too; otherwise it would go on beside those after it, and keep what it hears.
      ended.catch(() => undefined);
      onTestFinished(() => {
        going = false;
      });
      return {
        seen,
        stop: async () => {
          going = false;
          await ended;
        },
      };
    }

    /** Every install that was accepted has come to an end, and what it says is so. */
    async function everythingIsKept(tenants: readonly string[]): Promise<void> {
      for (const tenant of tenants) {
        const client = daemon.client(tenant);
        const tasks = await eventually(`the install of ${tenant} has ended`, async () => {
          const all = await client.call<{ status: string; message: string }[]>(
            'GET',
            '/management/install/tasks?page=1&page_size=10',
          );
          return all.length === 1 && all.every(({ status }) => status !== 'running' && status !== 'pending')
            ? all
            : undefined;
        });
        const installed = (await client.list()).length;
        expect(installed).toBe(tasks[0]?.status === 'success' ? 1 : 0);
      }
    }

    test.each(['is killed', 'is stopped', 'hangs'])(
      'a server that %s: calls go on, writes say why not, nothing is lost',
      async (how) => {
        const { seen, stop } = load();
        await eventually('there is load', () => seen.tenants.length > 2 || undefined);
        if (how === 'hangs') victim.pause();
        else if (how === 'is killed') await victim.kill();
        else {
          await victim.stop();
        }
        await eventually('readiness says so', async () => !(await ready()) || undefined);
        await eventually('writes are refused', () => seen.refused.length > 1 || undefined);
        const before = seen.calls;
        await eventually('calls are answered from memory', () => seen.calls > before + 20 || undefined);
        if (how === 'hangs') victim.resume();
        else await victim.start();
        await eventually('it is ready again, by itself', async () => (await ready()) || undefined);
        const accepted = seen.tenants.length;
        await eventually('writes are accepted again', () => seen.tenants.length > accepted + 2 || undefined);
        await stop();

        for (const refusal of seen.refused) {
          expect(refusal).toMatch(/database/);
          expect(refusal).not.toContain('secret');
        }
        expect(
          seen.refused.some((refusal) => /DB_HOST|log of the database server|try again|tries again/.test(refusal)),
        ).toBe(true);
        await everythingIsKept(seen.tenants);
        expect(await says('still')).toEqual(['still']);
      },
    );
  });

  test('two daemons that start at once on a database that is missing both come up, and see the same', async () => {
    const settings = settingsOf(server, url, 'together');
    const both = await Promise.all([TestDaemon.start({ settings }), TestDaemon.start({ settings })]);
    try {
      const [one, two] = both;
      const tenant = randomUUID();
      await one.client(tenant).call('GET', '/management/list?page=1&page_size=10');
      const { unique_identifier } = await one.client(tenant).upload(rudePackage('rude'));
      expect(await two.client(tenant).list()).toEqual([]);
      await one.client(tenant).install(unique_identifier);
      expect(await two.client(tenant).list()).toMatchObject([{ plugin_unique_identifier: unique_identifier }]);
    } finally {
      for (const daemon of both) await daemon.close();
    }
  });
});
