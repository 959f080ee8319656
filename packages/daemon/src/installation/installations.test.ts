import { StatementSync } from 'node:sqlite';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { type InstallTaskRecord, StoredDeclaration } from '../database/index.ts';
import { createInstallation } from './installation.ts';
import {
  type Harness,
  type HarnessOptions,
  installationOptions,
  memoryQueue,
  OTHER_TENANT,
  openHarness,
  packageStore,
  TENANT,
  until,
} from './testing/harness.ts';
import { type TestPackage, testPackage } from './testing/packages.ts';

const open: Harness[] = [];
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const made = await openHarness(options);
  open.push(made);
  return made;
}

async function upload({ installation }: Harness, options: TestPackage = {}): Promise<string> {
  return (await installation.intake.upload(testPackage(options), { verifySignature: false })).identifier;
}

const begin = ({ installation }: Harness, identifiers: readonly string[], tenantId = TENANT) =>
  installation.installations.install({ tenantId, identifiers, metas: identifiers.map(() => ({})), source: 'package' });

const ended = (task: InstallTaskRecord | undefined) => task?.status === 'success' || task?.status === 'failed';

async function outcome({ database }: Harness, taskId: string, tenantId = TENANT): Promise<InstallTaskRecord> {
  const task = await until(() => database.installTasks.find(tenantId, taskId), ended);
  if (task === undefined) throw new Error('the task is gone');
  return task;
}

async function install(at: Harness, identifier: string, tenantId = TENANT): Promise<void> {
  const { task_id } = await begin(at, [identifier], tenantId);
  expect(await outcome(at, task_id, tenantId)).toMatchObject({ status: 'success' });
}

const installationOf = async ({ database }: Harness, tenantId = TENANT) => {
  const [row] = await database.installations.listAllByTenant(tenantId);
  if (row === undefined) throw new Error('nothing is installed');
  return row;
};

test('one installation reads the declaration from the database once, its start included', async () => {
  const at = await harness();
  // What the start of a plugin reads (compose/local-plugins.ts).
  at.plugins.onStart = async (identifier) => void (await at.database.declarations.find(identifier));
  const identifier = await upload(at);
  const statements = vi.spyOn(StatementSync.prototype, 'all');
  onTestFinished(() => statements.mockRestore());
  await install(at, identifier);
  const reads = statements.mock.contexts.filter(
    (one) => one instanceof StatementSync && one.sourceSQL.includes('from "plugin_declarations"'),
  );
  expect(reads).toHaveLength(1);
});

const marked = (at: Harness) => at.storage.list('plugin');

test('an installation runs the plugin, then writes the rows, and the task tells', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const identifier = await upload(at);
  const answer = await begin(at, [identifier]);
  expect(answer.all_installed).toBe(false);
  const launch = await at.plugins.launch();
  launch.step('installing dependencies');
  const running = await until(
    () => at.database.installTasks.find(TENANT, answer.task_id),
    (task) => task?.plugins[0]?.message === 'installing dependencies',
  );
  expect(running).toMatchObject({
    status: 'running',
    total_plugins: 1,
    completed_plugins: 0,
    plugins: [
      {
        status: 'running',
        plugin_id: 'acme/demo',
        labels: { en_US: 'demo' },
        icon: expect.stringMatching(/\.svg$/),
        source: 'package',
      },
    ],
  });
  expect(await at.database.installations.listAllByTenant(TENANT)).toEqual([]);
  launch.done();
  expect(await outcome(at, answer.task_id)).toMatchObject({
    status: 'success',
    completed_plugins: 1,
    plugins: [{ status: 'success', message: 'installed' }],
  });
  expect(await installationOf(at)).toMatchObject({ plugin_id: 'acme/demo', runtime_type: 'local', source: 'package' });
  expect(await marked(at)).toEqual([identifier]);
  expect(at.changes).toEqual([{ kind: 'installed', tenantId: TENANT, identifier }]);
  expect(at.jobEnds).toEqual([{ identifier, status: 'success', seconds: expect.any(Number) }]);
});

test('what is installed in any version needs nothing', async () => {
  const at = await harness();
  await install(at, await upload(at));
  const newer = await upload(at, { version: '0.0.2' });
  expect(await begin(at, [newer])).toEqual({ all_installed: true, task_id: '' });
});

test('a package that was never uploaded fails the request', async () => {
  const at = await harness();
  await expect(begin(at, [await upload(at), `acme/none:0.0.1@${'a'.repeat(64)}`])).rejects.toMatchObject({
    kind: 'internal',
    wireMessage: 'plugin not found\nfailed to get plugin declaration',
  });
  expect(await at.database.installTasks.list(TENANT, { page: 1, pageSize: 10 })).toEqual([]);
});

test('the same identifier twice is one item; a request that is under way already is joined', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const identifier = await upload(at);
  const first = await begin(at, [identifier, identifier]);
  const second = await begin(at, [identifier]);
  expect(second).toEqual(first);
  (await at.plugins.launch()).done();
  expect(await outcome(at, first.task_id)).toMatchObject({ status: 'success', total_plugins: 1 });
});

test('two tenants share the launch and the version; the last one out turns it off', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const identifier = await upload(at);
  const tasks = [await begin(at, [identifier]), await begin(at, [identifier], OTHER_TENANT)];
  (await at.plugins.launch()).done();
  await outcome(at, tasks[0]?.task_id ?? '');
  await outcome(at, tasks[1]?.task_id ?? '', OTHER_TENANT);
  expect(at.plugins.launches.length).toBe(1);
  expect(await at.database.plugins.find(identifier)).toMatchObject({ refers: 2 });

  const { installations } = at.installation;
  await installations.uninstall(TENANT, (await installationOf(at)).id);
  expect(at.plugins.retired).toEqual([]);
  expect(await marked(at)).toEqual([identifier]);
  await installations.uninstall(OTHER_TENANT, (await installationOf(at, OTHER_TENANT)).id);
  expect(at.plugins.retired).toEqual([identifier]);
  expect(await marked(at)).toEqual([]);
  expect(await at.database.plugins.exists(identifier)).toBe(false);
});

test('after the last uninstall the package can be installed again', async () => {
  const at = await harness();
  const identifier = await upload(at);
  await install(at, identifier);
  await at.installation.installations.uninstall(TENANT, (await installationOf(at)).id);
  expect(await at.database.declarations.find(identifier)).toBeUndefined();
  await install(at, identifier);
  expect((await at.database.declarations.find(identifier))?.value).toMatchObject({ name: 'demo' });
  expect(await marked(at)).toEqual([identifier]);
});

test('uninstalling what is not there is done', async () => {
  const at = await harness();
  await at.installation.installations.uninstall(TENANT, '00000000-0000-4000-8000-000000000099');
});

test.each([
  'Acme/Up:1@A',
  '../../etc/passwd:0.0.1@a',
  'a/b:c:d@e@f',
  '@',
  '',
  "a'b",
  '\u0000',
  `acme/x:0.0.1@${'a'.repeat(64)} `,
])('a row of others that names the version %j is taken away like any other', async (uniqueIdentifier) => {
  const at = await harness();
  const { database } = at;
  await database.lifecycle.installForTenant({
    tenantId: TENANT,
    pluginId: 'acme/odd',
    uniqueIdentifier,
    installType: 'local',
    source: 'package',
    meta: {},
    declaration: new StoredDeclaration(uniqueIdentifier, 'acme/odd', '{}'),
  });
  await at.installation.installations.uninstall(TENANT, (await installationOf(at)).id);
  expect(await database.installations.listAllByTenant(TENANT)).toEqual([]);
  expect(await database.plugins.exists(uniqueIdentifier)).toBe(false);
});

test('a launch that fails fails its item with the cause, and leaves nothing installed', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const [good, bad] = [await upload(at), await upload(at, { name: 'bad' })];
  const { task_id } = await begin(at, [good, bad]);
  const launches = [await at.plugins.launch(0), await at.plugins.launch(1)];
  launches.find((each) => each.identifier === bad)?.fail(new Error('no matching wheel'));
  await outcome(at, task_id);
  launches.find((each) => each.identifier === good)?.done();
  const task = await until(
    () => at.database.installTasks.find(TENANT, task_id),
    (found) => found?.plugins.every((each) => each.status === 'success' || each.status === 'failed') === true,
  );
  expect(task).toMatchObject({ status: 'failed', completed_plugins: 1 });
  expect(task?.plugins.map((each) => each.message)).toEqual([
    'installed',
    'failed to launch plugin: no matching wheel',
  ]);
  expect(await marked(at)).toEqual([good]);
  expect(at.plugins.retired).toEqual([bad]);
});

test('a package that vanished fails the item with the place', async () => {
  const at = await harness();
  const identifier = await upload(at);
  await at.storage.delete(`plugin_packages/${identifier}`);
  const { task_id } = await begin(at, [identifier]);
  expect((await outcome(at, task_id)).plugins[0]?.message).toBe(
    'failed to move plugin to installed bucket: failed to get package file when trying to install plugin to local\nplugin package not found, please upload it firstly',
  );
});

test('deleting the task stops the job', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const identifier = await upload(at);
  const { task_id } = await begin(at, [identifier]);
  const launch = await at.plugins.launch();
  await at.installation.jobs.delete(TENANT, task_id);
  await until(
    () => launch.signal.aborted,
    (aborted) => aborted,
  );
  await until(
    () => at.plugins.retired.length,
    (count) => count === 1,
  );
  expect(await at.database.installTasks.find(TENANT, task_id)).toBeUndefined();
  expect(await at.database.installations.listAllByTenant(TENANT)).toEqual([]);
  await until(
    () => marked(at),
    (list) => list.length === 0,
  );
});

test('deleting an item stops that one only; another tenant cannot', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const [one, two] = [await upload(at, { name: 'one' }), await upload(at, { name: 'two' })];
  const { task_id } = await begin(at, [one, two]);
  const launches = [await at.plugins.launch(0), await at.plugins.launch(1)];
  await at.installation.jobs.deleteItem(OTHER_TENANT, task_id, one);
  await at.installation.jobs.deleteAll(OTHER_TENANT);
  expect(launches.map((each) => each.signal.aborted)).toEqual([false, false]);
  await at.installation.jobs.deleteItem(TENANT, task_id, one);
  await until(
    () => launches.find((each) => each.identifier === one)?.signal.aborted,
    (aborted) => aborted === true,
  );
  expect(launches.find((each) => each.identifier === two)?.signal.aborted).toBe(false);
  launches.find((each) => each.identifier === two)?.done();
  await until(
    () => at.database.installations.listAllByTenant(TENANT),
    (rows) => rows.length === 1,
  );
  await at.installation.jobs.deleteAll(TENANT);
  expect(await at.database.installTasks.list(TENANT, { page: 1, pageSize: 10 })).toEqual([]);
});

test('a job that takes too long is stopped and names the setting', async () => {
  const at = await harness({ jobs: { timeoutMs: 1500 } });
  at.plugins.manual = true;
  const { task_id } = await begin(at, [await upload(at)]);
  const task = await outcome(at, task_id);
  expect(task.plugins[0]?.message).toContain('PLUGIN_INSTALL_TIMEOUT');
  expect((await at.plugins.launch()).signal.aborted).toBe(true);
});

test('shutdown marks what was running as upstream does', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const { task_id } = await begin(at, [await upload(at)]);
  await at.plugins.launch();
  await at.installation.close();
  expect(await at.database.installTasks.find(TENANT, task_id)).toMatchObject({
    status: 'failed',
    plugins: [{ status: 'failed', message: 'An unexpected daemon shutdown occurred' }],
  });
});

test('tasks of a process that was killed are failed by the next one', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const identifier = await upload(at);
  const { task_id } = await begin(at, [identifier]);
  await at.plugins.launch();
  // The dead process neither renews nor ends anything; the next one finds its lease at an end.
  await at.database.installTasks.renewLeases({ owner: 'test', durationMs: -1 });
  const next = createInstallation(
    {
      database: at.database,
      store: packageStore(at.storage),
      plugins: at.plugins.supervisor,
      queue: memoryQueue(),
      log: at.log,
    },
    installationOptions({ jobs: { owner: 'next' } }),
  );
  await next.start();
  expect(await at.database.installTasks.find(TENANT, task_id)).toMatchObject({
    status: 'failed',
    plugins: [{ message: 'An unexpected daemon shutdown occurred' }],
  });
  await next.close();
});

test('tasks of another process are failed when its lease runs out, not before', async () => {
  const at = await harness({ jobs: { owner: 'watching', leaseMs: 30 } });
  const item = {
    plugin_unique_identifier: 'a/b:1.0.0@00',
    labels: { en_US: '' },
    icon: '',
    icon_dark: '',
    plugin_id: 'a/b',
    status: 'pending',
    message: '',
    source: 'package',
  } as const;
  const create = (durationMs: number) =>
    at.database.installTasks.create({ tenantId: TENANT, plugins: [item], lease: { owner: 'dead', durationMs } });
  const [gone, alive] = [await create(1), await create(60_000)];
  await until(
    () => at.database.installTasks.find(TENANT, gone.id),
    (task) => task?.status === 'failed',
  );
  expect(await at.database.installTasks.find(TENANT, alive.id)).toMatchObject({ status: 'running' });
});

test('successful tasks vanish after a while', async () => {
  const at = await harness({ jobs: { leaseMs: 30, retentionMs: 0 } });
  const { task_id } = await begin(at, [await upload(at)]);
  await until(
    () => at.database.installTasks.find(TENANT, task_id),
    (task) => task === undefined,
  );
  expect(await installationOf(at)).toMatchObject({ plugin_id: 'acme/demo' });
});

const upgrade = (at: Harness, original: string, target: string) =>
  at.installation.installations.upgrade({ tenantId: TENANT, original, target, source: 'github', meta: { repo: 'x' } });

test('an upgrade keeps the installation, replaces the version and stops the old one; a downgrade leads back', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  await install(at, old);
  const before = await installationOf(at);
  const { task_id } = await upgrade(at, old, young);
  expect(await outcome(at, task_id)).toMatchObject({
    status: 'success',
    plugins: [{ message: 'upgraded', labels: { en_US: '' }, icon: '' }],
  });
  expect(await installationOf(at)).toMatchObject({
    id: before.id,
    plugin_unique_identifier: young,
    source: 'github',
    meta: { repo: 'x' },
  });
  expect(at.plugins.retired).toEqual([old]);
  expect(await marked(at)).toEqual([young]);
  expect(await at.database.plugins.exists(old)).toBe(false);

  // What starts a plugin reads its declaration, which went with the last installation of the old version.
  at.plugins.onStart = async (identifier) => {
    expect(await at.database.declarations.find(identifier)).toBeDefined();
  };
  const back = await upgrade(at, young, old);
  expect(await outcome(at, back.task_id)).toMatchObject({ status: 'success' });
  expect(await installationOf(at)).toMatchObject({ id: before.id, plugin_unique_identifier: old });
  expect(await marked(at)).toEqual([old]);
});

test('one step leads back to the version before, which runs before the other one is left; the next one forward again', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  const back = () => at.installation.installations.rollback(TENANT, 'acme/demo');
  await expect(back()).rejects.toMatchObject({ kind: 'not-found' });
  await install(at, old);
  await expect(back()).rejects.toThrow('no version of acme/demo before this one');
  const before = await installationOf(at);
  await outcome(at, (await upgrade(at, old, young)).task_id);
  expect(await outcome(at, (await back()).task_id)).toMatchObject({ status: 'success' });
  expect(await installationOf(at)).toMatchObject({
    id: before.id,
    plugin_unique_identifier: old,
    source: before.source,
    meta: before.meta,
  });
  expect(at.plugins.retired).toEqual([old, young]);
  await outcome(at, (await back()).task_id);
  expect(await installationOf(at)).toMatchObject({
    plugin_unique_identifier: young,
    source: 'github',
    meta: { repo: 'x' },
  });
  await at.installation.installations.uninstall(TENANT, before.id);
  await install(at, old);
  await expect(back()).rejects.toMatchObject({ kind: 'not-found' });
});

test('a way back that does not launch leaves the version as it was', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  await install(at, old);
  await outcome(at, (await upgrade(at, old, young)).task_id);
  at.plugins.manual = true;
  const { task_id } = await at.installation.installations.rollback(TENANT, 'acme/demo');
  (await at.plugins.launch()).fail(new Error('exited with code 1'));
  expect(await outcome(at, task_id)).toMatchObject({ status: 'failed' });
  expect(await installationOf(at)).toMatchObject({ plugin_unique_identifier: young });
});

test('an upgrade to a version that fails for another tenant leaves the old one, and goes on when it runs', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  await install(at, old);
  await install(at, young, OTHER_TENANT);
  at.plugins.onStart = async () => {
    throw new Error('a library of it is gone');
  };
  at.plugins.processes.get(young)?.die();
  await vi.waitFor(() => expect(at.plugins.supervisor.problems()[young]).toContain('a library of it is gone'), {
    timeout: 60_000,
  });
  const failed = await upgrade(at, old, young);
  expect(await outcome(at, failed.task_id)).toMatchObject({ status: 'failed' });
  expect(await installationOf(at)).toMatchObject({ plugin_unique_identifier: old });
  at.plugins.onStart = async () => undefined;
  await vi.waitFor(() => expect(at.plugins.supervisor.isFailing(young)).toBe(false), { timeout: 60_000 });
  expect(await upgrade(at, old, young)).toEqual({ all_installed: true, task_id: '' });
  expect(await at.database.plugins.find(young)).toMatchObject({ refers: 2 });
});

test('an upgrade to a version that another tenant runs is done at once', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  await install(at, old);
  await install(at, young, OTHER_TENANT);
  expect(await upgrade(at, old, young)).toEqual({ all_installed: true, task_id: '' });
  expect(await installationOf(at)).toMatchObject({ plugin_unique_identifier: young });
  expect(await at.database.plugins.find(young)).toMatchObject({ refers: 2 });
  expect(at.plugins.retired).toEqual([old]);
});

test('an upgrade that cannot launch leaves the old version as it was', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  await install(at, old);
  at.plugins.manual = true;
  const { task_id } = await upgrade(at, old, young);
  (await at.plugins.launch()).fail(new Error('exited with code 1'));
  expect(await outcome(at, task_id)).toMatchObject({
    status: 'failed',
    plugins: [{ message: 'failed to launch plugin: exited with code 1' }],
  });
  expect(await installationOf(at)).toMatchObject({ plugin_unique_identifier: old });
  expect(await marked(at)).toEqual([old]);
});

test('an upgrade of what the tenant does not have is refused', async () => {
  const at = await harness();
  const [old, young] = [await upload(at), await upload(at, { version: '0.0.2' })];
  await expect(upgrade(at, old, young)).rejects.toMatchObject({
    kind: 'not-found',
    message: 'plugin installation not found for this tenant',
  });
});

test('a database that fails at the end of an installation fails the item and stops the plugin', async () => {
  const at = await harness();
  const identifier = await upload(at);
  at.database.lifecycle.installForTenant = async () => {
    throw new Error('database or disk is full');
  };
  const { task_id } = await begin(at, [identifier]);
  expect((await outcome(at, task_id)).plugins[0]).toMatchObject({
    status: 'failed',
    message: 'database or disk is full',
  });
  expect(at.plugins.retired).toEqual([identifier]);
  expect(await marked(at)).toEqual([]);
});
