/** Functions of the SRI over time: they sleep and wake, grow and shrink, get stuck, and outlive every end of their server. */
import {
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { eventually } from './harness.ts';
import { situations } from './situations.ts';
import { functionPackage, identifierOf, TestSri, textOf } from './sri-harness.ts';

/** Environments are shared where functions cannot write to them. */
const cannotShare = situations.find(({ mode }) => mode === 'uid+namespace')?.impossible;

const open: TestSri[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sri) => sri[Symbol.asyncDispose]()));
});

async function start(settings: Record<string, string> = {}): Promise<TestSri> {
  const sri = await TestSri.start(settings);
  open.push(sri);
  return sri;
}

const running = (sri: TestSri, plugin: string) =>
  sri.metric('function_instances', { plugin_id: `tests/${plugin}`, state: 'running' });

/** Processes that work below a directory. */
const processesIn = (directory: string): readonly number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory);
      } catch {
        return false;
      }
    });

/** The files that are kept of functions: packages, records, and what lies in working directories. */
const keptOf = ({ directory }: TestSri): readonly string[] =>
  ['storage', 'cwd/tests'].flatMap((place) =>
    readdirSync(join(directory, 'data', place), { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.isFile() ? [entry.name] : [],
    ),
  );

test('a function that nobody calls sleeps, and a call wakes it and is answered', async () => {
  const sri = await start({ SRI_IDLE_TIMEOUT: '1' });
  const { endpoint } = await sri.launch(functionPackage('sleeper'));
  await eventually('it sleeps', async () => (await running(sri, 'sleeper')) === 0 || undefined);
  // Asking whether it is well does not wake it.
  expect((await sri.answer('GET', `${endpoint}/health`, { key: null })).status).toBe(200);
  expect(await running(sri, 'sleeper')).toBe(0);
  const answers = await Promise.all(Array.from({ length: 5 }, () => sri.messages(endpoint, { do: 'echo' })));
  expect(new Set(answers.map(([message]) => message?.instance)).size).toBe(1);
  expect(await sri.metric('function_start_duration_seconds_count', { cold: 'true' })).toBe(1);
});

test('calls beyond what an instance is meant for start more, up to the limit, and these go again', async () => {
  const sri = await start({
    SRI_TARGET_CONCURRENCY: '2',
    SRI_MAX_CONCURRENCY: '2',
    SRI_MAX_INSTANCES: '3',
    SRI_STABLE_WINDOW: '3',
    SRI_BURST_WINDOW: '1',
    SRI_IDLE_TIMEOUT: '3',
  });
  const { endpoint } = await sri.launch(functionPackage('crowd'));
  const calls = Array.from({ length: 12 }, () => sri.messages(endpoint, { do: 'drip', count: 20 }));
  await eventually('three instances run', async () => (await running(sri, 'crowd')) === 3 || undefined);
  for (const messages of await Promise.all(calls)) expect(messages).toHaveLength(20);
  await eventually('it sleeps', async () => (await running(sri, 'crowd')) === 0 || undefined);
});

test('no more calls wait than may, and none for longer than it may', async () => {
  const sri = await start({
    SRI_MAX_CONCURRENCY: '1',
    SRI_TARGET_CONCURRENCY: '1',
    SRI_MAX_INSTANCES: '1',
    SRI_QUEUE_LIMIT: '2',
    SRI_QUEUE_TIMEOUT: '1',
  });
  const { endpoint } = await sri.launch(functionPackage('full'));
  const first = await sri.call(endpoint, { do: 'hold', file: '/dev/null' });
  first.on('error', () => undefined);
  const waiting = [sri.call(endpoint, {}), sri.call(endpoint, {})];
  await eventually('two wait', async () => (await sri.metric('function_waiting_calls')) === 2 || undefined);
  const refused = await sri.call(endpoint, {});
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '1']);
  expect(JSON.parse(await textOf(refused)).errorMessage).toContain('SRI_QUEUE_LIMIT');
  for (const call of await Promise.all(waiting)) {
    expect(call.statusCode).toBe(503);
    expect(JSON.parse(await textOf(call)).errorMessage).toContain('SRI_QUEUE_TIMEOUT');
  }
  first.destroy();
});

test('a function that cannot start any more tells its callers why, and starts when it can', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'sri-flag-'));
  const flag = join(directory, 'flag');
  const sri = await start({ SRI_IDLE_TIMEOUT: '1', PLUGIN_ISOLATION: 'none' });
  const { endpoint } = await sri.launch(functionPackage('moody', { crash_while: flag }));
  await eventually('it sleeps', async () => (await running(sri, 'moody')) === 0 || undefined);
  writeFileSync(flag, '');
  const refused = await sri.call(endpoint, {});
  const { errorType, errorMessage } = JSON.parse(await textOf(refused));
  expect([refused.statusCode, errorType]).toEqual([503, 'FunctionStartFailed']);
  expect(errorMessage).toContain('not yet');
  rmSync(directory, { recursive: true });
  await eventually('it starts again', async () => (await sri.call(endpoint, {})).statusCode === 200 || undefined);
});

test('one that never answers fails its launch in time, with the limit, and nothing of it is left', async () => {
  const sri = await start({ PYTHON_ENV_INIT_TIMEOUT: '2' });
  const { failure } = await sri.launch(functionPackage('mute', { mute: true }));
  expect(failure?.Message).toContain('PYTHON_ENV_INIT_TIMEOUT');
  await eventually('no process is left', () => processesIn(sri.directory).length === 0 || undefined);
  expect(keptOf(sri)).toEqual([]);
});

test('one whose environment cannot be made leaves nothing but the log of that', async () => {
  const sri = await start();
  const { failure } = await sri.launch(
    functionPackage('needing', {}, { 'requirements.txt': 'file:///nothing/of/this/name.whl\n' }),
  );
  expect(failure?.Stage).toBe('build');
  expect(keptOf(sri)).toEqual(['.environment.log']);
});

test.skipIf(cannotShare !== undefined)(
  `functions that ask for the same share an environment${cannotShare === undefined ? '' : `: ${cannotShare}`}`,
  async () => {
    const sri = await start();
    for (const name of ['one', 'other']) {
      const { endpoint } = await sri.launch(functionPackage(name));
      expect(await sri.messages(endpoint, { do: 'echo' })).toHaveLength(1);
    }
    const libraries = globSync('data/cwd/tests/*/.venv/lib', { cwd: sri.directory }).map((path) =>
      realpathSync(join(sri.directory, path)),
    );
    expect(libraries).toHaveLength(2);
    expect(new Set(libraries).size).toBe(1);
    expect(libraries[0]).toContain('/.environments/');
  },
);

test('functions outlive their server, also one that is killed, and keep their addresses; no process does', async () => {
  const sri = await start();
  const packed = functionPackage('lasting');
  const { endpoint } = await sri.launch(packed);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    await sri.messages(endpoint, { do: 'echo' });
    await sri.stop(signal);
    await eventually('its processes end', () => processesIn(sri.directory).length === 0 || undefined);
    await sri.start();
    expect((await sri.lookUp(identifierOf(packed)))[0]?.Endpoint).toBe(endpoint);
    expect(await sri.messages(endpoint, { do: 'echo' })).toHaveLength(1);
  }
});

test('a server that is killed in the middle of a launch knows nothing of it, and launches it anew', async () => {
  const sri = await start();
  const packed = functionPackage('interrupted', { slow: 3 });
  const response = await sri.beginLaunch(packed);
  response.on('error', () => undefined);
  let told = '';
  response.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  await eventually('it is being run', () => told.includes('"Stage":"run"') || undefined);
  await sri.stop('SIGKILL');
  await sri.start();
  expect(await sri.lookUp(identifierOf(packed))).toEqual([]);
  expect((await sri.launch(packed)).failure).toBeUndefined();
  expect(existsSync(join(sri.directory, 'data/storage/functions'))).toBe(true);
});

test('told to stop, it takes nothing new, lets streams finish and says so', async () => {
  const sri = await start();
  const { endpoint } = await sri.launch(functionPackage('draining'));
  const stream = await sri.call(endpoint, { do: 'drip', count: 30 });
  await new Promise((resolve) => stream.once('readable', resolve));
  // A connection that is open already, as daemons keep them.
  const kept = await sri.answer('GET', '/readyz', { key: null });
  expect(kept.status).toBe(200);
  const stopped = sri.stop();
  const messages = (await textOf(stream)).split('\n').filter((line) => line.includes('"number"'));
  expect(messages).toHaveLength(30);
  expect(await stopped).toBe(0);
  expect(processesIn(sri.directory)).toEqual([]);
});

test('a second server is kept out of the directory of the first', async () => {
  const sri = await start();
  await expect(TestSri.start({}, sri.directory)).rejects.toThrow(/is in use by another/);
});

test('an instance that is stuck gets no more calls and is replaced', async () => {
  const sri = await start();
  const { endpoint } = await sri.launch(functionPackage('stuck'));
  const [before] = await sri.messages(endpoint, { do: 'stick' });
  await eventually('another instance answers', async () => {
    const [now] = await sri.messages(endpoint, { do: 'echo' });
    return now?.instance !== before?.instance || undefined;
  });
});

test('a thousand functions are known after a restart, listed and found, and no more are taken than may be', async () => {
  const sri = await start();
  const packed = functionPackage('template');
  await sri.launch(packed);
  await sri.stop();
  const records = join(sri.directory, 'data/storage/functions');
  const [template = ''] = readdirSync(records);
  const record = JSON.parse(readFileSync(join(records, template), 'utf8'));
  for (let n = 0; n < 999; n++) {
    const identifier = `tests/many${n}:0.0.1@${'c'.repeat(64)}`;
    writeFileSync(join(records, `many${n}`), JSON.stringify({ ...record, identifier }));
  }
  // Neither half a record nor a stranger's keeps the others from being known.
  writeFileSync(join(records, 'damaged'), '{"identifier":"tests/x');
  await sri.start();
  const { Items, Next } = JSON.parse((await sri.answer('GET', '/v1/runner/instances')).text);
  expect([Items.length, Next]).toEqual([1000, undefined]);
  expect(await sri.lookUp(`tests/many998:0.0.1@${'c'.repeat(64)}`)).toHaveLength(1);
  const refused = await sri.launch(functionPackage('one-too-many'));
  expect([refused.status, refused.text]).toEqual([503, expect.stringContaining('SRI_MAX_FUNCTIONS')]);
  expect((await sri.launch(packed)).failure).toBeUndefined();
  expect(sri.log).toContain('the record of a function is damaged');
});

test('as many are launched at once as there is room for', async () => {
  const sri = await start({ SRI_MAX_FUNCTIONS: '2' });
  const packages = ['one', 'two', 'three', 'four'].map((name) => functionPackage(`at-once-${name}`));
  const launched = await Promise.all(packages.map((packed) => sri.launch(packed)));
  expect(launched.map(({ status }) => status).toSorted()).toEqual([200, 200, 503, 503]);
  const { Items } = JSON.parse((await sri.answer('GET', '/v1/runner/instances')).text);
  expect(Items).toHaveLength(2);
  // Who asks again joins what there is.
  const again = packages.filter((_packed, at) => launched[at]?.status === 200);
  expect((await Promise.all(again.map((packed) => sri.launch(packed)))).map(({ status }) => status)).toEqual([
    200, 200,
  ]);
});

test('a disk that is full fails the launch with its reason, and the server goes on', async () => {
  const sri = await start({ PLUGIN_ISOLATION: 'none' });
  const kept = functionPackage('kept');
  const { endpoint } = await sri.launch(kept);
  const packages = join(sri.directory, 'data/storage/packages');
  rmSync(packages, { recursive: true });
  // No directory can be made where a file is: as good as no room.
  writeFileSync(packages, '');
  const { failure } = await sri.launch(functionPackage('homeless'));
  expect(failure?.Stage).toBe('build');
  expect(failure?.Message).not.toBe('');
  expect(await sri.messages(endpoint, { do: 'echo' })).toHaveLength(1);
});

test('while the key is changed both are right, and the log tells who still has the former one', async () => {
  const former = 'the-former-key-of-the-sri';
  const sri = await start({ SRI_API_KEY_PREVIOUS: former });
  expect((await sri.answer('POST', '/ping')).status).toBe(200);
  expect(sri.log).not.toContain('former key');
  expect((await sri.answer('POST', '/ping', { key: former })).status).toBe(200);
  await eventually('the log says so', () => sri.log.includes('a daemon still uses the former key') || undefined);
  expect(sri.log).not.toContain(former);
  const { endpoint } = await sri.launch(functionPackage('keys'));
  const [environ] = await sri.messages(endpoint, { do: 'environ' });
  expect(JSON.stringify(environ)).not.toContain(former);
});
