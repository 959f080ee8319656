import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { silentLog } from '@plugin-daemon/plugin-host/log';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Cache, openMemoryCache } from '../cache/index.ts';
import { type Database, openDatabase } from '../database/index.ts';
import {
  FunctionBuilder,
  type FunctionBuilderOptions,
  Functions,
  keyIn,
  type LaunchEvent,
  SriClient,
  SriWatch,
} from './index.ts';
import { cut, type FakeSri, good, launching, line, say, startFakeSri } from './testing/fake-sri.ts';

const IDENTIFIER = `acme/tool:0.0.1@${'a'.repeat(64)}`;
const FILE = `acme%40tool%400.0.1%40${'a'.repeat(64)}.difypkg`;
const URL_OF = 'http://127.0.0.1:1/fn/one';
const PACKAGE = Buffer.from('the bytes of a package');

let sri: FakeSri;
let client: SriClient;
let cache: Cache;
let database: Database;
let opened: number;
let closed: number;
let outcomes: string[];

beforeEach(async () => {
  sri = await startFakeSri();
  client = new SriClient({ url: `${sri.url}/base/`, key: () => 'the-key', traceparent: () => '00-1-2-01' });
  cache = openMemoryCache({ onListenerError: () => undefined });
  database = await openDatabase({ type: 'sqlite', file: ':memory:' });
  opened = 0;
  closed = 0;
  outcomes = [];
});
afterEach(async () => {
  await client.close();
  await sri[Symbol.asyncDispose]();
  await cache.close();
  await database.close();
});

function functions(options: Partial<FunctionBuilderOptions> = {}): Functions {
  const builder = new FunctionBuilder({
    sri: client,
    cache,
    openPackage: async () => {
      opened++;
      const stream = Readable.from([PACKAGE.subarray(0, 7), PACKAGE.subarray(7)]);
      stream.once('close', () => closed++);
      return { size: PACKAGE.length, stream };
    },
    isVerified: async () => true,
    launchMs: 30_000,
    firstPauseMs: 5,
    log: silentLog,
    onLaunch: (_identifier, outcome) => outcomes.push(outcome),
    ...options,
  });
  return new Functions({
    builder,
    rows: database.serverlessRuntimes,
    plugins: database.plugins,
    log: silentLog,
  });
}

const install = async (of: Functions, signal = new AbortController().signal): Promise<string[]> => {
  const steps: string[] = [];
  await of.claim(IDENTIFIER).ready({ signal, onProgress: (step) => steps.push(step) });
  return steps;
};
const row = () => database.serverlessRuntimes.find(IDENTIFIER);
const paths = () => sri.asked.map(({ method, path }) => `${method} ${path.split('?')[0]}`);

test('what is not there is launched with the package as it is stored, and its row written', async () => {
  expect(await install(functions())).toEqual(['Installing...', 'Installing...', 'Installing...']);
  expect(await row()).toMatchObject({ function_url: URL_OF, function_name: 'fn-one', checksum: 'a'.repeat(64) });
  const [list, launch] = sri.asked;
  expect(list).toMatchObject({ path: `/base/v1/runner/instances?filename=${FILE}`, authorization: 'the-key' });
  expect(launch).toMatchObject({ method: 'POST', path: '/base/v1/launch', authorization: 'the-key' });
  expect(launch?.body).toContain(
    `name="context"; filename="acme@tool@0.0.1@${'a'.repeat(64)}.difypkg"\r\nContent-Type: application/octet-stream\r\n\r\n${PACKAGE}\r\n`,
  );
  expect(launch?.body).toContain('name="verified"\r\n\r\ntrue\r\n');
  expect(launch?.body).toContain(`name="metadata"\r\n\r\n{"plugin_unique_identifier":"${IDENTIFIER}"}\r\n`);
  expect([opened, closed, outcomes]).toEqual([1, 1, ['built']]);
});

test('what the connector has is taken, of a thousand the first', async () => {
  const items = Array.from({ length: 1000 }, (_, n) => ({ ID: `${n}`, Name: `fn-${n}`, Endpoint: `http://fn/${n}` }));
  sri.answers.instances = [say(JSON.stringify({ ERROR: '', iTeMs: items }), 500)];
  expect(await install(functions())).toEqual([]);
  expect(await row()).toMatchObject({ function_url: 'http://fn/0', function_name: 'fn-0' });
  expect([opened, outcomes]).toEqual([0, ['found']]);
});

test('of two daemons one launches; the other finds what it has built', async () => {
  sri.answers.launch = [
    async (response, asked) => {
      sri.answers.instances = [say(JSON.stringify({ items: [{ name: 'fn-one', endpoint: URL_OF }] }))];
      await good()(response, asked);
    },
  ];
  await Promise.all([install(functions()), install(functions())]);
  expect(paths().filter((path) => path.endsWith('launch'))).toHaveLength(1);
  expect(outcomes.toSorted()).toEqual(['built', 'found']);
});

describe('launches that go wrong', () => {
  const failsWith = async (text: string | RegExp, of = functions()): Promise<void> => {
    await expect(install(of)).rejects.toThrow(text);
    expect(await row()).toBeUndefined();
    expect(outcomes).toEqual(['failed']);
    expect(opened).toBe(closed);
  };
  const start = 'failed to start installation: failed to install plugin to serverless\n';

  test('the build fails: its own words, and no second launch', async () => {
    sri.answers.launch = [launching(line('start', 'running'), line('build', 'failed', 'no matching distribution'))];
    await failsWith(/^no matching distribution$/);
    expect(opened).toBe(1);
  });

  test('a failure that is overcome is none', async () => {
    sri.answers.launch = [
      launching(
        line('build', 'failed', 'oops'),
        line('run', 'success', `endpoint=${URL_OF}?a=b,name=n`),
        line('end', 'success'),
      ),
    ];
    await install(functions());
    expect(await row()).toMatchObject({ function_url: `${URL_OF}?a=b` });
  });

  test.each([
    [launching(line('run', 'success', 'no pairs')), 'invalid key-value pair: no pairs'],
    [launching(line('run', 'success', `name=n`), line('end', 'success')), 'failed to get lambda url or function name'],
    [launching(line('end', 'success')), 'failed to get lambda url or function name'],
    [launching(line('run', 'success', 'endpoint=ftp://x,name=n'), line('end', '')), 'an address that is none'],
    [launching(line('run', 'success', 'endpoint=http://x/\0y,name=n'), line('end', '')), 'control characters'],
    [launching(line('run', 'success', 'endpoint=http://x/a\ny,name=n'), line('end', '')), 'control characters'],
    [launching(line('run', 'success', 'endpoint=http://x/y,name=n\0n'), line('end', '')), 'control characters'],
    [launching(line('run', 'success', `endpoint=http://x/${'y'.repeat(300)},name=n`), line('end', '')), 'too long'],
    [
      say('{"error":"no capacity"}', 500),
      `${start}request failed with status code: 500 and respond with: {"error":"no capacity"}`,
    ],
    [say('x', 302), `${start}request failed with status code: 302`],
  ])('%# is refused', async (answer, text) => {
    sri.answers.launch = [answer];
    await failsWith(text);
  });

  test.each([
    ['oops', 'did not list its functions: status 200, oops'],
    ['', 'an empty answer'],
    ['[]', 'did not list'],
    ['{"error":"controller is down"}', 'unexpected response from plugin controller: controller is down'],
    [`${'['.repeat(5000)}${']'.repeat(5000)}`, 'did not list'],
    [`{${Array.from({ length: 60_000 }, (_, n) => `"name ${n}":1`).join()}}`, 'did not list'],
  ])('list %# is refused', async (text, reason) => {
    sri.answers.instances = [say(text)];
    await failsWith(reason);
  });

  test.each([
    ['a list that is a text', '{"items":"x"}'],
    ['an item that is null', '{"items":[null]}'],
    ['wrong types', '{"error":7,"items":[{"name":[],"endpoint":{"a":1}}]}'],
  ])('%s lists nothing', async (_name, text) => {
    sri.answers.instances = [say(text)];
    await install(functions());
    expect(outcomes).toEqual(['built']);
  });

  test('lines of any kind between the good ones do no harm', async () => {
    const odd = `: comment\nevent: x\n\n17\n[]\n{"Stage":{},"State":7}\ndata:\n{${'"a":{'.repeat(3000)}\n\0\xff\r\n`;
    const long = `data: {"Stage":"build","Message":"${'x'.repeat(5 * 1024 * 1024)}"}\n`;
    sri.answers.launch = [good(URL_OF, 'n', odd, long)];
    await install(functions());
    expect(outcomes).toEqual(['built']);
  });

  test('an event with thousands of members is none', async () => {
    const members = Array.from({ length: 2000 }, (_, n) => `"name ${n}":1`).join();
    sri.answers.launch = [good(URL_OF, 'n', `data: {"Stage":"run","State":"failed",${members}}\n`)];
    const events: LaunchEvent[] = [];
    for await (const event of client.launch(
      { fileName: FILE, identifier: IDENTIFIER, verified: true, content: { size: 1, stream: Readable.from(['x']) } },
      new AbortController().signal,
    ))
      events.push(event);
    expect(events.map(({ event }) => event)).toEqual(['info', 'info', 'info', 'function', 'done']);
  });

  test.each([
    ['a status', [say('got Authorization: key-of-tests', 500)], []],
    ['a failure', [launching(line('build', 'failed', 'got key-of-tests'))], []],
    ['a list', [good()], [say('{"error":"got key-of-tests"}')]],
    ['something else', [good()], [say('got key-of-tests')]],
  ] as const)('its key is shown to nobody, though it says it: %s', async (_what, launch, instances) => {
    client = new SriClient({ url: `${sri.url}/base/`, key: () => 'key-of-tests', traceparent: () => '' });
    sri.answers.launch = [...launch];
    if (instances.length > 0) sri.answers.instances = [...instances];
    const refusal: unknown = await install(functions()).catch((error: unknown) => error);
    expect(String(refusal)).toContain('got');
    expect(String(refusal)).toContain('(the key)');
    expect(String(refusal)).not.toContain('key-of-tests');
  });

  test('a status counts, though the rest of the answer never comes', async () => {
    sri.answers.launch = [(response) => void response.writeHead(400, { 'Content-Length': 100 }).write('because')];
    await failsWith('request failed with status code: 400');
  });

  test('a mark of the encoding before the first line takes nothing of it away', async () => {
    const lines = [line('run', 'success', `endpoint=${URL_OF},name=n`), line('end', 'success')];
    sri.answers.launch = [launching('\ufeff', ...lines)];
    await install(functions());
    expect(await row()).toMatchObject({ function_url: URL_OF });
  });

  test('a stream that breaks off is looked for, and found', async () => {
    sri.answers.launch = [cut(line('start', 'running'))];
    sri.answers.instances = [say('{}'), say(JSON.stringify({ items: [{ name: 'n', endpoint: URL_OF }] }))];
    await install(functions());
    expect(paths().map((path) => path.split('/').at(-1))).toEqual(['instances', 'launch', 'instances']);
    expect(outcomes).toEqual(['found']);
  });

  test('or launched again, three times in all', async () => {
    sri.answers.launch = [cut(line('start', 'running'))];
    await failsWith(/^unexpected EOF$/);
    expect(opened).toBe(3);
  });

  test('no answer at all', async () => {
    sri.answers.launch = [(response) => void response.destroy()];
    await failsWith(`${start}Post "${sri.url}/base/v1/launch": EOF`);
  });

  test('a stream without a last word', async () => {
    sri.answers.launch = [launching(line('start', 'running')), say('', 503), good()];
    await install(functions());
    expect([opened, outcomes]).toEqual([3, ['built']]);
  });

  test('a connector that is restarted in mid-launch is waited for', async () => {
    sri.answers.launch = [
      (response) => {
        response.writeHead(200).write(line('start', 'running'), () => {
          void sri.down().then(() => setTimeout(() => void sri.up(), 100));
        });
      },
      good(),
    ];
    await install(functions());
    expect(outcomes).toEqual(['built']);
  });

  test('one that says nothing more is given up after the limit', async () => {
    sri.answers.launch = [(response) => void response.writeHead(200).write(line('start', 'running'))];
    await failsWith('took longer than 0.3 s', functions({ launchMs: 300 }));
  });

  test.each([
    ['the function runs', line('run', 'success', `endpoint=${URL_OF},name=n`), undefined],
    ['nobody knows where it is', '', 'failed to get lambda url or function name'],
  ])('a stream that stays open after its end is not waited for: %s', async (_what, before, failure) => {
    const left = Promise.withResolvers<void>();
    sri.answers.launch = [
      (response) => {
        response.once('close', () => left.resolve());
        response.writeHead(200).write(before + line('end', 'success'));
      },
    ];
    if (failure === undefined) await install(functions());
    else await failsWith(failure);
    await left.promise;
    expect([opened, closed, outcomes]).toEqual([1, 1, [failure === undefined ? 'built' : 'failed']]);
  });

  test('one that never ends its list as well', async () => {
    sri.answers.instances = [
      (response) => {
        const timer = setInterval(() => response.write(' '.repeat(1 << 20)), 1);
        response.once('close', () => clearInterval(timer));
      },
    ];
    await failsWith('did not list its functions');
  });

  test('a job that is stopped stops it with its reason', async () => {
    const stop = new AbortController();
    sri.answers.launch = [
      (response) => {
        response.writeHead(200).write(line('start', 'running'), () => stop.abort(new Error('the task was deleted')));
      },
    ];
    await expect(install(functions(), stop.signal)).rejects.toThrow('the task was deleted');
    expect(outcomes).toEqual([]);
    expect(opened).toBe(closed);
  });
});

describe('for operators', () => {
  const events = async (of: Functions) => {
    const all: unknown[] = [];
    for await (const event of of.reinstall(IDENTIFIER, new AbortController().signal)) all.push(event);
    return all;
  };
  const info = { event: 'info', data: 'reinstalling...' };
  const known = () =>
    database.serverlessRuntimes.upsert({
      plugin_unique_identifier: IDENTIFIER,
      function_url: 'http://old',
      function_name: 'old',
      type: 'serverless',
      checksum: '',
    });

  test('a function is built anew although there is one', async () => {
    await known();
    expect(await events(functions())).toEqual([info, info, info, { event: 'done', data: 'successfully reinstalled' }]);
    expect(paths()).toEqual(['POST /base/v1/launch']);
    expect(await row()).toMatchObject({ function_url: URL_OF });
  });

  test('a connector that talks faster than anybody reads makes nothing pile up', async () => {
    await known();
    sri.answers.launch = [good(URL_OF, 'fn-one', ...Array.from({ length: 5000 }, () => line('build', 'running')))];
    const reading = functions().reinstall(IDENTIFIER, new AbortController().signal);
    const { value: first } = await reading.next();
    // Read when all of it has been said.
    while (outcomes.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    const rest: unknown[] = [];
    for await (const event of reading) rest.push(event);
    expect([first, rest.at(-1)]).toEqual([info, { event: 'done', data: 'successfully reinstalled' }]);
    expect(rest.length).toBeLessThan(200);
  });

  test('a failure leaves the one in use, and is not tried again', async () => {
    await known();
    sri.answers.launch = [cut(line('start', 'running'))];
    expect((await events(functions())).at(-1)).toEqual({
      event: 'error',
      data: 'failed to reinstall plugin to serverless\nunexpected EOF',
    });
    sri.answers.launch = [launching(line('end', ''))];
    expect(await events(functions())).toEqual([
      { event: 'error', data: 'Internal server error, failed to get serverless function url or function name' },
    ]);
    expect(opened).toBe(2);
    expect(await row()).toMatchObject({ function_url: 'http://old' });
  });

  test('what is not installed is not built', async () => {
    expect(await events(functions())).toEqual([{ event: 'error', data: 'failed to get serverless runtime model' }]);
    expect(sri.asked).toEqual([]);
  });

  test('a version can be pointed anywhere', async () => {
    await expect(functions().point(IDENTIFIER, { url: 'u', name: 'n' })).rejects.toThrow('record not found');
    await known();
    await functions().point(IDENTIFIER, { url: 'not a url', name: 'n' });
    expect(await row()).toMatchObject({ function_url: 'not a url', function_name: 'n' });
  });
});

test('a missing row of an installed version is found again at the connector, and asked for once', async () => {
  sri.answers.instances = [say(JSON.stringify({ items: [{ name: 'n', endpoint: URL_OF }] }))];
  const of = functions();
  expect(await of.recover(IDENTIFIER)).toBeUndefined();
  expect(sri.asked).toEqual([]);
  const installed = new Functions({
    builder: new FunctionBuilder({
      sri: client,
      cache,
      openPackage: () => Promise.reject(new Error('nothing is built')),
      isVerified: async () => true,
      launchMs: 1000,
      log: silentLog,
      onLaunch: () => undefined,
    }),
    rows: database.serverlessRuntimes,
    // Of the row only this is looked at.
    plugins: { find: async () => ({ install_type: 'serverless' }) as never },
    log: silentLog,
  });
  const [one, two] = await Promise.all([installed.recover(IDENTIFIER), installed.recover(IDENTIFIER)]);
  expect([one, two]).toMatchObject([{ function_url: URL_OF }, { function_url: URL_OF }]);
  expect(sri.asked).toHaveLength(1);
});

describe('whether the connector is there', () => {
  test.each(['"pong"', 'pong', ' "pong"\n'])('%j says so, whatever the status', async (text) => {
    sri.answers.ping = [say(text, 503)];
    await client.ping(new AbortController().signal);
    expect(sri.asked).toMatchObject([{ method: 'POST', path: '/base/ping', authorization: 'the-key', body: '' }]);
  });

  test('one that wants GET is asked so', async () => {
    sri.answers.ping = [say('', 405), say('pong')];
    await client.ping(new AbortController().signal);
    expect(sri.asked.map(({ method }) => method)).toEqual(['POST', 'GET']);
  });

  test('anything else does not', async () => {
    sri.answers.ping = [say('"hello"')];
    await expect(client.ping(new AbortController().signal)).rejects.toThrow(
      'unexpected response from serverless connector: "hello"',
    );
  });

  test('it is asked until it answers', async () => {
    sri.answers.ping = [say('x'), (response) => void response.destroy(), say('pong')];
    const there = Promise.withResolvers<void>();
    const states: boolean[] = [];
    const watch = new SriWatch({
      sri: client,
      log: silentLog,
      firstPauseMs: 1,
      onState: (isThere) => {
        states.push(isThere);
        if (isThere) there.resolve();
      },
    });
    watch.begin();
    await there.promise;
    await watch.close();
    expect(states).toEqual([false, false, true]);
  });
});

describe('a key in a file', () => {
  let directory: string;
  let file: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'connector-key-'));
    file = join(directory, 'key');
    await client.close();
    client = new SriClient({ url: sri.url, key: () => keyIn(file), traceparent: () => '00-1-2-01' });
  });
  afterEach(() => rm(directory, { recursive: true }));

  test('that is exchanged counts from the next request on', async () => {
    for (const key of ['one', ' two\r\n', 'gr\xfcn']) {
      await writeFile(file, key, 'latin1');
      await client.ping(new AbortController().signal);
    }
    expect(sri.asked.map(({ authorization }) => authorization)).toEqual(['one', 'two', 'gr\xfcn']);
  });

  test.each([
    ['', 'is empty'],
    [' \n', 'is empty'],
    ['a\nb', 'holds something that is no key'],
    ['a\0', 'holds something that is no key'],
    ['k'.repeat(100_000), 'is larger than any key'],
    [undefined, 'cannot be read: ENOENT'],
  ])('%#: what is no key is not sent, and nobody learns what it was', async (content, text) => {
    if (content !== undefined) await writeFile(file, content);
    const failed = await install(functions()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ message: expect.stringContaining(text), remedy: expect.stringContaining('_FILE') });
    expect(sri.asked).toEqual([]);
    expect([opened, closed]).toEqual([0, 0]);
  });
});
