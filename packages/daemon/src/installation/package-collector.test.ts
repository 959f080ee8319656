import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { PackageCollector } from './package-collector.ts';
import { PreviousVersions } from './previous-versions.ts';
import { type Harness, openHarness, packageStore, TENANT, until } from './testing/harness.ts';
import { testPackage } from './testing/packages.ts';
import { installJobId } from './version-job.ts';

const open: Harness[] = [];
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close();
});

const DAY_MS = 24 * 3_600_000;
const running = new AbortController().signal;

async function harness(): Promise<Harness> {
  const made = await openHarness();
  open.push(made);
  return made;
}

const upload = async ({ installation }: Harness, name: string): Promise<string> =>
  (await installation.intake.upload(testPackage({ name }), { verifySignature: false })).identifier;

/** As if it had been uploaded some days ago. */
function age(at: Harness, identifier: string, days: number): void {
  const then = (Date.now() - days * DAY_MS) / 1000;
  utimesSync(join(at.directory, 'storage', 'plugin_packages', identifier), then, then);
}

const collector = (at: Harness, days: number) =>
  new PackageCollector({
    database: at.database,
    store: packageStore(at.storage),
    previous: new PreviousVersions(at.database.pluginNotes, at.log),
    owner: 'collector',
    retentionMs: days * DAY_MS,
    log: at.log,
  });

const packages = async (at: Harness) => (await at.storage.list('plugin_packages')).toSorted();

test('what nobody has is removed when it is old enough, with its declaration; it can be uploaded again', async () => {
  const at = await harness();
  const [old, young, odd] = [await upload(at, 'old'), await upload(at, 'young'), 'no/identifier'];
  age(at, old, 40);
  age(at, young, 20);
  await at.storage.write(`plugin_packages/${odd}`, Buffer.from('x'));
  age(at, odd, 400);
  await collector(at, 30).run(running);
  expect(await packages(at)).toEqual([odd, young].toSorted());
  expect(await at.database.declarations.find(old)).toBeUndefined();
  expect(await at.database.declarations.find(young)).toBeDefined();
  expect(await upload(at, 'old')).toBe(old);
});

test('what is installed or being installed stays, and so does everything by default', async () => {
  const at = await harness();
  const [installed, waiting, busy] = [await upload(at, 'a'), await upload(at, 'b'), await upload(at, 'c')];
  const begin = (identifier: string) =>
    at.installation.installations.install({ tenantId: TENANT, identifiers: [identifier], metas: [{}], source: '' });
  const { task_id } = await begin(installed);
  await until(
    () => at.database.installTasks.find(TENANT, task_id),
    (task) => task?.status === 'success',
  );
  at.plugins.manual = true;
  await begin(waiting);
  await at.plugins.launch();
  // A node that has just begun, and has not written it down yet.
  await at.database.jobLeases.take(installJobId(busy), { owner: 'other', durationMs: 60_000 });
  for (const each of [installed, waiting, busy]) age(at, each, 400);
  await collector(at, 30).run(running);
  expect(await packages(at)).toEqual([installed, waiting, busy].toSorted());
  await at.database.jobLeases.end({ jobId: installJobId(busy), owner: 'other' });
  await collector(at, 0).run(running);
  expect(await packages(at)).toHaveLength(3);
  await collector(at, 30).run(running);
  expect(await packages(at)).toEqual([installed, waiting].toSorted());
});

test('a round ends with its signal', async () => {
  const at = await harness();
  age(at, await upload(at, 'old'), 40);
  await expect(collector(at, 30).run(AbortSignal.abort(new Error('closing')))).rejects.toThrow('closing');
  expect(await packages(at)).toHaveLength(1);
});

test('what somebody could go back to is kept', async () => {
  const at = await harness();
  const identifier = await upload(at, 'before');
  age(at, identifier, 10);
  const previous = new PreviousVersions(at.database.pluginNotes, at.log);
  await previous.remember(TENANT, 'acme/before', { identifier, source: 'package', meta: {} });
  await collector(at, 5).run(running);
  expect(await packages(at)).toEqual([identifier]);
  await previous.forget(TENANT, 'acme/before');
  await collector(at, 5).run(running);
  expect(await packages(at)).toEqual([]);
});
