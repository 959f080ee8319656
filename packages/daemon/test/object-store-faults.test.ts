/** An object store that comes late, says "later", lies, breaks off and crawls, under a daemon with nothing on its disk. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { missing, RunningServices, skipReason } from '@plugin-daemon/services';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fault, FaultProxy } from './fault-proxy.ts';
import { eventually, failureOf, ONE, OTHER, reservePort, type Settings, TestDaemon } from './harness.ts';
import { rudePackage } from './plugins/package.ts';

const absent = missing('versitygw').length > 0;
const damage = 'the stored package is damaged';

describe.skipIf(absent)(absent ? skipReason('versitygw') : 'an S3 store on bad days', () => {
  let services: RunningServices;
  let store: FaultProxy;
  let daemon: TestDaemon;
  let identifier: string;
  const evil = rudePackage('evil', { greeting: 'I am another' });

  const says = async (text: string) => (await daemon.call('stored', 'echo', { parameters: { text } })).texts;
  const ready = async () => await daemon.answer('GET', '/readyz');
  const list = async (tenant = ONE) => (await daemon.client(tenant).list()).map((row) => row.plugin_unique_identifier);
  const describes = async () =>
    await daemon.answer(
      'GET',
      `/plugin/${ONE}/management/decode/from_identifier?plugin_unique_identifier=${identifier}`,
    );

  beforeAll(async () => {
    services = await RunningServices.start(['versitygw']);
    store = new FaultProxy(await reservePort(), services.get('versitygw').port);
    await store.be('absent');
    const settings: Settings = {
      PLUGIN_STORAGE_TYPE: 'aws_s3',
      PLUGIN_STORAGE_OSS_BUCKET: 'plugins',
      S3_ENDPOINT: store.url,
      S3_USE_AWS: 'false',
      S3_USE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY: 'app',
      AWS_SECRET_KEY: 'secret',
      AWS_REGION: 'us-east-1',
    };
    daemon = await TestDaemon.start({ settings });
  }, 240_000);
  afterAll(async () => {
    await daemon?.close();
    await store?.[Symbol.asyncDispose]();
    await services?.close();
  });

  /** The daemon starts anew on an empty disk, while the store does this: the environment must be made from the stored package. */
  async function startEmptyWhile(fault: Fault | undefined): Promise<void> {
    await daemon.process.stop();
    rmSync(join(daemon.process.dataDirectory, 'cwd'), { recursive: true, force: true });
    await store.be(fault);
    await daemon.process.start();
  }

  test('that is not up at the start: readiness says so, uploads say why not; used by itself when it comes', async () => {
    expect(await ready()).toMatchObject({ status: 503, text: expect.stringContaining('"storage"') });
    const upload = await daemon
      .client()
      .upload(rudePackage('stored'))
      .then(
        () => 'accepted',
        (error: unknown) => String(error),
      );
    expect(upload).toMatch(/cannot .* in the bucket plugins/);
    await store.be(undefined);
    await eventually('it is ready', async () => (await ready()).status === 200 || undefined);
    identifier = await daemon.install(rudePackage('stored'));
    expect(await says('hello')).toEqual(['hello']);
  });

  test('"later" without end: what runs goes on, what is installed stays installed, writes say why not', async () => {
    await store.be('later');
    expect(await says('still')).toEqual(['still']);
    expect(await list()).toEqual([identifier]);
    const task = await daemon.beginInstall(identifier, OTHER).then(
      () => 'accepted',
      (error: unknown) => String(error),
    );
    await eventually('the store was asked', () => store.struck > 0 || undefined);
    await eventually('readiness says so', async () => (await ready()).text.includes('"storage"') || undefined);
    await store.be(undefined);
    await eventually('readiness is back', async () => (await ready()).status === 200 || undefined);
    // Whether it was begun or not: nothing is half installed.
    const installed = await list(OTHER);
    expect(installed.every((each) => each === identifier)).toBe(true);
    if (task !== 'accepted') expect(task).toMatch(/store|bucket|again/);
    await daemon.client(OTHER).install(identifier);
    expect(await list(OTHER)).toEqual([identifier]);
  });

  test.each<[string, Fault, RegExp]>([
    ['says "later"', 'later', /cannot read plugin_packages/],
    ['is not there', 'absent', /cannot read plugin_packages/],
    ['breaks off in the middle', 'cut', /cannot read plugin_packages/],
    ['gives other bytes', 'changed', /the stored package is damaged/],
    ['gives another package', { swapped: evil.toString('base64') }, /the stored package is damaged/],
    [
      'gives a page',
      { swapped: Buffer.from('<html>Bad Gateway</html>').toString('base64') },
      /the stored package is damaged/,
    ],
  ])(
    'with an empty disk and a store that %s: installed, not running, never another program; right again by itself',
    async (_, fault, said) => {
      await startEmptyWhile(fault);
      expect(await list()).toEqual([identifier]);
      expect(await list(OTHER)).toEqual([identifier]);
      const refused = await daemon.call('stored', 'echo', { parameters: { text: 'x' } });
      expect(refused.texts).toEqual([]);
      const { message } = failureOf(refused.received);
      expect(message).not.toMatch(/no available node|plugin not found|not installed/);
      expect(message).toMatch(said);
      if (fault !== 'absent') expect(store.struck).toBeGreaterThan(0);
      await store.be(undefined);
      await eventually('it answers again', async () => (await says('back'))[0] === 'back' || undefined);
      expect(await list()).toEqual([identifier]);
    },
  );

  test('a slow store is waited for', async () => {
    await startEmptyWhile('slow');
    await eventually('it answers', async () => (await says('slowly'))[0] === 'slowly' || undefined);
    expect(store.struck).toBeGreaterThan(0);
    await store.be(undefined);
  });

  test('damage is told as such to whoever reads a package, and not remembered', async () => {
    await startEmptyWhile(undefined);
    await store.be({ swapped: evil.toString('base64') });
    const told = failureOf((await describes()).text);
    expect(told.message).toContain(damage);
    expect(told.message).toContain('object store');
    const readme = `/plugin/${ONE}/management/fetch/readme?plugin_unique_identifier=${identifier}&language=en_US`;
    expect(failureOf((await daemon.answer('GET', readme)).text).message).toContain(damage);
    await store.be(undefined);
    expect(JSON.parse((await describes()).text)).toMatchObject({ code: 0 });
    expect(failureOf((await daemon.answer('GET', readme)).text).message).not.toContain(damage);
  });
});
