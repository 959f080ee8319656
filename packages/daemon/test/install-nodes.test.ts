/** Several daemons on one database, one Redis and one storage: what is installed by whom when nodes die, pause, and are asked at once. */
import { chmodSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missing, type RedisServer, RedisServers, RunningServices, skipReason } from '@plugin-daemon/services';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestPlugin } from '../src/runtimes/debugging/test-plugin.ts';
import { eventually, ONE, OTHER, type Settings, TestDaemon, temporaryDirectory } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

/** Nodes that start, die and start again take their time on a busy machine. */
const PATIENCE_MS = 240_000;
const needed = ['postgresql', 'redis'] as const;
const lacking = needed.filter((name) => missing(name).length > 0);

interface Task {
  readonly status: string;
  readonly plugins: readonly { readonly status: string; readonly message: string }[];
}

describe.skipIf(lacking.length > 0)(
  lacking.map(skipReason).join('; ') || 'nodes that install',
  { timeout: PATIENCE_MS },
  () => {
    const redisServers = new RedisServers();
    let services: RunningServices;
    let redis: RedisServer;
    let databases = 0;
    const nodes: TestDaemon[] = [];
    const shared = temporaryDirectory();

    beforeAll(async () => {
      chmodSync(shared.path, 0o755);
      services = await RunningServices.start(['postgresql']);
      redis = await redisServers.single();
    });
    afterEach(async () => {
      await Promise.all(nodes.splice(0).map((node) => node.close()));
    });
    afterAll(async () => {
      await services?.close();
      await redisServers.close();
      shared[Symbol.dispose]();
    });

    /** Settings of a deployment of its own. */
    function deployment(): Settings {
      const url = new URL(services.environment['TEST_POSTGRESQL_URL'] ?? '');
      const name = `deployment_${++databases}`;
      return {
        DB_TYPE: 'postgresql',
        DB_HOST: url.hostname,
        DB_PORT: url.port,
        DB_USERNAME: url.username,
        DB_PASSWORD: url.password,
        DB_DATABASE: name,
        REDIS_HOST: '127.0.0.1',
        REDIS_PORT: String(redis.port),
        REDIS_KEY_PREFIX: name,
        PLUGIN_STORAGE_LOCAL_ROOT: join(shared.path, name),
        // Where the gates are.
        PLUGIN_READABLE_PATHS: shared.path,
      };
    }

    async function start(settings: Settings, count = 2): Promise<TestDaemon[]> {
      const started: TestDaemon[] = [];
      for (let n = 0; n < count; n++) {
        const node = await TestDaemon.start({ settings });
        nodes.push(node);
        started.push(node);
      }
      return started;
    }

    const taskOf = async (node: TestDaemon, id: string, tenant = ONE): Promise<Task> =>
      JSON.parse((await node.answer('GET', `/plugin/${tenant}/management/install/tasks/${id}`)).text).data;
    const succeeded = (node: TestDaemon, id: string, tenant = ONE) =>
      eventually(`the task ${id} succeeds`, async () => {
        const task = await taskOf(node, id, tenant);
        if (task.status === 'failed') throw new Error(JSON.stringify(task.plugins.map((item) => item.message)));
        return task.status === 'success' ? task : undefined;
      });

    interface Gated {
      readonly identifier: string;
      /** Lets its processes become ready. */
      open(): void;
    }

    /** Uploads a plugin that does not become ready before its gate is opened. */
    async function gated(node: TestDaemon, name: string): Promise<Gated> {
      const file = join(shared.path, `gate-${++databases}`);
      const { unique_identifier } = await node.client().upload(rudePackage(name, { start: 'gate', file }));
      return { identifier: unique_identifier, open: () => writeFileSync(file, '') };
    }

    /** The node that works on an installation: a process of the plugin waits there. */
    const working = (among: readonly TestDaemon[]) =>
      eventually('a node works on it', () => among.find((node) => node.processes().length > 0));
    const otherThan = (nodes: readonly TestDaemon[], node: TestDaemon): TestDaemon => {
      const other = nodes.find((each) => each !== node);
      if (other === undefined) throw new Error('there is no other node');
      return other;
    };
    const echoes = async (node: TestDaemon, name: string, tenant = ONE) =>
      expect((await node.call(name, 'echo', { tenant, parameters: { text: 'x' } })).texts).toEqual(['x']);
    const doneJobs = async (among: readonly TestDaemon[]) => {
      const counts = await Promise.all(
        among.map((node) => node.metric('jobs_total', { kind: 'install', outcome: 'done' })),
      );
      return counts.reduce((sum, each) => sum + each, 0);
    };

    test('the same plugin asked for on two nodes at once is one job, and the task of each caller goes on', async () => {
      const pair = await start(deployment());
      const [one, two] = [pair[0], pair[1]] as [TestDaemon, TestDaemon];
      const plugin = await gated(one, 'twice');
      const ids = await Promise.all([one.beginInstall(plugin.identifier), two.beginInstall(plugin.identifier, OTHER)]);
      const node = await working(pair);
      // Progress of the one job shows in both tasks.
      for (const [id, tenant] of [[ids[0], ONE] as const, [ids[1], OTHER] as const]) {
        await eventually(
          'the task shows the step',
          async () =>
            (await taskOf(two, id, tenant)).plugins[0]?.message.includes('waiting for plugin to be ready') || undefined,
        );
      }
      // The same tenant that asks the other node is given the task that there is.
      expect(await two.beginInstall(plugin.identifier)).toBe(ids[0]);
      expect(otherThan(pair, node).processes()).toEqual([]);
      plugin.open();
      await Promise.all([succeeded(two, ids[0]), succeeded(one, ids[1], OTHER)]);
      await eventually('the job is counted', async () => (await doneJobs(pair)) === 1 || undefined);
      await echoes(one, 'twice', OTHER);
      await echoes(two, 'twice');
    });

    test('the installation of a node that is killed goes on at another one, in the same task', async () => {
      const pair = await start(deployment());
      const [one] = pair as [TestDaemon];
      const plugin = await gated(one, 'orphan');
      const id = await one.beginInstall(plugin.identifier);
      const victim = await working(pair);
      const survivor = otherThan(pair, victim);
      await victim.process.stop('SIGKILL');
      await eventually('the other node works on it', () => survivor.processes().length > 0 || undefined);
      expect((await taskOf(survivor, id)).status).toBe('running');
      plugin.open();
      expect((await succeeded(survivor, id)).plugins).toMatchObject([{ status: 'success', message: 'installed' }]);
      await echoes(survivor, 'orphan');
      expect(survivor.log).toContain('an installation goes on here');
    });

    test('the installation of a node that stops goes on at another one at once', async () => {
      const pair = await start(deployment());
      const [one] = pair as [TestDaemon];
      const plugin = await gated(one, 'handed');
      const id = await one.beginInstall(plugin.identifier);
      const leaving = await working(pair);
      const survivor = otherThan(pair, leaving);
      await leaving.process.stop('SIGTERM');
      await eventually('the other node works on it', () => survivor.processes().length > 0 || undefined);
      plugin.open();
      await succeeded(survivor, id);
      await echoes(survivor, 'handed');
      expect(survivor.log).not.toContain('the node that worked on it is gone');
    });

    test('a node that was paused finds that its job is another one’s, and writes nothing', async () => {
      const pair = await start(deployment());
      const [one] = pair as [TestDaemon];
      const plugin = await gated(one, 'paused');
      const id = await one.beginInstall(plugin.identifier);
      const paused = await working(pair);
      const survivor = otherThan(pair, paused);
      process.kill(paused.process.pid, 'SIGSTOP');
      try {
        await eventually('the other node works on it', () => survivor.processes().length > 0 || undefined);
        // Both become ready: whoever may write is decided by the lease.
        plugin.open();
        await succeeded(survivor, id);
      } finally {
        process.kill(paused.process.pid, 'SIGCONT');
      }
      await paused.logged('another node has taken this installation over');
      expect(await taskOf(paused, id)).toMatchObject({ status: 'success', plugins: [{ message: 'installed' }] });
      expect(paused.log).not.toContain('install job done');
      await echoes(paused, 'paused');
    });

    test('Redis may be flushed and may go in the middle: the installation goes on, and what is asked for meanwhile is done', async () => {
      const own = await redisServers.single();
      const pair = await start({ ...deployment(), REDIS_PORT: String(own.port) });
      const [one, two] = [pair[0], pair[1]] as [TestDaemon, TestDaemon];
      const plugin = await gated(one, 'flushed');
      const first = await one.beginInstall(plugin.identifier);
      const node = await working(pair);
      await own.cli('flushall');
      await own.process.kill();
      const { unique_identifier: another } = await two.client().upload(rudePackage('meanwhile'));
      const second = await two.beginInstall(another);
      await succeeded(two, second);
      plugin.open();
      await succeeded(one, first);
      expect(otherThan(pair, node).log).not.toContain('an installation goes on here');
      await own.process.start();
      const { unique_identifier: next } = await one.client().upload(rudePackage('afterwards'));
      await succeeded(one, await one.beginInstall(next));
    });

    test('jobs that were lost with Redis before anybody took them are asked for again', async () => {
      const settings = deployment();
      const [only] = (await start(settings, 1)) as [TestDaemon];
      const { identifier, open } = await gated(only, 'lost');
      const id = await only.beginInstall(identifier);
      await working([only]);
      // Its node goes, and what Redis knew of it as well.
      await only.process.stop('SIGKILL');
      await redis.cli('flushall');
      const [next] = (await start(settings, 1)) as [TestDaemon];
      await eventually('the next node works on it', () => next.processes().length > 0 || undefined);
      open();
      await succeeded(next, id);
    });

    test('an installation that ends every node that works on it is failed, with what to do', async () => {
      const settings = deployment();
      const [node] = (await start(settings, 1)) as [TestDaemon];
      const { identifier } = await gated(node, 'poison');
      const id = await node.beginInstall(identifier);
      for (let attempt = 1; attempt <= 3; attempt++) {
        await eventually(`attempt ${attempt}`, () => node.processes().length > 0 || undefined);
        await node.process.stop('SIGKILL');
        await eventually('its processes are gone', () => node.processes().length === 0 || undefined);
        await node.process.start();
      }
      const task = await eventually('the task is failed', async () => {
        const found = await taskOf(node, id);
        return found.status === 'failed' ? found : undefined;
      });
      expect(task.plugins[0]?.message).toContain('begun 3 times');
      await node.install(rudePackage('healthy'));
    });

    test('an installation is acknowledged when as many nodes are ready as are asked for', async () => {
      const pair = await start({ ...deployment(), INSTALL_READY_NODES: '5' });
      const [one, two] = [pair[0], pair[1]] as [TestDaemon, TestDaemon];
      const plugin = await gated(one, 'everywhere');
      const id = await one.beginInstall(plugin.identifier);
      await working(pair);
      plugin.open();
      await succeeded(two, id);
      // Both were ready before: there are no more than two.
      for (const node of pair) expect(node.processes().length).toBeGreaterThan(0);
    });

    test('whoever does the installing, a plugin is built where it is pinned, and nowhere else', async () => {
      const settings = { ...deployment(), PLACEMENT_RULE: 'pinned', PLACEMENT_PINS: 'tests/pin0=big,tests/pin1=big' };
      const [small] = (await start({ ...settings, NODE_NAME: 'small' }, 1)) as [TestDaemon];
      // Nobody else is there to do it yet: it is asked for, and says what it waits for.
      const { unique_identifier: first } = await small.client().upload(rudePackage('pin0'));
      const waiting = await small.beginInstall(first);
      await eventually(
        'the task says what it waits for',
        async () => (await taskOf(small, waiting)).plugins[0]?.message.includes('PLACEMENT_PINS') || undefined,
      );
      const [big] = (await start({ ...settings, NODE_NAME: 'big' }, 1)) as [TestDaemon];
      await succeeded(small, waiting);
      await succeeded(small, await small.beginInstall(first, OTHER), OTHER);
      const { unique_identifier: second } = await big.client().upload(rudePackage('pin1'));
      await succeeded(small, await small.beginInstall(second));
      expect(small.processes()).toEqual([]);
      expect(big.processes().length).toBeGreaterThan(1);
      for (const node of [small, big]) for (const name of ['pin0', 'pin1']) await echoes(node, name);
      expect(small.processes()).toEqual([]);
    });

    test('placed by demand, a version that one tenant has is not started again elsewhere for the next', async () => {
      const trio = await start({ ...deployment(), PLACEMENT_RULE: 'demand' }, 3);
      const [one] = trio as [TestDaemon];
      const identifier = await one.install(rudePackage('once'));
      const running = () => trio.filter((node) => node.processes().length > 0);
      expect(running()).toHaveLength(1);
      for (const [at, node] of trio.entries()) {
        const tenant = `00000000-0000-4000-8000-0000000001${at}0`;
        await succeeded(node, await node.beginInstall(identifier, tenant), tenant);
        await echoes(node, 'once', tenant);
      }
      expect(running()).toHaveLength(1);
    });

    test('a node that cannot build what it is asked for says why, in the task of whoever asked', async () => {
      const settings = { ...deployment(), PLACEMENT_RULE: 'pinned', PLACEMENT_PINS: '*=broken' };
      const [small] = (await start({ ...settings, NODE_NAME: 'small' }, 1)) as [TestDaemon];
      const [broken] = (await start({ ...settings, NODE_NAME: 'broken' }, 1)) as [TestDaemon];
      const { unique_identifier } = await small.client().upload(rudePackage('unlucky', { start: 'exit' }));
      const id = await small.beginInstall(unique_identifier);
      const task = await eventually('the task is failed', async () => {
        const found = await taskOf(small, id);
        return found.status === 'failed' ? found : undefined;
      });
      expect(task.plugins[0]?.message).toMatch(
        /failed to launch plugin: it cannot run where it belongs: broken: .*the module cannot be imported/s,
      );
      await broken.logged('a version that another node installs cannot run here');
      await eventually('nothing runs', () => [...small.processes(), ...broken.processes()].length === 0 || undefined);
    });

    test('what a killed node leaves of a debugging connection is removed by another', async () => {
      const pair = await start(deployment());
      const [one, two] = [pair[0], pair[1]] as [TestDaemon, TestDaemon];
      const { key } = JSON.parse((await one.answer('POST', `/plugin/${ONE}/debugging/key`)).text).data;
      await TestPlugin.register(one.process.debuggingPort, key);
      const listed = async () => (await two.client().list()).map(({ plugin_id }) => plugin_id);
      await eventually('it is installed', async () => (await listed()).includes('acme/search') || undefined);
      await one.process.stop('SIGKILL');
      // Its lease has half a minute to run out.
      await eventually('its row is removed', async () => (await listed()).length === 0 || undefined, 120_000);
      expect(two.log).toContain('removing a leftover of debugging');
    });

    test('an upgrade is seen by every node, and the old version stops on all of them', async () => {
      const pair = await start(deployment());
      const [one, two] = [pair[0], pair[1]] as [TestDaemon, TestDaemon];
      const old = await one.install(rudePackage('upgraded'));
      await echoes(one, 'upgraded');
      await echoes(two, 'upgraded');
      const { unique_identifier: young } = await one.client().upload(rudePackage('upgraded', { young: true }));
      const { task_id } = await one.client().call<{ task_id: string }>('POST', '/management/install/upgrade', {
        original_plugin_unique_identifier: old,
        new_plugin_unique_identifier: young,
        source: 'package',
        meta: {},
      });
      await succeeded(two, task_id);
      const [gone] = old.split('@').slice(1);
      for (const node of pair) {
        await eventually('the old version stops', () => {
          const folders = node.processes().map((pid) => readlinkSync(`/proc/${pid}/cwd`));
          return folders.every((folder) => !folder.includes(gone ?? '')) || undefined;
        });
      }
      await echoes(two, 'upgraded');
    });
  },
);
