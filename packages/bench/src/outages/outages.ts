/** Every outage. A new one is a row here. */
import { globSync } from 'node:fs';
import { DaemonUnreachableError } from '@plugin-daemon/client';
import { networkMissing } from '@plugin-daemon/services';
import { type DaemonClient, delay, type InstallTask } from '../daemon/index.ts';
import { benchPackage } from '../plugin/package.ts';
import type { Outage, Scene } from './outage.ts';
import { STEADY } from './steady.ts';

const [faketime] = globSync('/usr/lib/*/faketime/libfaketime.so.1');
const OTHER_TENANT = '00000000-0000-4000-8000-000000000002';
const wait = ({ seconds }: Scene): Promise<void> => delay(seconds * 1000);

async function paused(scene: Scene, index: number, ms: number): Promise<void> {
  const { pid } = scene.deployment.node(index);
  process.kill(pid, 'SIGSTOP');
  try {
    await delay(ms);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

export const outages: readonly Outage[] = [
  {
    name: 'redis-stopped',
    title: 'Redis is killed, and comes back empty',
    async run(scene) {
      await scene.deployment.redis.process.kill();
      await wait(scene);
      await scene.deployment.redis.process.start();
      return undefined;
    },
  },
  {
    name: 'redis-silent',
    title: 'Redis answers nothing (SIGSTOP)',
    async run(scene) {
      scene.deployment.redis.process.pause();
      await wait(scene);
      scene.deployment.redis.process.resume();
      return undefined;
    },
  },
  {
    name: 'redis-flushed',
    title: 'Redis is flushed, three times',
    async run({ deployment }) {
      for (let n = 0; n < 3; n++) {
        await deployment.redis.cli('flushall');
        await delay(3000);
      }
      return undefined;
    },
  },
  {
    name: 'sentinel',
    title: "Redis's master is killed, Sentinel makes another",
    deployment: { sentinel: true },
    async run(scene) {
      await scene.deployment.redis.process.kill();
      await wait(scene);
      return undefined;
    },
  },
  {
    name: 'node-killed',
    title: 'the node that runs the plugin is killed, and started again',
    mayFail: 'calls that it had begun, and that came in there',
    async run(scene) {
      const node = scene.deployment.node(0);
      await node.stop('SIGKILL');
      await delay(scene.seconds * 500);
      await node.start();
      return undefined;
    },
  },
  {
    name: 'node-stopped',
    title: 'the node that runs the plugin is stopped for 20 s (SIGSTOP) and continued',
    async run(scene) {
      await paused(scene, 0, 20_000);
      await delay(2000);
      const told = scene.deployment.node(0).logTail(500).includes('this process was stopped for a while');
      return told ? 'it noticed that its lease was over' : 'its log says nothing of a lease that was over';
    },
  },
  {
    name: 'installers-killed',
    title: 'two nodes are asked for the same plugin by two tenants, and the third is killed meanwhile',
    mayFail: 'calls that the killed node had begun, and that came in there',
    async run(scene) {
      const packed = benchPackage({ category: 'tool', name: 'twice', padding: 1 << 20 });
      const { unique_identifier } = await scene.client(1).upload(packed);
      const clients = [scene.client(1), scene.client(2, OTHER_TENANT)];
      const tasks = await Promise.all(clients.map((client) => begin(client, unique_identifier)));
      await scene.deployment.node(0).stop('SIGKILL');
      for (const [n, client] of clients.entries()) await done(client, tasks[n] ?? '');
      await scene.deployment.node(0).start();
      return 'both tasks succeeded';
    },
  },
  {
    name: 'rolling-restart',
    title: 'three nodes are restarted one after another, with upgrades going on',
    async run({ deployment, client, say }) {
      let [over, upgrades] = [false, 0];
      const upgrading = (async () => {
        for (let n = 2; !over; n++) {
          await upgrade(
            deployment.nodes.map((_, index) => client(index)),
            n,
          );
          upgrades++;
          await delay(500);
        }
      })();
      // A fault of it must not end the restarts half-way.
      const outcome = upgrading.then(
        () => undefined,
        (error: unknown) => `upgrades ended with: ${String(error)}`,
      );
      for (const [index, node] of deployment.nodes.entries()) {
        await node.stop();
        await node.start();
        await deployment.complete();
        say(`node ${index} was restarted, ${upgrades} upgrades so far`);
      }
      over = true;
      return (await outcome) ?? `${upgrades} upgrades`;
    },
  },
  {
    name: 'scale',
    title: 'from one node to three and back',
    nodes: 1,
    async run(scene) {
      const { deployment } = scene;
      for (let n = 0; n < 2; n++) await deployment.add();
      await deployment.complete();
      await delay(scene.seconds * 300);
      while (deployment.nodes.length > 1) await deployment.stop(deployment.node(deployment.nodes.length - 1));
      return undefined;
    },
  },
  {
    name: 'clocks',
    title: 'the clock of one of three nodes is a minute late',
    nodes: 2,
    missing: () => (faketime === undefined ? 'needs libfaketime (apt install libfaketime)' : undefined),
    async run(scene) {
      const late = ['env', `LD_PRELOAD=${faketime}`, 'FAKETIME=-60s', 'FAKETIME_DONT_FAKE_MONOTONIC=1'];
      await scene.deployment.add({}, { through: late });
      await scene.deployment.complete();
      await wait(scene);
      return undefined;
    },
  },
  {
    name: 'nodes-cut',
    title: 'the network between two nodes is black-holed, both reach Redis',
    network: true,
    missing: networkMissing,
    mayFail: 'calls that were on their way between the two',
    async run(scene) {
      scene.cut(1, 0);
      await wait(scene);
      scene.mend(1);
      return undefined;
    },
  },
  {
    name: 'redis-cut',
    title: 'one node does not reach Redis, the nodes reach each other',
    network: true,
    missing: networkMissing,
    async run(scene) {
      scene.cut(1, 'redis');
      await wait(scene);
      scene.mend(1);
      return undefined;
    },
  },
];

/** Starts an installation. @returns its task */
async function begin(client: DaemonClient, identifier: string): Promise<string> {
  const { task_id } = await client.call<{ task_id: string }>('POST', '/management/install/identifiers', {
    plugin_unique_identifiers: [identifier],
    source: 'package',
    metas: [{}],
  });
  return task_id;
}

/** @throws when the task failed */
async function done(client: DaemonClient, id: string): Promise<void> {
  for (;;) {
    const { status, plugins } = await client.call<InstallTask>('GET', `/management/install/tasks/${id}`);
    if (status === 'success') return;
    if (status === 'failed') throw new Error(plugins.map(({ message }) => message).join('; '));
    await delay(100);
  }
}

/** Upgrades the plugin that is called to a version of its own; whichever node answers. */
async function upgrade(clients: readonly DaemonClient[], version: number): Promise<void> {
  const young = benchPackage({ category: 'tool', name: STEADY, version: `0.0.${version}` });
  const task = await anyOf(clients, async (client) => {
    const { unique_identifier } = await client.upload(young);
    const before = (await client.list()).find(({ name }) => name === STEADY)?.plugin_unique_identifier;
    // Done by an attempt whose answer was lost.
    if (before === unique_identifier) return undefined;
    const { task_id } = await client.call<{ task_id: string }>('POST', '/management/install/upgrade', {
      original_plugin_unique_identifier: before,
      new_plugin_unique_identifier: unique_identifier,
      source: 'package',
      meta: {},
    });
    return task_id;
  });
  if (task !== undefined) await anyOf(clients, (client) => done(client, task));
}

const PATIENCE_MS = 60_000;

/** Tried at one after another: a node that is being restarted refuses connections, to every client. */
async function anyOf<T>(clients: readonly DaemonClient[], work: (client: DaemonClient) => Promise<T>): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (let n = 0; ; n++) {
    const client = clients[n % clients.length];
    if (client === undefined) throw new Error('there is no node');
    try {
      return await work(client);
    } catch (error) {
      if (!(error instanceof DaemonUnreachableError) || performance.now() > until) throw error;
      await delay(200);
    }
  }
}
