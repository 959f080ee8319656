/** What every back end does alike, with real instances: start, answer, end, fail, hold in, leave nothing behind. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FunctionRecord } from '../function-store.ts';
import type { Backend, BuiltFunction, FunctionInstance } from './backend.ts';

export interface BackendUnderTest {
  readonly backend: Backend;
  /** How many instances run of those it has started, as the system sees it. */
  running(): Promise<number>;
  close(): Promise<void>;
}

export interface SuiteOptions {
  /** @param egress what SRI_EGRESS says @param readySeconds how long a start may take */
  open(options: { readonly egress: 'all' | readonly []; readonly readySeconds: number }): Promise<BackendUnderTest>;
  readonly python: string;
  /** The daemon that functions call back. */
  readonly daemonUrl: string;
  /** Why what holds instances in cannot be seen here; then it is not looked for. */
  readonly notEnforced?: string;
}

const FUNCTION = new URL('../../../test/plugins/function.py', import.meta.url);

/** A working directory as an environment's build leaves it. */
export function built(root: string, name: string, python: string, variant: object): BuiltFunction {
  const directory = join(root, `${name}-0.0.1@${'a'.repeat(64)}`);
  rmSync(directory, { recursive: true, force: true });
  // As environments are made: the second folder is for what is noted of them.
  for (const folder of ['.venv/bin', '.venv/dify']) mkdirSync(join(directory, folder), { recursive: true });
  symlinkSync(python, join(directory, '.venv/bin/python'));
  cpSync(FUNCTION, join(directory, 'main.py'));
  writeFileSync(join(directory, 'variant.json'), JSON.stringify(variant));
  const record: FunctionRecord = {
    name: `fn-${name}-0123456789abcdef`,
    identifier: `tests/${name}:0.0.1@${'a'.repeat(64)}`,
    pluginId: `tests/${name}`,
    fileName: '',
    token: 'x'.repeat(32),
    runner: { language: 'python', version: '3.12', entrypoint: 'main' },
    memory: 1024,
    launchedAt: 0,
  };
  return { record, directory, python: join(directory, '.venv/bin/python'), fresh: true };
}

function send(
  instance: FunctionInstance,
  method: string,
  path: string,
  body?: string,
): Promise<{ status: number; text: string }> {
  const { origin, socketPath } = instance.address;
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const asking = request(
    `${origin}${path}`,
    { method, agent: false, ...(socketPath !== undefined && { socketPath }) },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.once('error', reject);
    },
  );
  asking.once('error', reject);
  asking.end(body);
  return promise;
}

/** The first message of a call. */
export async function ask(instance: FunctionInstance, data: object): Promise<Record<string, unknown>> {
  const { text } = await send(instance, 'POST', '/invoke', JSON.stringify({ session_id: 's', event: 'request', data }));
  return JSON.parse(text.split('\n')[0] ?? '').data.data;
}

/** Runs over a back end. */
export function backendSuite({ open, python, daemonUrl, notEnforced }: SuiteOptions): void {
  const held = (what: string, body: () => Promise<void>) =>
    notEnforced === undefined ? test(what, body) : test.skip(`${what}: ${notEnforced}`, body);
  let under: BackendUnderTest;
  let root: string;
  let count = 0;
  const signal = new AbortController().signal;
  const start = (variant: object = {}, backend = under.backend, given = signal) =>
    backend.start({ function: built(root, `case${count++}`, python, variant), signal: given });

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'backend-suite-'));
    under = await open({ egress: 'all', readySeconds: 30 });
    await under.backend.sweep();
    await under.backend.check(signal);
  });

  afterAll(async () => {
    await under?.close();
    rmSync(root, { recursive: true, force: true });
  });

  test('an instance answers its health check and calls, and is gone when it was stopped', async () => {
    const instance = await start();
    expect(await send(instance, 'GET', '/health')).toEqual({ status: 200, text: 'OK' });
    expect(await ask(instance, { do: 'echo', text: 'hé' })).toMatchObject({ echo: 'hé' });
    expect(await under.running()).toBe(1);
    await Promise.all([instance.stop('the test is over'), instance.stop('twice')]);
    expect((await instance.ended).text).toContain('the test is over');
    expect(await under.running()).toBe(0);
  });

  test('it has what the SDK needs, and none of the keys of the server', async () => {
    const instance = await start();
    const environ = await ask(instance, { do: 'environ' });
    expect(environ).toMatchObject({ INSTALL_METHOD: 'serverless', MAX_REQUEST_TIMEOUT: '77' });
    expect(environ.SERVERLESS_HOST).toMatch(/^127\./);
    expect(JSON.stringify(environ)).not.toContain('secret-of-the-server');
    await instance.stop('over');
  });

  held('it cannot write where it lies, nor see what lies beside it', async () => {
    const instance = await start();
    const code = `
import os
def attempt(work):
    try:
        return work() or "done"
    except OSError as error:
        return type(error).__name__
result = [attempt(lambda: open("main.py", "w")), attempt(lambda: os.listdir(os.path.dirname(os.getcwd())))]`;
    const { result } = await ask(instance, { do: 'python', code });
    const [written, beside] = result as [string, string | string[]];
    expect(written).not.toBe('done');
    expect(Array.isArray(beside) ? beside : []).not.toContain('case0-0.0.1@aaaa');
    expect(Array.isArray(beside) ? beside.length : 1).toBe(1);
    await instance.stop('over');
  });

  test('one that ends by itself says how', async () => {
    const instance = await start();
    await expect(send(instance, 'POST', '/invoke', '{"session_id":"s","data":{"do":"die"}}')).rejects.toThrow();
    expect((await instance.ended).text).toContain('exit code 7');
    expect(await under.running()).toBe(0);
  });

  test('one that ends before it answers fails its start with exit code and last words', async () => {
    const failed = start({ crash: true });
    await expect(failed).rejects.toThrow(/exit code 3.*cannot go on/s);
    await expect(failed).rejects.toBeInstanceOf(DaemonError);
    expect(await under.running()).toBe(0);
  });

  test('one that never answers is given up after its time, with the limit', async () => {
    const impatient = await open({ egress: 'all', readySeconds: 1.5 });
    try {
      await expect(start({ mute: true }, impatient.backend)).rejects.toThrow('PYTHON_ENV_INIT_TIMEOUT');
      expect(await impatient.running()).toBe(0);
    } finally {
      await impatient.close();
    }
  });

  test('a start that is given up leaves nothing', async () => {
    const given = new AbortController();
    const starting = start({ mute: true }, under.backend, given.signal);
    setTimeout(() => given.abort(new Error('not wanted')), 500);
    await expect(starting).rejects.toThrow('not wanted');
    expect(await under.running()).toBe(0);
    await expect(start({}, under.backend, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  held('one that uses more memory than it may is ended, and says so', async () => {
    const instance = await start();
    await expect(ask(instance, { do: 'eat', megabytes: 2000 })).rejects.toThrow();
    expect((await instance.ended).text).toContain('memory limit');
  });

  test('several of one function run side by side and end alone', async () => {
    const target = built(root, 'shared', python, {});
    const [one, other] = await Promise.all([0, 1].map(() => under.backend.start({ function: target, signal })));
    if (one === undefined || other === undefined) throw new Error('two were started');
    expect((await ask(one, {})).instance).not.toBe((await ask(other, {})).instance);
    await one.stop('over');
    expect(await ask(other, { text: 'still here' })).toMatchObject({ echo: 'still here' });
    await other.stop('over');
  });

  held('one without a way out reaches nothing but its daemon', async () => {
    const closed = await open({ egress: [], readySeconds: 30 });
    try {
      const instance = await start({}, closed.backend);
      const { host: _, port } = new URL(daemonUrl);
      expect(await ask(instance, { do: 'connect', host: '127.0.0.1', port })).toMatchObject({ connected: false });
      expect(await ask(instance, { do: 'connect', host: '192.0.2.1', port: 80 })).toMatchObject({ connected: false });
      const code = `
import os, urllib.request
url = os.environ["DIFY_PLUGIN_DAEMON_URL"]
result = urllib.request.urlopen(urllib.request.Request(url + "/backwards-invocation/transaction", b"{}", method="POST"), timeout=10).read().decode()`;
      expect(await ask(instance, { do: 'python', code })).toEqual({ result: 'from the daemon' });
      await instance.stop('over');
    } finally {
      await closed.close();
    }
  });
}
