/** Install tasks where other nodes take jobs as well: who goes on with what, on one database with a queue that only says that it is shared. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import type { InstallTaskRecord } from '../database/index.ts';
import { type JobHandlers, type JobQueue, openMemoryJobs } from '../jobs/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { createInstallation, type Installation } from './installation.ts';
import { type Harness, installationOptions, openHarness, packageStore, TENANT, until } from './testing/harness.ts';
import { testPackage } from './testing/packages.ts';
import { installJobId } from './version-job.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

class SharedQueue implements JobQueue {
  readonly shared = true;
  readonly #inner = openMemoryJobs({ log: silentLog, concurrency: 4, recurring: false });
  handlers: JobHandlers | undefined;
  begin(handlers: JobHandlers): void {
    this.handlers = handlers;
    this.#inner.begin(handlers);
  }
  add: JobQueue['add'] = (kind, name) => this.#inner.add(kind, name);
  counts = () => this.#inner.counts();
  rest(): void {}
  close = () => this.#inner.close();
}

interface Node {
  readonly installation: Installation;
  readonly queue: SharedQueue;
}

/** A node on the database and the storage of the harness. */
async function node(at: Harness, owner: string, jobs: object = {}): Promise<Node> {
  const queue = new SharedQueue();
  const installation = createInstallation(
    { database: at.database, store: packageStore(at.storage), plugins: at.plugins.supervisor, queue, log: at.log },
    installationOptions({ jobs: { owner, jobLeaseMs: 1500, ...jobs } }),
  );
  await installation.start();
  const nothing = { run: async () => undefined };
  queue.begin({ audit: nothing, debugging: nothing, ...installation.handlers });
  closers.push(() => installation.close());
  return { installation, queue };
}

async function harness(): Promise<Harness> {
  const made = await openHarness();
  closers.push(() => made.close());
  return made;
}

const upload = async (at: Harness): Promise<string> =>
  (await at.installation.intake.upload(testPackage(), { verifySignature: false })).identifier;
const begin = async ({ installation }: Node, identifier: string): Promise<string> =>
  (await installation.installations.install({ tenantId: TENANT, identifiers: [identifier], metas: [{}], source: '' }))
    .task_id;
const sweep = ({ queue }: Node) =>
  queue.handlers?.['install-tasks'].run('install-tasks', { signal: new AbortController().signal });
const task = (at: Harness, id: string, is: (task: InstallTaskRecord) => boolean) =>
  until(
    () => at.database.installTasks.find(TENANT, id),
    (found) => found !== undefined && is(found),
  );

const item = (identifier: string) => ({
  plugin_unique_identifier: identifier,
  labels: { en_US: '' },
  icon: '',
  icon_dark: '',
  plugin_id: 'acme/demo',
  status: 'pending' as const,
  message: '',
  source: '',
});

test('a node that closes leaves its task to another, which is told at once', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const [one, two] = [await node(at, 'one'), await node(at, 'two')];
  const id = await begin(one, await upload(at));
  await at.plugins.launch(0);
  await one.installation.close();
  expect(await at.database.installTasks.find(TENANT, id)).toMatchObject({
    status: 'running',
    plugins: [{ status: 'running', message: expect.stringContaining('waiting for another node') }],
  });
  await sweep(two);
  (await at.plugins.launch(1)).done();
  await task(at, id, ({ status }) => status === 'success');
  expect(await at.database.installations.countByTenant(TENANT)).toBe(1);
});

test('a job whose lease another node took is given up, and what it comes to is not written', async () => {
  const at = await harness();
  at.plugins.manual = true;
  const one = await node(at, 'one', { jobLeaseMs: 100_000 });
  const identifier = await upload(at);
  const id = await begin(one, identifier);
  const launch = await at.plugins.launch();
  // As after a pause: its lease ran out meanwhile, and somebody took it.
  const { jobLeases } = at.database;
  const job = installJobId(identifier);
  await expect(jobLeases.take(job, { owner: 'two', durationMs: 60_000 })).resolves.toBeUndefined();
  await jobLeases.end({ jobId: job, owner: holderIn(at) });
  await jobLeases.take(job, { owner: 'two', durationMs: 60_000 });
  launch.done();
  await until(
    () => one.queue.counts(),
    ({ active, delayed }) => active + delayed === 0 || delayed > 0,
  );
  expect(await at.database.installations.countByTenant(TENANT)).toBe(0);
  expect(await at.database.installTasks.find(TENANT, id)).toMatchObject({ status: 'running', completed_plugins: 0 });
});

/** Of the only job there is. */
function holderIn({ directory }: Harness): string {
  const file = new DatabaseSync(join(directory, 'daemon.db'), { readOnly: true });
  try {
    return String(file.prepare('select owner from job_leases').get()?.['owner']);
  } finally {
    file.close();
  }
}

test('tasks of a newer version are left to its nodes, those without work are failed as ever', async () => {
  const at = await harness();
  const one = await node(at, 'one');
  const create = (work?: string) =>
    at.database.installTasks.create({
      tenantId: TENANT,
      plugins: [item('acme/demo:9.0.0@aa')],
      lease: { owner: 'gone', durationMs: -1 },
      ...(work !== undefined && { work }),
    });
  const newer = await create('{"version":2,"items":{"acme/demo:9.0.0@aa":{"kind":"install","meta":{}}}}');
  const workless = await create();
  await sweep(one);
  expect((await at.database.installTasks.find(TENANT, newer.id))?.status).toBe('running');
  expect((await at.database.installTasks.find(TENANT, workless.id))?.status).toBe('failed');
});

test.each([
  ['no JSON', 'x'],
  ['no object', '[]'],
  ['nothing about the item', '{"version":1,"items":{}}'],
  ['a kind of nobody', '{"version":1,"items":{"%":{"kind":"toString","meta":{}}}}'],
  ['no meta', '{"version":1,"items":{"%":{"kind":"install"}}}'],
  ['an upgrade from nothing', '{"version":1,"items":{"%":{"kind":"upgrade","meta":{}}}}'],
])('work that is %s ends in a failed item, not in an endless one', async (_what, work) => {
  const at = await harness();
  const one = await node(at, 'one');
  const identifier = await upload(at);
  const { id } = await at.database.installTasks.create({
    tenantId: TENANT,
    plugins: [item(identifier)],
    lease: { owner: 'one', durationMs: 60_000 },
    work: work.replace('%', identifier),
  });
  await one.queue.add('install', identifier);
  const { plugins } = (await task(at, id, ({ status }) => status === 'failed')) ?? { plugins: [] };
  expect(plugins[0]?.message).toContain('install it again');
  // Nothing runs for nobody.
  expect(at.plugins.supervisor.identifiers).toEqual([]);
});

test('an upgrade that an earlier attempt has finished is finished', async () => {
  const at = await harness();
  const one = await node(at, 'one');
  const old = await upload(at);
  const young = (await at.installation.intake.upload(testPackage({ version: '0.0.2' }), { verifySignature: false }))
    .identifier;
  await task(at, await begin(one, old), ({ status }) => status === 'success');
  const upgrade = () =>
    at.database.installTasks.create({
      tenantId: TENANT,
      plugins: [item(young)],
      lease: { owner: 'one', durationMs: 60_000 },
      work: JSON.stringify({ version: 1, items: { [young]: { kind: 'upgrade', original: old, meta: {} } } }),
    });
  for (let attempt = 0; attempt < 2; attempt++) {
    const { id } = await upgrade();
    await one.queue.add('install', young);
    const done = await task(at, id, ({ status }) => status !== 'running');
    expect(done?.plugins[0]).toMatchObject({ status: 'success', message: 'upgraded' });
  }
  expect(await at.database.installations.listAllByTenant(TENANT)).toMatchObject([{ plugin_unique_identifier: young }]);
});
