import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommand } from './command.ts';
import { EnvironmentError } from './failures.ts';
import { type Bench, bench, packageOf } from './testing.ts';
import { workingDirectoryName } from './working-directory.ts';

let at: Bench;
beforeEach(() => {
  at = bench();
});
afterEach(() => at.close());

const SDK = { 'main.py': 'import dify_plugin\n', 'requirements.txt': 'dify_plugin==0.7.4\n' }; // the newest for every Python from 3.11 on
const SMALL = { 'main.py': 'value = 1\n', 'requirements.txt': 'idna>=3\n' };
const NO_DEPENDENCIES = { 'main.py': 'value = 1\n', 'requirements.txt': '# none\n' };

async function python(code: string, prepared: { python: string; directory: string }): Promise<string> {
  const signal = AbortSignal.timeout(170_000);
  const result = await runCommand(at.launcher, {
    command: prepared.python,
    args: ['-c', code],
    cwd: prepared.directory,
    env: { PATH: '/usr/bin:/bin' },
    signal,
    timeoutSeconds: 60,
  });
  expect(result.ok, result.stderr).toBe(true);
  return result.stdout.trim();
}

/** The minor version; a manifest asks for 3.12, and a lower one is taken where it is missing. */
function lowestPythonHere(): number {
  const found = ['python3', 'python3.11', 'python3.12'].flatMap((name) => {
    const ran = spawnSync(name, ['-c', 'import sys; print(sys.version_info[1])'], { encoding: 'utf8' });
    return ran.status === 0 ? [Number(ran.stdout)] : [];
  });
  return Math.min(...found);
}

async function failureOf(work: Promise<unknown>): Promise<EnvironmentError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof EnvironmentError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}

/** A stand-in for uv that can be looked at: makes a real environment, and does as told when it installs. */
function fakeUv(install: string): string {
  const path = join(dirname(at.workingPath), 'fake-uv');
  writeFileSync(
    path,
    `#!/bin/sh\nif [ "$1" = python ]; then exit 1; fi\ncd ${JSON.stringify(dirname(at.workingPath))}\nif [ "$1" = venv ]; then exec "$4" -m venv --without-pip --symlinks "$2"; fi\n${install}\n`,
  );
  chmodSync(path, 0o755);
  return path;
}

test('the real SDK is installed, found again, and shared with the next environment', async () => {
  const environments = at.open({ harvestAfterMs: 60_000 });
  const first = await at.prepare(environments, SDK);
  expect(first).toEqual({
    directory: join(at.workingPath, workingDirectoryName(at.identifier(SDK))),
    python: join(first.directory, '.venv/bin/python'),
    fresh: true,
  });
  expect(await python('import importlib.metadata as m, dify_plugin; print(m.version("dify_plugin"))', first)).toBe(
    '0.7.4',
  );
  expect(at.progress.filter((text) => !text.startsWith('fetching Python')).slice(0, 2)).toEqual([
    'unpacking',
    expect.stringMatching(/^creating environment \(Python 3\.\d+\.\d+\)$/),
  ]);
  expect(at.progress).toContainEqual(expect.stringMatching(/^downloading \d+\/\d+ \(\w/));
  expect(at.progress.at(-1)).toMatch(/^installed \d+ packages$/);
  const flag = JSON.parse(readFileSync(join(first.directory, '.venv/dify/plugin.json'), 'utf8'));
  expect(flag).toMatchObject({ timestamp: expect.any(Number), sdk: '0.7.4', patched: ['core/trigger_factory.py'] });
  expect(readFileSync(join(first.directory, '.environment.log'), 'utf8')).toContain('$ uv pip install');

  expect(await at.prepare(environments, SDK, { readPackage: () => expect.fail('the package is not needed') })).toEqual({
    ...first,
    fresh: false,
  });

  expect(at.progress.filter((text) => text.startsWith('downloading')).length).toBeGreaterThan(0);
  at.progress.length = 0;
  await at.prepare(environments, SDK, { version: '0.0.3' });
  expect(at.progress.some((text) => text.startsWith('resolving') || text.startsWith('downloading'))).toBe(false);
});

test('old SDKs are amended once, by the version that is installed', async ({ skip }) => {
  if (lowestPythonHere() > 12) skip('this SDK depends on a gevent that cannot be built for Python 3.13 and newer');
  const environments = at.open();
  const files = { 'main.py': '', 'requirements.txt': 'dify_plugin>=0.0.1b60,<=0.0.1b60\n' };
  const prepared = await at.prepare(environments, files);
  const flag = JSON.parse(readFileSync(join(prepared.directory, '.venv/dify/plugin.json'), 'utf8'));
  expect(flag).toMatchObject({
    sdk: '0.0.1b60',
    patched: ['interfaces/model/ai_model.py', 'entities/model/llm.py', 'core/server/stdio/request_reader.py'],
  });
  const chunk = `
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta, LLMUsage
from dify_plugin.entities.model.message import AssistantPromptMessage, UserPromptMessage
message = AssistantPromptMessage(content="hi")
given = LLMResult(model="m", prompt_messages=[UserPromptMessage(content="long")], message=message, usage=LLMUsage.empty_usage())
chunk = given.to_llm_result_chunk()
bare = LLMResultChunk(model="m", delta=LLMResultChunkDelta(index=0, message=message))
print(given.prompt_messages, chunk.prompt_messages, bare.prompt_messages, chunk.delta.message.content)`;
  expect(await python(chunk, prepared)).toBe('[] [] [] hi');
  const reader = `
from dify_plugin.core.server.stdio.request_reader import StdioRequestReader
stream = StdioRequestReader()._read_stream()
print([(one.session_id, len(one.data["text"])) for one in (next(stream), next(stream), next(stream))])`;
  const process = await at.launcher.launch({
    command: prepared.python,
    args: ['-c', reader],
    cwd: prepared.directory,
    env: { PATH: '/usr/bin:/bin' },
  });
  const line = (id: number, size: number) =>
    `${JSON.stringify({ session_id: `${id}`, event: 'request', data: { text: 'x'.repeat(size) } })}\n`;
  process.stdin.write(`${line(1, 300_000)}broken\n${line(2, 3)}${line(3, 1).slice(0, 20)}`);
  setTimeout(() => process.stdin.write(line(3, 1).slice(20)), 100);
  let output = '';
  for await (const chunk of process.stdout) output += chunk;
  expect(output).toContain("[('1', 300000), ('2', 3), ('3', 1)]");
  expect(output).toContain('"event":"error"');
  const counting = `
from dify_plugin.interfaces.model.ai_model import AIModel
print(AIModel._get_num_tokens_by_gpt2(None, "x" * 100000))`;
  expect(await python(counting, prepared)).toBe('100000');

  // An environment made by upstream has no version in its flag: it is looked at, and nothing is done twice.
  writeFileSync(join(prepared.directory, '.venv/dify/plugin.json'), '{"timestamp":1}');
  expect((await at.prepare(environments, files)).fresh).toBe(false);
  const module = join(
    prepared.directory,
    '.venv/lib',
    readdirSync(join(prepared.directory, '.venv/lib'))[0] ?? '',
    'site-packages/dify_plugin/entities/model/llm.py',
  );
  expect(readFileSync(module, 'utf8').split('amended by the plugin daemon')).toHaveLength(2);
  expect(JSON.parse(readFileSync(join(prepared.directory, '.venv/dify/plugin.json'), 'utf8'))).toMatchObject({
    timestamp: expect.any(Number),
    sdk: '0.0.1b60',
  });
});

test('a partial directory of a dead attempt is completed, a plugin’s own data is kept, a broken environment is rebuilt', async () => {
  const environments = at.open();
  const directory = join(at.workingPath, workingDirectoryName(at.identifier(NO_DEPENDENCIES)));
  mkdirSync(join(directory, 'data'), { recursive: true });
  writeFileSync(join(directory, 'main.py'), 'val');
  writeFileSync(join(directory, 'data/kept.txt'), 'kept');
  expect((await at.prepare(environments, NO_DEPENDENCIES)).fresh).toBe(true);
  expect(readFileSync(join(directory, 'main.py'), 'utf8')).toBe('value = 1\n');
  expect(readFileSync(join(directory, 'data/kept.txt'), 'utf8')).toBe('kept');
  expect(readdirSync(dirname(directory))).toEqual([expect.stringContaining('@')]);

  rmSync(join(directory, '.venv/bin/python'));
  expect((await at.prepare(environments, NO_DEPENDENCIES)).fresh).toBe(true);
  rmSync(join(directory, '.venv/dify/plugin.json'));
  expect((await at.prepare(environments, NO_DEPENDENCIES)).fresh).toBe(true);
  expect((await at.prepare(environments, NO_DEPENDENCIES)).fresh).toBe(false);
});

test('large packages are unpacked in a thread, and their faults come back as they are', async () => {
  const environments = at.open();
  const large = { ...NO_DEPENDENCIES, 'data/noise.bin': randomBytes(600_000) };
  const prepared = await at.prepare(environments, large);
  expect(readFileSync(join(prepared.directory, 'data/noise.bin')).equals(large['data/noise.bin'])).toBe(true);
  expect(statSync(join(prepared.directory, 'data/noise.bin')).mode & 0o777).toBe(0o644);
  const outside = await failureOf(
    at.prepare(environments, SDK, { readPackage: async () => packageOf({ ...large, '../outside.txt': 'x' }) }),
  );
  expect(outside.failure).toBe('package-unreadable');
  expect(outside.message).toContain('illegal file path in plugin package: "../outside.txt"');
});

test('two at once build once', async () => {
  const [a, b] = [at.open(), at.open()];
  const both = await Promise.all([at.prepare(a, NO_DEPENDENCIES), at.prepare(b, NO_DEPENDENCIES)]);
  expect(both.map((one) => one.fresh).sort()).toEqual([false, true]);
  expect(at.progress).toContain('waiting for another installation of this plugin');
});

test('the plugin’s own files are compiled; what does not compile is only logged', async () => {
  const prepared = await at.prepare(at.open(), {
    ...NO_DEPENDENCIES,
    'lib/good.py': 'x = 1\n',
    'lib/bad.py': 'x = (\n',
  });
  expect(readdirSync(join(prepared.directory, 'lib/__pycache__'))).toEqual([expect.stringMatching(/^good\..*\.pyc$/)]);
  expect(at.logged).toContainEqual(
    expect.objectContaining({ level: 'warn', message: 'failed to pre-compile the plugin' }),
  );
});

test('a package that carries its wheels needs no index', async () => {
  const wheel = packageOf({
    'carried/__init__.py': 'answer = 42\n',
    'carried-1.0.dist-info/METADATA': 'Metadata-Version: 2.1\nName: carried\nVersion: 1.0\n',
    'carried-1.0.dist-info/WHEEL': 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    'carried-1.0.dist-info/RECORD':
      'carried/__init__.py,,\ncarried-1.0.dist-info/METADATA,,\ncarried-1.0.dist-info/WHEEL,,\ncarried-1.0.dist-info/RECORD,,\n',
  });
  const environments = at.open({
    mirror: { url: 'http://127.0.0.1:1/simple', autoDetect: false, candidates: [], timeoutSeconds: 1 },
  });
  const prepared = await at.prepare(environments, {
    'main.py': '',
    'requirements.txt': 'carried\nunreachable\n',
    'vendor/requirements.txt': 'carried==1.0\n',
    'vendor/wheels/carried-1.0-py3-none-any.whl': wheel,
  });
  expect(await python('import carried; print(carried.answer)', prepared)).toBe('42');
});

test('an index that cannot be reached is named as the cause, with remedy and log', async () => {
  const environments = at.open({
    mirror: { url: 'http://127.0.0.1:1/simple', autoDetect: false, candidates: [], timeoutSeconds: 1 },
    environment: { ...process.env, UV_HTTP_RETRIES: '1' },
  });
  const error = await failureOf(at.prepare(environments, SDK));
  expect(error.failure).toBe('index-unreachable');
  expect(error.message).toMatch(
    /^failed to install dependencies: failed to install dependencies: exit status \d+, output: .*error/s,
  );
  expect(error.message).toMatch(/\nfailed to init environment$/);
  expect(error.message).not.toMatch(/DEBUG|Caused by/);
  expect(error.wireMessage).toContain('PIP_MIRROR_URL');
  expect(error.logFile).toBeDefined();
  expect(error.message).toContain(error.logFile);
  expect(readFileSync(error.logFile ?? '', 'utf8')).toContain('127.0.0.1:1');
  expect(existsSync(join(dirname(error.logFile ?? ''), '.venv'))).toBe(false);
});

test('requirements that contradict themselves or do not exist are the author’s affair', async () => {
  const environments = at.open();
  const impossible = await failureOf(
    at.prepare(environments, { 'main.py': '', 'requirements.txt': 'requests==0.0.0.1\n' }),
  );
  expect(impossible.failure).toBe('bad-requirement');
  const unreadable = await failureOf(at.prepare(environments, { 'main.py': '', 'requirements.txt': '!!!\n' }));
  expect(unreadable.failure).toBe('bad-requirement');
  const lock = await failureOf(
    at.prepare(environments, {
      'main.py': '',
      'pyproject.toml': '[project]\nname="x"\nversion="1"\nrequires-python=">=3.11"\n',
      'uv.lock': 'not toml',
    }),
  );
  expect(lock.failure).toBe('bad-lock');
});

test('missing dependency files, other languages and broken packages are refused with their texts', async () => {
  const environments = at.open();
  const none = await failureOf(at.prepare(environments, { 'main.py': '' }));
  expect(none.failure).toBe('no-dependency-file');
  expect(none.message).toContain(
    'failed to create virtual environment: failed to find dependency file: neither pyproject.toml nor requirements.txt found in plugin directory',
  );
  const go = await failureOf(at.prepare(environments, SDK, { runner: { language: 'go' } }));
  expect(go.message).toContain('unsupported language: go');
  const broken = await failureOf(at.prepare(environments, SDK, { readPackage: async () => Buffer.from('not a zip') }));
  expect(broken.failure).toBe('package-unreadable');
});

test('a full disk is recognised, leaves nothing behind, and the next attempt succeeds', async () => {
  const uv = fakeUv('echo "error: failed to write .venv/x: No space left on device (os error 28)" >&2; exit 2');
  const error = await failureOf(at.prepare(at.open({ uvPath: uv }), SMALL));
  expect(error.failure).toBe('disk-full');
  expect(error.wireMessage).toContain('.uv-cache');
  expect((await at.prepare(at.open(), SMALL)).fresh).toBe(true);
});

test('a silent installer is ended with all its children, in upstream’s words', async () => {
  const uv = fakeUv('echo starting >&2; sleep 1000 & echo $! > child; wait');
  const error = await failureOf(at.prepare(at.open({ uvPath: uv, inactivitySeconds: 1 }), SMALL));
  expect(error.failure).toBe('inactivity');
  expect(error.message).toContain(
    'failed to install dependencies: failed to install dependencies: signal: killed, output: starting\ninit process exited due to no activity for 1 seconds',
  );
  await expectDead(join(dirname(at.workingPath), 'child'));
});

test('an installation over its time limit says so', async () => {
  const uv = fakeUv('while :; do echo working; sleep 0.1; done');
  const error = await failureOf(at.prepare(at.open({ uvPath: uv, timeoutSeconds: 1 }), SMALL));
  expect(error.failure).toBe('timeout');
});

test('a cancelled installation ends its processes and leaves the lock free', async () => {
  const uv = fakeUv('sleep 1000 & echo $! > child; echo ready; wait');
  const cancel = new AbortController();
  const child = join(dirname(at.workingPath), 'child');
  const work = at.prepare(at.open({ uvPath: uv }), SMALL, { signal: cancel.signal });
  await expect.poll(() => existsSync(child) && readFileSync(child, 'utf8') !== '', { timeout: 60_000 }).toBe(true);
  const pid = readFileSync(child, 'utf8');
  cancel.abort(new Error('cancelled by the operator'));
  await expect(work).rejects.toThrow('cancelled by the operator');
  writeFileSync(child, pid);
  await expectDead(child);
  expect((await at.prepare(at.open(), SMALL)).fresh).toBe(true);
}, 240_000);

test.skipIf(process.platform !== 'linux')(
  'a daemon that is killed in the middle leaves no installer, and the next one builds',
  async () => {
    const uv = fakeUv('sleep 1000 & echo $! > child; wait');
    const script = `
    import { bench } from ${JSON.stringify(new URL('./testing.ts', import.meta.url).href)};
    const at = bench(${JSON.stringify(at.workingPath)});
    await at.prepare(at.open({ uvPath: ${JSON.stringify(uv)} }), ${JSON.stringify(SMALL)});`;
    const daemon = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const directory = join(at.workingPath, workingDirectoryName(at.identifier(SMALL)));
    const child = join(dirname(at.workingPath), 'child');
    await expect.poll(() => existsSync(child) && readFileSync(child, 'utf8') !== '', { timeout: 60_000 }).toBe(true);
    daemon.kill('SIGKILL');
    await expectDead(child);
    expect(existsSync(`${directory}.lock`)).toBe(true);
    expect((await at.prepare(at.open(), SMALL)).fresh).toBe(true);
    expect(existsSync(`${directory}.lock`)).toBe(false);
  },
);

test('UV_PATH that names nothing is an error of its own', async () => {
  const error = await failureOf(at.prepare(at.open({ uvPath: '/nonexistent/uv' }), NO_DEPENDENCIES));
  expect(error.failure).toBe('uv-missing');
  expect(error.message).toContain('failed to find uv path: UV_PATH names /nonexistent/uv');
});

test('garbage is listed, then removed; what is installed, young or not ours stays', async () => {
  const environments = at.open();
  const kept = await at.prepare(environments, NO_DEPENDENCIES);
  const gone = await at.prepare(environments, NO_DEPENDENCIES, { version: '0.0.2' });
  mkdirSync(join(at.workingPath, 'tests/notes'));
  const options = { keep: async () => [at.identifier(NO_DEPENDENCIES)], minimumAgeSeconds: 0 };
  const name = workingDirectoryName(at.identifier(NO_DEPENDENCIES, '0.0.2'));
  expect(await environments.collectGarbage({ ...options, dryRun: true, minimumAgeSeconds: 3600 })).toEqual({
    directories: [],
    environments: [],
    bytecodeBytes: 0,
  });
  const listed = await environments.collectGarbage({ ...options, dryRun: true });
  expect(listed.directories).toEqual([{ name, bytes: expect.any(Number), removed: false }]);
  expect(existsSync(gone.python)).toBe(true);
  const removed = await environments.collectGarbage({ ...options, dryRun: false });
  expect(removed.directories).toEqual([{ ...listed.directories[0], removed: true }]);
  expect(existsSync(gone.directory)).toBe(false);
  expect(existsSync(kept.python)).toBe(true);
  expect(existsSync(join(at.workingPath, 'tests/notes'))).toBe(true);
});

async function expectDead(file: string): Promise<void> {
  const stat = `/proc/${readFileSync(file, 'utf8').trim()}/stat`;
  await expect.poll(() => existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'latin1'))).toBe(false);
}

test('a plugin that asks for a Python which is not here is told so before anything is made', async () => {
  const environments = at.open();
  const pyproject = '[project]\nname="x"\nversion="1"\nrequires-python=">=3.99"\n';
  const error = await failureOf(at.prepare(environments, { 'main.py': '', 'pyproject.toml': pyproject }));
  expect(error.failure).toBe('wrong-python');
  expect(error.message).toMatch(/the plugin asks for Python >=3\.99, and there is only 3\.\d+\.\d+ \(\//);
  expect(at.progress.some((text) => text.startsWith('fetching'))).toBe(false);
});
