/** Templates with the real SDK, installed by the real uv from the package index, started and called. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { openPackage } from '@plugin-daemon/plugin-package';
import { afterAll, expect, test } from 'vitest';
import { pluginDirectory } from '../src/slim/plugin-folder.ts';
import { dify, difyProcess, newPlugin, temporaryFolder } from './harness.ts';

/** Kept between runs: environments are made once for equal dependencies. */
/** Where commands put what they need for a moment: theirs alone, so that what stays there is theirs. */
const SCRATCH = mkdtempSync(join(tmpdir(), 'dify-cli-scratch-'));
afterAll(() => rmSync(SCRATCH, { recursive: true, force: true }));
const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  DIFY_CLI_CACHE_DIR: join(tmpdir(), 'dify-cli-test-cache'),
  TMPDIR: SCRATCH,
};
const leftInScratch = (): readonly string[] => readdirSync(SCRATCH).filter((name) => name.startsWith('plugin-run-'));
const SLOW = 300_000;

type Message = { invoke_id: string; type: string; response: Record<string, unknown> };

interface Case {
  flags: string[];
  /** `plugin invoke` arguments after the path. */
  invoke: string[];
  /** In the first answer. */
  answer: unknown;
}

const KEY = ['-c', 'api_key=k'];
const CASES: readonly Case[] = [
  {
    flags: ['tool'],
    invoke: ['tool', '-p', 'query=Oslo'],
    answer: { type: 'json', message: { json_object: { result: 'Hello, world!', query: 'Oslo' } } },
  },
  {
    flags: ['agent-strategy'],
    invoke: ['agent-strategy', '-p', 'query=Hi'],
    answer: { type: 'text', message: { text: 'hello' } },
  },
  {
    flags: ['llm'],
    invoke: ['llm', '-p', 'prompt=a b', ...KEY],
    answer: { model: 'example-chat', delta: { message: { content: 'a ' } } },
  },
  {
    flags: ['text-embedding'],
    invoke: ['text-embedding', '-p', 'text=x', ...KEY],
    answer: { embeddings: [expect.any(Array)] },
  },
  {
    flags: ['rerank'],
    invoke: ['rerank', '-p', 'query=a', '-p', 'docs=["b","a"]', ...KEY],
    answer: { docs: [{ index: 1, text: 'a', score: 1 }, { index: 0 }] },
  },
  { flags: ['tts'], invoke: ['tts', '-p', 'text=x', ...KEY], answer: { result: expect.stringMatching(/^52494646/) } },
  {
    flags: ['speech2text'],
    invoke: ['speech2text', '-p', 'file=00ff', ...KEY],
    answer: { result: 'a recording of 2 bytes' },
  },
  { flags: ['moderation'], invoke: ['moderation', '-p', 'text=banned', ...KEY], answer: { result: true } },
  { flags: ['extension'], invoke: ['endpoint'], answer: { status: 200, headers: { 'Content-Type': 'text/html' } } },
  {
    flags: ['datasource', '--provider-type', 'website_crawl'],
    invoke: ['datasource', '-p', 'url=http://x'],
    answer: { result: { status: 'processing' } },
  },
  {
    flags: ['datasource', '--provider-type', 'online_document'],
    invoke: ['datasource'],
    answer: { result: [{ pages: [{ page_id: 'page-1' }] }] },
  },
  {
    flags: ['datasource', '--provider-type', 'online_drive'],
    invoke: ['datasource'],
    answer: { result: [{ files: [{ id: 'hello.txt' }] }] },
  },
  {
    flags: ['trigger'],
    invoke: ['trigger', '-p', 'body={"type":"my-event-type","message":"m"}'],
    answer: { events: ['demo_event'] },
  },
  { flags: ['trigger'], invoke: ['trigger'], answer: { events: [] } },
  { flags: ['trigger'], invoke: ['event', '-p', 'body={"message":"m"}'], answer: { variables: { message: 'm' } } },
];

test.each(CASES)(
  'a new $flags plugin is valid, packs, installs, starts and answers',
  { timeout: SLOW },
  async ({ flags, invoke, answer }) => {
    const parent = temporaryFolder();
    const path = await newPlugin(parent, 'demo', '--category', ...flags);
    expect((await dify(['plugin', 'validate', path])).exit).toBe(0);
    expect((await dify(['plugin', 'package', path], { cwd: parent })).error).toBeUndefined();
    const run = await dify(['plugin', 'invoke', join(parent, 'demo.difypkg'), ...invoke, '--json'], {
      env: ENV,
      cwd: parent,
    });
    expect(run.error?.message).toBeUndefined();
    const { answers } = run.outcome?.data ?? {};
    expect(Array.isArray(answers) && answers[0]).toMatchObject(answer as object);
  },
);

test.skipIf(process.platform === 'win32')(
  'plugins whose dependencies come to the same files share an environment, and one that is damaged is mended by the next start',
  { timeout: SLOW },
  async () => {
    const parent = temporaryFolder();
    const environments = join(parent, 'cache/environments');
    const env = {
      ...ENV,
      DIFY_CLI_CACHE_DIR: join(parent, 'cache'),
      PYTHONDONTWRITEBYTECODE: '1',
      UV_CACHE_DIR: process.env.UV_CACHE_DIR ?? join(String(ENV.DIFY_CLI_CACHE_DIR), 'environments/.uv-cache'),
    };
    const invoke = async (name: string): Promise<string> => {
      const run = await dify(['plugin', 'invoke', join(parent, name), 'tool', '-p', 'query=Oslo', '--json'], {
        env,
        cwd: parent,
      });
      expect(run.error?.message).toBeUndefined();
      expect(JSON.stringify(run.outcome?.data)).toContain('Hello, world!');
      return run.stderr;
    };
    const kept = () => readdirSync(environments).filter((name) => /^dependencies-[^.]+\.0\.0@\w+$/.test(name));
    const stored = () => readdirSync(join(environments, '.environments')).filter((name) => /^\w{32}$/.test(name));
    for (const name of ['one', 'two']) await newPlugin(parent, name);
    // Asked for in other words.
    const asked = join(parent, 'two', 'pyproject.toml');
    writeFileSync(asked, readFileSync(asked, 'utf8').replace('[project]', '# The same.\n[project]'));
    await invoke('one');
    await invoke('two');
    expect(kept()).toHaveLength(2);
    expect(stored()).toHaveLength(1);

    const [folder = ''] = stored();
    const site = join(
      environments,
      '.environments',
      folder,
      'lib',
      String(readdirSync(join(environments, '.environments', folder, 'lib'))[0]),
      'site-packages',
    );
    const module = join(site, 'dify_plugin/__init__.py');
    // Python was told to write none.
    expect(readdirSync(join(site, 'dify_plugin/__pycache__'))).toContainEqual(expect.stringMatching(/\.pyc$/));
    // The file is one with that in the cache of uv.
    rmSync(module);
    writeFileSync(module, 'raise SystemError("damaged")\n');
    expect(await invoke('one')).toContain('was damaged and is made anew');
    expect(await invoke('two')).not.toContain('damaged');
    expect(stored()).toHaveLength(1);
  },
);

/** Starts `plugin run`, hands over its messages, and stops it. */
async function withRun(
  argv: readonly string[],
  work: (run: {
    send(text: string): void;
    next(want: (message: Message) => boolean): Promise<Message>;
    kill(): void;
    seen: Message[];
  }) => Promise<void>,
): Promise<{ code: number | null; stderr: string }> {
  const waiting: { want: (message: Message) => boolean; resolve: (message: Message) => void }[] = [];
  const seen: Message[] = [];
  let buffer = '';
  const ended = await difyProcess(argv, {
    env: ENV,
    during: async (child) => {
      child.stdout?.on('data', (chunk) => {
        const lines = (buffer + String(chunk)).split('\n');
        buffer = lines.pop() ?? '';
        for (const line of lines) {
          const message = JSON.parse(line) as Message;
          seen.push(message);
          for (const waiter of waiting.filter((each) => each.want(message))) {
            waiting.splice(waiting.indexOf(waiter), 1);
            waiter.resolve(message);
          }
        }
      });
      const next = (want: (message: Message) => boolean): Promise<Message> =>
        new Promise((resolve, reject) => {
          const known = seen.find(want);
          if (known !== undefined) resolve(known);
          else waiting.push({ want, resolve });
          child
            .setMaxListeners(0)
            .once('close', () => reject(new Error(`ended while waiting; seen ${JSON.stringify(seen)}`)));
        });
      try {
        await work({ send: (text) => child.stdin?.write(text), next, kill: () => child.kill('SIGTERM'), seen });
      } finally {
        child.kill('SIGTERM');
      }
    },
  });
  return ended;
}

const invokeTool = (id: string, query = 'q'): string =>
  `${JSON.stringify({ invoke_id: id, type: 'tool', action: 'invoke_tool', request: { provider: 'demo', tool: 'demo', tool_parameters: { query }, credentials: {} } })}\n`;

test('plugin run speaks the line protocol on stdin and stdout, and ends on SIGTERM with 0', {
  timeout: SLOW,
}, async () => {
  const parent = temporaryFolder();
  await newPlugin(parent);
  await dify(['plugin', 'package', join(parent, 'demo')], { cwd: parent });
  const ended = await withRun(
    ['plugin', 'run', join(parent, 'demo.difypkg'), '--response-format', 'json'],
    async ({ send, next, seen }) => {
      const ready = await next((message) => message.type === 'plugin_ready');
      expect(ready).toEqual({ invoke_id: '', type: 'plugin_ready', response: { info: 'plugin loaded' } });
      expect(seen[0]).toEqual({ invoke_id: '', type: 'info', response: { info: 'loading plugin' } });
      send('{"invoke_id":"x"}\n');
      expect(await next((message) => message.invoke_id === 'x')).toMatchObject({
        type: 'error',
        response: { error: 'action and type are required' },
      });
      send('{"invoke_id":"y","type":"tool","action":"dance"}\n');
      expect(await next((message) => message.invoke_id === 'y')).toMatchObject({
        type: 'error',
        response: { error: 'unknown action dance' },
      });
      // Several at once, cut into pieces.
      const lines = Array.from({ length: 20 }, (_, index) => invokeTool(`a${index}`, `q${index}`)).join('');
      for (let at = 0; at < lines.length; at += 100) send(lines.slice(at, at + 100));
      for (let index = 0; index < 20; index++) {
        await next((message) => message.invoke_id === `a${index}` && message.type === 'plugin_invoke_end');
        expect(
          seen.find((message) => message.invoke_id === `a${index}` && message.type === 'plugin_response')?.response,
        ).toMatchObject({ message: { json_object: { query: `q${index}` } } });
      }
      send(
        `${JSON.stringify({ invoke_id: 'bad', type: 'tool', action: 'invoke_tool', request: { provider: 'none', tool: 'demo', tool_parameters: {}, credentials: {} } })}\n`,
      );
      await next((message) => message.invoke_id === 'bad' && message.type === 'plugin_invoke_end');
      const error = seen.find((message) => message.invoke_id === 'bad' && message.type === 'error');
      expect(JSON.parse(String(error?.response.error))).toMatchObject({
        error_type: 'ValueError',
        message: expect.stringContaining('none'),
      });
    },
  );
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(leftInScratch()).toEqual([]);
});

test('plugin run finishes running calls when stdin ends', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder());
  const ended = await difyProcess(['plugin', 'run', path, '-r', 'json'], {
    env: ENV,
    during: (child) => {
      child.stdin?.end(invokeTool('last').trimEnd());
    },
  });
  expect(ended.code).toBe(0);
  expect(ended.stdout.trim().split('\n').at(-1)).toBe(
    '{"invoke_id":"last","type":"plugin_invoke_end","response":{"info":"plugin invoke end"}}',
  );
});

test('plugin run serves any number of TCP clients, with a token', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder());
  const ended = await withRun(
    ['plugin', 'run', path, '-r', 'json', '-m', 'tcp', '--token', 's3cret'],
    async ({ next }) => {
      const announced = await next((message) => typeof message.response.port === 'number');
      expect(announced.response.info).toBe(`plugin is running on 127.0.0.1:${announced.response.port}`);
      const client = (first: string): Promise<string> =>
        new Promise((resolve, reject) => {
          const socket = connect(Number(announced.response.port), '127.0.0.1', () => socket.write(first));
          let text = '';
          socket.on('data', (chunk) => {
            text += String(chunk);
            if (text.includes('plugin_invoke_end')) socket.end();
          });
          socket.on('close', () => resolve(text));
          socket.on('error', reject);
        });
      const good = `{"token":"s3cret"}\n${invokeTool('t')}`;
      for (const text of await Promise.all([client(good), client(good)])) expect(text).toContain('"query":"q"');
      expect(await client('{"token":"wrong"}\n')).toContain('"type":"error"');
    },
  );
  expect(ended.code).toBe(0);
});

/** Says where it is, waits for ever, and says so when it is ended. */
const WAITING_TOOL = `import os, time
from collections.abc import Generator
from typing import Any
from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage


class DemoTool(Tool):
    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage]:
        yield self.create_text_message("began")
        try:
            while True:
                time.sleep(0.05)
        finally:
            open(tool_parameters["query"], "w").close()
`;

test('a client that leaves ends its call inside the plugin, and nothing else', { timeout: SLOW }, async () => {
  const folder = temporaryFolder();
  const path = await newPlugin(folder);
  writeFileSync(join(path, 'tools/demo.py'), WAITING_TOOL);
  const ended = await withRun(['plugin', 'run', path, '-r', 'json', '-m', 'tcp', '--token', 't'], async ({ next }) => {
    const { response } = await next((message) => typeof message.response.port === 'number');
    const begun = (mark: string) =>
      new Promise<ReturnType<typeof connect>>((resolve, reject) => {
        const socket = connect(Number(response.port), '127.0.0.1', () =>
          socket.write(`{"token":"t"}\n${invokeTool('w', mark)}`),
        );
        let text = '';
        socket.on('data', (chunk) => {
          text += String(chunk);
          if (text.includes('began')) resolve(socket);
          else if (text.includes('"error"')) reject(new Error(text));
        });
        socket.on('error', reject);
      });
    const [left, stays] = [join(folder, 'left'), join(folder, 'stays')];
    const [leaving, staying] = await Promise.all([begun(left), begun(stays)]);
    leaving.destroy();
    await expect.poll(() => existsSync(left), { timeout: SLOW }).toBe(true);
    expect(existsSync(stays)).toBe(false);
    staying.destroy();
    await expect.poll(() => existsSync(stays), { timeout: SLOW }).toBe(true);
  });
  expect(ended.code).toBe(0);
});

test('a plugin that does not start ends the run with its traceback', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder());
  writeFileSync(join(path, 'main.py'), 'raise RuntimeError("no luck")\n');
  const ended = await difyProcess(['plugin', 'run', path, '-r', 'json'], { env: ENV });
  expect(ended.code).toBe(1);
  const last = JSON.parse(ended.stdout.trim().split('\n').at(-1) ?? '') as Message;
  expect(last).toMatchObject({ invoke_id: '', type: 'error' });
  expect(last.response.error).toContain('RuntimeError: no luck');
});

test('a plugin that dies in a call fails the call, and is started again', { timeout: SLOW }, async () => {
  const path = await newPlugin(temporaryFolder());
  const tool = join(path, 'tools', 'demo.py');
  writeFileSync(
    tool,
    readFileSync(tool, 'utf8').replace(
      'query = ',
      'import os\n        if tool_parameters.get("query") == "die":\n            os._exit(7)\n        query = ',
    ),
  );
  await withRun(['plugin', 'run', path, '-r', 'json'], async ({ send, next, seen }) => {
    await next((message) => message.type === 'plugin_ready');
    send(invokeTool('a', 'die'));
    await next((message) => message.invoke_id === 'a' && message.type === 'plugin_invoke_end');
    expect(
      String(seen.find((message) => message.invoke_id === 'a' && message.type === 'error')?.response.error),
    ).toContain('exit code 7');
    send(invokeTool('b', 'again'));
    await next((message) => message.invoke_id === 'b' && message.type === 'plugin_response');
  });
});

test('an agent calls tools and models of a scripted Dify; the call is recorded and repeated', {
  timeout: SLOW,
}, async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent, 'demo', '--category', 'agent-strategy');
  const chunk = (message: unknown): unknown => ({
    model: 'm',
    prompt_messages: [],
    delta: { index: 0, message: { role: 'assistant', content: '', tool_calls: [], ...(message as object) } },
  });
  writeFileSync(join(parent, 'mock.json'), JSON.stringify({ llm: [chunk({ content: 'scripted' })] }));
  const fixture = join(path, 'tests', 'hi.json');
  mkdirSync(join(path, 'tests'));
  const run = await dify(
    [
      'plugin',
      'invoke',
      path,
      'agent-strategy',
      '-p',
      'query=Hi',
      '--mock',
      join(parent, 'mock.json'),
      '--record',
      fixture,
      '--json',
    ],
    { env: ENV },
  );
  expect(run.error?.message).toBeUndefined();
  expect(run.outcome?.data).toMatchObject({
    answers: [{ message: { text: 'scripted' } }],
    backwards: [{ type: 'llm' }],
  });
  const again = await dify(['plugin', 'test', path, '--junit', join(parent, 'report.xml')], { env: ENV });
  expect(again.outcome?.data).toMatchObject({ passed: 1, failed: 0 });
  expect(readFileSync(join(parent, 'report.xml'), 'utf8')).toContain('tests="1" failures="0"');
  writeFileSync(fixture, readFileSync(fixture, 'utf8').replaceAll('"text": "scripted"', '"text": "other"'));
  expect(await dify(['plugin', 'invoke', path, '--replay', fixture], { env: ENV })).toMatchObject({
    exit: 1,
    error: { code: 'different' },
  });
});

test('vendored dependencies install without any index', { timeout: SLOW }, async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  const env = withoutUv(parent);
  // The manifest asks for 3.12: a newer one that is alone here takes its place.
  const here = execFileSync('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
    encoding: 'utf8',
  }).trim();
  const versions = ['3.11', '3.12'].includes(here) ? [] : ['--python', `3.12,${here}`];
  const packed = await dify(['plugin', 'package', path, '--vendor', ...versions, '--json'], { cwd: parent, env });
  expect(packed.error?.message).toBeUndefined();
  const offline = { ...ENV, DIFY_CLI_CACHE_DIR: join(parent, 'empty-cache'), UV_OFFLINE: '1' };
  const run = await dify(['plugin', 'invoke', join(parent, 'demo.difypkg'), 'tool', '-p', 'query=x', '--json'], {
    env: offline,
  });
  expect(run.error?.message).toBeUndefined();
  expect(run.outcome?.data?.answers).toMatchObject([{ type: 'json' }]);
});

/** The environment without uv: not on PATH, not named, nothing cached. */
function withoutUv(parent: string): NodeJS.ProcessEnv {
  const { UV_PATH: _, ...env } = process.env;
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => !existsSync(join(folder, 'uv')));
  return { ...env, PATH: folders.join(delimiter), DIFY_CLI_CACHE_DIR: join(parent, 'cache') };
}

const LOCK = `version = 1
requires-python = ">=3.11"

[[package]]
name = "demo"
version = "0.0.1"
source = { virtual = "." }
dependencies = [{ name = "idna" }]

[[package]]
name = "idna"
version = "3.10"
source = { registry = "https://index.example/simple" }
`;

test('a machine without uv: doctor says so, packaging from a lock file fetches it, doctor sees it', {
  timeout: SLOW,
}, async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  const env = withoutUv(parent);
  const uvCheck = async (...flags: string[]) => {
    const checks = (await dify(['doctor', ...flags], { env })).outcome?.data?.checks as { name: string }[];
    return Object.fromEntries(checks.map((check) => [check.name, check]));
  };
  expect(await uvCheck('--offline')).toMatchObject({
    uv: { verdict: 'warning', detail: 'uv is not on this machine' },
    'package index': { verdict: 'skipped' },
  });
  rmSync(join(path, 'requirements.txt'));
  writeFileSync(join(path, 'uv.lock'), LOCK);
  const packed = await dify(['plugin', 'package', path], { cwd: parent, env });
  expect(packed.error?.message).toBeUndefined();
  const archive = openPackage(readFileSync(join(parent, 'demo.difypkg')));
  expect(Buffer.from(archive.read('requirements.txt')).toString()).toMatch(/^idna==3\.10/m);
  expect(await uvCheck('--offline')).toMatchObject({
    uv: { verdict: 'ok', detail: expect.stringContaining(join(parent, 'cache', 'tools', 'uv-')) },
  });
  expect(await uvCheck()).toMatchObject({
    uv: { verdict: 'ok' },
    'package index': { verdict: 'ok', detail: expect.stringContaining('newest SDK') },
  });
});

test('Ctrl-C ends an installation and leaves nothing behind', { timeout: SLOW }, async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent);
  await dify(['plugin', 'package', path], { cwd: parent });
  const cache = join(parent, 'cache');
  const ended = await difyProcess(['plugin', 'invoke', join(parent, 'demo.difypkg'), 'tool', '-p', 'query=x'], {
    env: { ...ENV, DIFY_CLI_CACHE_DIR: cache },
    during: async (child) => {
      while (!existsSync(join(cache, 'environments'))) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill('SIGINT');
    },
  });
  expect(ended.code).toBe(130);
  expect(ended.stdout).toBe('');
  expect(leftInScratch()).toEqual([]);
});

test('version and JSON output carry nothing else on stdout', { timeout: SLOW }, async () => {
  const version = await difyProcess(['version']);
  expect(version).toMatchObject({ code: 0, stderr: '' });
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  const failed = await difyProcess(['plugin', 'checksum', '/none/there', '--json']);
  expect(failed.code).toBe(1);
  expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, error: { code: 'not-found', file: '/none/there' } });
  const usage = await difyProcess(['plugin', 'checksum', 'a', 'b', '--json']);
  expect(usage.code).toBe(2);
  expect(JSON.parse(usage.stdout)).toMatchObject({ ok: false, error: { code: 'usage' } });
  // A reader that leaves early is no failure.
  const child = spawn('sh', [
    '-c',
    `"${process.execPath}" "${join(import.meta.dirname, '..', 'src', 'main.ts')}" completion fish | head -1`,
  ]);
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(0);
});

test('slim runs a plugin: calls back answered by the mock, logs on request, a limit', { timeout: SLOW }, async () => {
  const parent = temporaryFolder();
  const path = await newPlugin(parent, 'demo', '--allow-storage');
  const source = join(path, 'tools', 'demo.py');
  writeFileSync(
    source,
    readFileSync(source, 'utf8').replace(
      /( +)yield /,
      '$1print("looking")\n$1if query == "slow":\n$1    import time; time.sleep(60)\n$1self.session.storage.set("k", b"kept")\n$1query = self.session.storage.get("k").decode()\n$1yield ',
    ),
  );
  const packed = join(parent, 'demo.difypkg');
  await dify(['plugin', 'package', path, '-o', packed]);
  const id = `acme/demo:0.0.1@${openPackage(readFileSync(packed)).checksum()}`;
  const folder = join(parent, 'slim');
  openPackage(readFileSync(packed)).extractTo(pluginDirectory(folder, id));
  const call = (query: string, ...flags: string[]): ReturnType<typeof difyProcess> => {
    const data = { provider: 'demo', tool: 'demo', tool_parameters: { query }, credentials: {} };
    return difyProcess(
      ['slim', '--', '-id', id, '-action', 'invoke_tool', '-args', JSON.stringify({ data }), ...flags],
      { env: { ...ENV, SLIM_MODE: 'local', SLIM_FOLDER: folder } },
    );
  };
  const events = (stdout: string): { event: string; data: Record<string, unknown> | null }[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  const plain = await call('x');
  expect(events(plain.stdout).map(({ event }) => event)).toEqual(['message', 'message', 'error']);
  const mocked = await call('x', '-backwards', 'mock', '-events', 'log');
  expect(mocked.code).toBe(0);
  const seen = events(mocked.stdout).slice(2);
  expect(seen.at(-1)).toEqual({ event: 'done', data: null });
  expect(seen.find(({ event }) => event === 'chunk')?.data).toMatchObject({
    message: { json_object: { query: 'kept' } },
  });
  expect(seen.filter(({ event }) => event === 'log').map(({ data }) => data?.message)).toContain('looking');
  const slow = await call('slow', '-timeout', '1');
  expect(slow.code).toBe(1);
  expect(slow.stderr).toContain('not finished after 1 seconds');
});
