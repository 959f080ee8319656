/** Plugins that are installed, changed, changed back, put to sleep, killed and removed over and over: nothing of them stays. CHURN_ROUNDS says how often. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, TestDaemon } from './harness.ts';
import { AUTHOR, manifest, rudePackage, yaml } from './plugins/package.ts';

const ROUNDS = Number(process.env['CHURN_ROUNDS'] ?? 8);
const TABLES = ['plugins', 'plugin_installations', 'plugin_declarations', 'tool_installations', 'plugin_notes'];

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start({ settings: { PLUGIN_IDLE_STOP_SECONDS: '1', PLUGIN_INSTANCES_MAX: '2' } });
}, 240_000);
afterAll(async () => {
  await daemon?.close();
});

const versions = ['0.0.1', '0.0.2'].map((version) =>
  rudePackage('churned', {}, { 'manifest.yaml': yaml({ ...manifest('churned'), version }) }),
);

async function done(answer: { readonly task_id: string }): Promise<void> {
  if (answer.task_id === '') return;
  await eventually('the task is done', async () => {
    const task = await daemon.client().call<{ status: string }>('GET', `/management/install/tasks/${answer.task_id}`);
    if (task.status === 'failed') throw new Error(JSON.stringify(task));
    return task.status === 'success' || undefined;
  });
}

const echo = async (): Promise<void> => {
  const stream = await daemon.call('churned', 'echo', { parameters: { text: 'there' } });
  expect(stream.texts).toEqual(['there']);
};

async function round(): Promise<void> {
  const client = daemon.client();
  const first = await daemon.install(versions[0] ?? Buffer.alloc(0));
  await echo();
  const { unique_identifier: second } = await client.upload(versions[1] ?? Buffer.alloc(0));
  await done(
    await client.call('POST', '/management/install/upgrade', {
      original_plugin_unique_identifier: first,
      new_plugin_unique_identifier: second,
      source: 'package',
      meta: {},
    }),
  );
  for (const pid of daemon.processes()) process.kill(pid, 'SIGKILL');
  await echo();
  await done(await client.call('POST', '/management/install/rollback', { plugin_id: `${AUTHOR}/churned` }));
  await Promise.all(Array.from({ length: 8 }, echo));
  const [installed] = await client.list();
  expect(installed?.plugin_unique_identifier).toBe(first);
  await client.uninstall(installed?.id ?? '');
  await eventually('no process is left', () => daemon.processes().length === 0 || undefined);
}

/** What stands below the places of packages and environments. */
const kept = (): readonly string[] =>
  ['cwd', 'storage', 'tmp'].flatMap((place) => {
    const folder = join(daemon.process.dataDirectory, place);
    if (!existsSync(folder)) return [];
    return readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      return statSync(path).isDirectory()
        ? readdirSync(path).map((inner) => `${place}/${name}/${inner}`)
        : [`${place}/${name}`];
    });
  });

const descriptors = (): number => readdirSync(`/proc/${daemon.process.pid}/fd`).length;

test(`${ROUNDS} rounds leave no process, descriptor, row, file or user behind`, async () => {
  await round();
  await daemon.expectIdle();
  const [before, files] = [descriptors(), kept()];
  for (let n = 0; n < ROUNDS; n++) await round();
  await daemon.expectIdle();
  // The news of an end closes what belonged to it a moment later.
  await eventually('no descriptor is left', () => descriptors() <= before || undefined);
  const data = daemon.process.dataDirectory;
  const database = new DatabaseSync(join(data, 'daemon.sqlite'), { readOnly: true });
  const counts = TABLES.map((table) => [table, database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']]);
  database.close();
  expect(counts).toEqual(TABLES.map((table) => [table, 0]));
  // The environments of the two versions are collected with age.
  expect(kept()).toEqual(files);
  const users = join(data, 'plugin-users.json');
  if (existsSync(users)) expect(readFileSync(users, 'utf8').split('churned').length - 1).toBeLessThanOrEqual(2);
  await daemon.process.stop();
  const uses = join(data, 'plugin-use.json');
  expect(existsSync(uses) ? Object.keys(JSON.parse(readFileSync(uses, 'utf8'))) : []).toEqual([]);
}, 900_000);
