/** The commands that talk to a daemon, with a real daemon that runs real plugins. */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DaemonProcess } from '@plugin-daemon/bench';
import { DEFAULT_TENANT } from '@plugin-daemon/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { dify, difyProcess, newPlugin, type Ran, temporaryFolder } from './harness.ts';

const SLOW = 300_000;
const TENANT = '11111111-1111-4111-8111-111111111111';

let daemon: DaemonProcess;
/** Nothing of a daemon that may be configured around the tests. */
const ENV: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  DIFY_CLI_CACHE_DIR: join(tmpdir(), 'dify-cli-test-cache'),
};

beforeAll(async () => {
  // Without a key of its own the daemon keeps a generated one in its data folder, where authors' commands find it.
  daemon = await DaemonProcess.start({
    innerApi: { url: 'http://127.0.0.1:9', key: 'inner-key' },
    settings: { SERVER_KEY: '', PYTHON_ENV_INIT_TIMEOUT: '240' },
  });
}, 240_000);

afterAll(async () => {
  await daemon?.close();
}, 240_000);

/** A command as somebody gives it below the folder of the daemon. */
const here = (...argv: string[]): Promise<Ran> =>
  dify(['plugin', ...argv], { cwd: join(dirname(daemon.dataDirectory), 'somewhere'), env: ENV });

async function list(...flags: string[]): Promise<unknown> {
  return (await here('list', ...flags)).outcome?.data?.plugins;
}

test('address and key come from the data folder at hand', async () => {
  const run = await here('list');
  expect(run.error).toBeUndefined();
  expect(run.outcome?.data).toEqual({ tenant: '00000000-0000-4000-8000-000000000001', plugins: [] });
  const elsewhere = await dify(['plugin', 'list'], { cwd: temporaryFolder(), env: ENV });
  expect(elsewhere.error).toMatchObject({ exit: 2, message: expect.stringContaining('the key of the daemon') });
});

test('the key of a data folder is given to no other machine, and other people’s folders are not read', async () => {
  const remote = await here('list', '--url', 'http://192.0.2.1:5002');
  expect(remote.error).toMatchObject({ exit: 2, message: expect.stringContaining('192.0.2.1:5002 is missing') });
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'data', 'keys'), { recursive: true });
  writeFileSync(join(cwd, 'data', 'keys', 'server-key'), 'k'.repeat(32));
  writeFileSync(join(cwd, 'data', 'address.json'), '{"url":"http://127.0.0.1:1"}');
  const own = await dify(['plugin', 'list'], { cwd, env: ENV });
  expect(own.error).toMatchObject({ code: 'unreachable', message: expect.stringContaining('127.0.0.1:1') });
  // Only root can make a folder somebody else's.
  if (process.getuid?.() !== 0) return;
  chownSync(join(cwd, 'data'), 12345, 12345);
  expect((await dify(['plugin', 'list'], { cwd, env: ENV })).error).toMatchObject({ exit: 2 });
});

test('settings of the daemon in .env say where it is while it is not running', async () => {
  const cwd = temporaryFolder();
  mkdirSync(join(cwd, 'state', 'keys'), { recursive: true });
  writeFileSync(join(cwd, 'state', 'keys', 'server-key'), 'k'.repeat(32));
  writeFileSync(join(cwd, '.env'), 'DATA_DIR=state\nSERVER_HOST=0.0.0.0\nSERVER_PORT=2\n');
  const run = await dify(['plugin', 'list'], { cwd, env: ENV });
  expect(run.error).toMatchObject({ code: 'unreachable', message: expect.stringContaining('127.0.0.1:2 ') });
});

test('what is wrong is said: tenant, key, address, somebody else’s server', async () => {
  for (const command of ['install', 'list', 'upgrade', 'logs', 'key'])
    expect((await here(command, '--tenant', 'mine')).error, command).toMatchObject({
      exit: 2,
      message: '--tenant "mine" is no UUID',
    });
  expect((await here('list', '--key', 'wrong-key-wrong-key')).error).toMatchObject({
    code: 'unauthorized',
    remedy: expect.stringContaining('SERVER_KEY'),
  });
  expect((await here('list', '--url', 'http://')).error).toMatchObject({ exit: 2 });
  expect((await here('list', '--url', 'http://127.0.0.1:1', '--key', 'k')).error).toMatchObject({
    code: 'unreachable',
    exit: 1,
  });
});

test('a plugin is installed, rebuilt, upgraded, taken back and uninstalled; each time the list shows it', {
  timeout: SLOW,
}, async () => {
  const path = await newPlugin(temporaryFolder(), 'weather');
  const first = await here('install', path);
  expect(first.error?.message).toBeUndefined();
  expect(first.outcome?.data).toMatchObject({ action: 'installed', plugin_id: 'acme/weather', previous: null });
  const one = first.outcome?.data?.unique_identifier;
  expect(await list()).toMatchObject([{ unique_identifier: one, version: '0.0.1', runtime: 'local' }]);
  expect(await list('--tenant', TENANT)).toEqual([]);
  expect((await here('install', path)).outcome?.data).toMatchObject({ action: 'unchanged' });

  writeFileSync(join(path, 'main.py'), `${readFileSync(join(path, 'main.py'), 'utf8')}\n# rebuilt\n`);
  const rebuilt = await here('install', path);
  expect(rebuilt.outcome?.data).toMatchObject({ action: 'upgraded', version: '0.0.1', previous: one });
  expect(await list()).toMatchObject([{ unique_identifier: rebuilt.outcome?.data?.unique_identifier }]);

  const parent = temporaryFolder();
  const old = join(parent, 'old.difypkg');
  await dify(['plugin', 'package', path, '-o', old]);
  const manifest = readFileSync(join(path, 'manifest.yaml'), 'utf8');
  writeFileSync(join(path, 'manifest.yaml'), manifest.replaceAll('0.0.1', '0.0.2'));
  const newer = await here('upgrade', path);
  expect(newer.outcome?.data).toMatchObject({ action: 'upgraded', version: '0.0.2' });
  expect(await list()).toMatchObject([{ version: '0.0.2' }]);
  expect((await here('install', old)).outcome?.data).toMatchObject({ action: 'upgraded', version: '0.0.1' });
  expect(await list()).toMatchObject([{ version: '0.0.1' }]);

  const typo = await here('uninstall', 'waether');
  expect(typo.error).toMatchObject({ exit: 1, remedy: expect.stringContaining('did you mean acme/weather?') });
  const gone = await here('uninstall', 'weather');
  expect(gone.outcome?.data).toMatchObject({ plugin_id: 'acme/weather' });
  expect(await list()).toEqual([]);
  expect((await here('uninstall', path)).error).toMatchObject({ code: 'not-installed', exit: 1 });
  expect((await here('upgrade', path)).error).toMatchObject({ code: 'not-installed', exit: 1 });
});

test('a version that does not start leaves the old one, and its words are in the logs', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder(), 'broken');
  const first = await here('install', path);
  expect(first.error?.message).toBeUndefined();
  const main = readFileSync(join(path, 'main.py'), 'utf8');
  writeFileSync(join(path, 'main.py'), `raise SystemExit("no \\033[31mluck today")\n${main}`);
  const second = await here('install', path);
  expect(second.error).toMatchObject({ exit: 1, message: expect.stringContaining('luck today') });
  expect(await list()).toMatchObject([{ unique_identifier: first.outcome?.data?.unique_identifier }]);
  const logs = await here('logs', 'acme/broken');
  expect(logs.stdout).toMatch(/daemon +plugin is ready/);
  expect(logs.stdout).toMatch(/stderr +no luck today/);
  expect(logs.stdout).not.toContain('\u001b');
  expect((await here('logs', path, '-n', '1')).stdout.trim().split('\n')).toHaveLength(1);
  expect((await here('logs', 'borken')).error).toMatchObject({ remedy: expect.stringContaining('acme/broken') });
});

test('logs are followed until Ctrl-C', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder(), 'talker');
  expect((await here('install', path)).error?.message).toBeUndefined();
  const following = await difyProcess(['plugin', 'logs', path, '--follow', '--json'], {
    cwd: dirname(daemon.dataDirectory),
    env: ENV,
    during: async (child) => {
      const seen = Promise.withResolvers<void>();
      let text = '';
      child.stdout?.on('data', (chunk) => {
        text += String(chunk);
        if (text.includes('said later')) seen.resolve();
        else if (text.includes('plugin is ready') && !existsSync(join(path, 'changed'))) void say();
      });
      const say = async (): Promise<void> => {
        writeFileSync(join(path, 'changed'), '');
        const main = readFileSync(join(path, 'main.py'), 'utf8');
        writeFileSync(join(path, 'main.py'), `print("said later")\n${main}`);
        await here('install', path);
      };
      await seen.promise;
      child.kill('SIGINT');
    },
  });
  expect(following.code).toBe(130);
  const lines = following.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual(expect.objectContaining({ source: 'stdout', message: 'said later' }));
});

test('the debugging key is printed for a .env file, or written into one beside what is there', async () => {
  const run = await here('key');
  const address = `127.0.0.1:${daemon.debuggingPort}`;
  expect(run.outcome?.text).toMatch(
    new RegExp(`^INSTALL_METHOD=remote\nREMOTE_INSTALL_URL=${address}\nREMOTE_INSTALL_KEY=[0-9a-f-]{36}$`),
  );
  const file = join(temporaryFolder(), '.env');
  expect((await here('key', `--write=${file}`)).error).toBeUndefined();
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, '# mine\nOTHER=1\nREMOTE_INSTALL_KEY=old\n');
  chmodSync(file, 0o640);
  const rotated = await here('key', '--rotate', `--write=${file}`);
  expect(readFileSync(file, 'utf8')).toBe(
    `# mine\nOTHER=1\nREMOTE_INSTALL_KEY=${String(rotated.outcome?.data?.key)}\nINSTALL_METHOD=remote\nREMOTE_INSTALL_URL=${address}\n`,
  );
  expect(rotated.outcome?.data?.key).not.toBe(run.outcome?.data?.key);
  expect(statSync(file).mode & 0o777).toBe(0o640);
});

test('a plugin that is connected for debugging stands in the way of installing it, and that is said', {
  timeout: SLOW,
}, async () => {
  const path = await newPlugin(temporaryFolder(), 'debugged');
  expect((await here('key', `--write=${join(path, '.env')}`)).error).toBeUndefined();
  const dev = await difyProcess(['plugin', 'dev', path], {
    env: { ...process.env, ...ENV },
    during: async (child) => {
      const connected = async (): Promise<boolean> => JSON.stringify(await list()).includes('acme/debugged');
      while (!(await connected())) await new Promise((resolve) => setTimeout(resolve, 200));
      const install = await here('install', path);
      expect(install.error).toMatchObject({ code: 'in-the-way', exit: 1, remedy: expect.stringContaining('dev') });
      expect((await here('uninstall', 'debugged')).error).toMatchObject({ code: 'in-the-way' });
      expect((await here('logs', 'debugged')).stdout).not.toBe('');
      child.kill('SIGINT');
    },
  });
  expect(dev.code, dev.stderr).toBe(0);
});

test('a call of a plugin under development ends inside it when its caller leaves', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder(), 'stopped');
  expect((await here('key', `--write=${join(path, '.env')}`)).error).toBeUndefined();
  const ended = join(path, 'ended');
  const key = readFileSync(join(daemon.dataDirectory, 'keys/server-key'), 'utf8').trim();
  writeFileSync(
    join(path, 'tools/stopped.py'),
    `import time

from dify_plugin import Tool


class StoppedTool(Tool):
    def _invoke(self, tool_parameters):
        yield self.create_text_message("begun")
        try:
            time.sleep(3600)
        except Exception:
            pass
        finally:
            open(${JSON.stringify(ended)}, "w").close()
`,
  );
  const dev = await difyProcess(['plugin', 'dev', path], {
    env: { ...process.env, ...ENV },
    during: async (child) => {
      while (!JSON.stringify(await list()).includes('acme/stopped')) await sleep(200);
      const leaving = new AbortController();
      const answer = await fetch(`${daemon.url}/plugin/${DEFAULT_TENANT}/dispatch/tool/invoke`, {
        method: 'POST',
        headers: { 'X-Api-Key': key, 'X-Plugin-ID': 'acme/stopped', 'Content-Type': 'application/json' },
        body: JSON.stringify({
          user_id: 'u',
          data: { provider: 'stopped', tool: 'stopped', credentials: {}, tool_parameters: { query: '' } },
        }),
        signal: leaving.signal,
      });
      const first = await answer.body?.getReader().read();
      expect(Buffer.from(first?.value ?? []).toString()).toContain('begun');
      leaving.abort();
      while (!existsSync(ended)) await sleep(50);
      child.kill('SIGINT');
    },
  });
  expect(dev.code, dev.stderr).toBe(0);
  expect(dev.stderr).toContain('the caller left');
});
