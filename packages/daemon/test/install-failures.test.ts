/** Installations that cannot succeed end with cause and remedy, leave no process and no half-made plugin, and can be tried again. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { writeZip } from '@plugin-daemon/plugin-package';
import { messageOf } from '@plugin-daemon/values';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually, OTHER, processesBelow, reservePort, TestDaemon, temporaryDirectory } from './harness.ts';
import { manifest, packageOf, rudeFiles, rudePackage, yaml } from './plugins/package.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  const index = `http://127.0.0.1:${await reservePort()}/simple`;
  daemon = await TestDaemon.start({
    settings: { PIP_MIRROR_URL: index, UV_HTTP_RETRIES: '0', PYTHON_ENV_INIT_TIMEOUT: '10' },
  });
  await daemon.install(rudePackage('quiet'), OTHER);
}, 240_000);

afterEach(async () => {
  expect((await daemon.call('quiet', 'echo', { tenant: OTHER, parameters: { text: 'well' } })).texts).toEqual(['well']);
  expect(await daemon.client().list()).toEqual([]);
  // Only the plugin of the other tenant runs.
  await eventually('nothing else runs', () => daemon.processes().length === 1 || undefined);
});

afterAll(async () => {
  await daemon?.close();
});

/** The message of the failed task. */
async function failed(packed: Buffer, on = daemon): Promise<string> {
  return await on.install(packed).then(
    () => Promise.reject(new Error('it was installed')),
    (error: unknown) => messageOf(error),
  );
}

test('a plugin that fails while it is imported: exit code and its own words', async () => {
  const message = await failed(rudePackage('broken', { start: 'exit' }));
  expect(message).toContain('exit code 1');
  expect(message).toContain('RuntimeError: the module cannot be imported');
  expect(await daemon.answer('GET', '/health/check')).toMatchObject({ status: 200 });
});

test('a plugin that never sends a heartbeat: the limit and its setting', async () => {
  const message = await failed(rudePackage('silent', { start: 'silent' }));
  expect(message).toContain('no heartbeat came within 10 s');
  expect(message).toContain('PYTHON_ENV_INIT_TIMEOUT');
});

test('a package index that cannot be reached: said so, with what to set', async () => {
  const message = await failed(rudePackage('needy', {}, { 'requirements.txt': 'tiny-thing==1.0\n' }));
  expect(message).toContain('the package index cannot be reached');
  expect(message).toContain('PIP_MIRROR_URL');
  const log = /full log: (\S+)\)/.exec(message)?.[1];
  expect(log !== undefined && existsSync(log)).toBe(true);
});

test('a Python version that is nowhere', async () => {
  const pyproject = '[project]\nname = "future"\nversion = "0.0.1"\nrequires-python = ">=3.99"\ndependencies = []\n';
  const { 'requirements.txt': _gone, ...files } = rudeFiles('future', {}, { 'pyproject.toml': pyproject });
  const message = await failed(packageOf(files));
  expect(message).toContain('Python');
  expect(message).toContain('3.99');
});

test('a language that does not run here', async () => {
  const changes = { 'manifest.yaml': yaml(manifest('golang', { language: 'golang' })) };
  const message = await failed(rudePackage('golang', {}, changes)).catch(() => '');
  expect(message).toContain('unsupported language: golang');
});

test('a package that names its dependencies nowhere', async () => {
  const { 'requirements.txt': _gone, ...files } = rudeFiles('nothing');
  expect(await failed(packageOf(files))).toContain('names its dependencies nowhere');
});

test('an SDK that does not exist', async () => {
  const changes = { 'requirements.txt': 'dify_plugin==999.0.0\n' };
  expect(await failed(rudePackage('sdk', {}, changes))).toMatch(/package index cannot be reached|asks for something/);
});

/** Mounting a small disk needs rights that not every machine gives. */
function smallDisk(path: string): boolean {
  mkdirSync(path);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test('a disk that is full: said so, nothing is left of the plugin, the daemon goes on', async ({ skip }) => {
  using directory = temporaryDirectory();
  const disk = join(directory.path, 'disk');
  if (!smallDisk(disk)) return skip('a file system cannot be mounted here');
  try {
    await using small = await TestDaemon.start({ settings: { PLUGIN_WORKING_PATH: join(disk, 'cwd') } });
    const assets = { '_assets/big.bin': Buffer.alloc(8 << 20, 7) };
    const message = await failed(rudePackage('big', {}, assets), small);
    expect(message).toMatch(/disk is full|no space left/i);
    expect(message).toContain('PLUGIN_WORKING_PATH');
    expect(await small.client().list()).toEqual([]);
    expect((await small.answer('GET', '/health/check')).status).toBe(200);
    expect(processesBelow(disk)).toEqual([]);
  } finally {
    execFileSync('umount', ['-l', disk]);
  }
});

/** A package index with one small wheel, which can be told to keep its callers waiting. */
async function slowIndex() {
  const wheel = writeZip(
    [
      { name: 'tiny_thing/__init__.py', content: 'VALUE = 1\n' },
      { name: 'tiny_thing-1.0.dist-info/METADATA', content: 'Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n' },
      {
        name: 'tiny_thing-1.0.dist-info/WHEEL',
        content: 'Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
      },
      {
        name: 'tiny_thing-1.0.dist-info/RECORD',
        content:
          'tiny_thing/__init__.py,,\ntiny_thing-1.0.dist-info/METADATA,,\ntiny_thing-1.0.dist-info/WHEEL,,\ntiny_thing-1.0.dist-info/RECORD,,\n',
      },
    ].map(({ name, content }) => ({ name, content: Buffer.from(content) })),
  );
  const file = 'tiny_thing-1.0-py3-none-any.whl';
  const waiting: ServerResponse[] = [];
  const state = { keepsWaiting: true };
  const server = createServer((request, response) => {
    if (state.keepsWaiting) return void waiting.push(response);
    if (request.url?.endsWith(file)) return void response.end(wheel);
    if (request.url?.startsWith('/simple/tiny-thing'))
      return void response.setHeader('content-type', 'text/html').end(`<a href="/files/${file}">${file}</a>`);
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/simple`,
    waiting,
    serve() {
      state.keepsWaiting = false;
      for (const response of waiting) response.destroy();
    },
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

interface Task {
  readonly status: string;
  readonly plugins: readonly { readonly status: string; readonly message: string }[];
}

test('a daemon killed while it installs: nothing goes on alone, the task failed, the next attempt works', async () => {
  using index = await slowIndex();
  await using victim = await TestDaemon.start({ settings: { PIP_MIRROR_URL: index.url } });
  const task = (id: string): Promise<Task> => victim.client().call('GET', `/management/install/tasks/${id}`);
  const packed = rudePackage('needy', {}, { 'requirements.txt': 'tiny-thing==1.0\n' });
  const { unique_identifier } = await victim.client().upload(packed);
  const first = await victim.beginInstall(unique_identifier);
  await eventually('the installer asks the index', () => index.waiting.length > 0 || undefined);
  expect((await task(first)).status).toBe('running');
  await victim.process.stop('SIGKILL');
  await eventually('the installer ends with the daemon', () => victim.processes().length === 0 || undefined);

  index.serve();
  await victim.process.start();
  const orphan = await task(first);
  expect(orphan.status).toBe('failed');
  expect(orphan.plugins).toMatchObject([{ status: 'failed', message: 'An unexpected daemon shutdown occurred' }]);
  expect(await victim.client().list()).toEqual([]);
  await victim.client().install(unique_identifier);
  expect((await victim.call('needy', 'echo', { parameters: { text: 'at last' } })).texts).toEqual(['at last']);
});

test('a daemon killed while a plugin starts takes the plugin with it', async () => {
  using directory = temporaryDirectory();
  const gate = join(directory.path, 'gate');
  chmodSync(directory.path, 0o755);
  await using victim = await TestDaemon.start({ settings: { PLUGIN_READABLE_PATHS: directory.path } });
  const packed = rudePackage('gated', { start: 'gate', file: gate });
  const { unique_identifier } = await victim.client().upload(packed);
  const first = await victim.beginInstall(unique_identifier);
  await eventually('the task waits for the plugin', async () => {
    const found = await victim.client().call<Task>('GET', `/management/install/tasks/${first}`);
    return found.plugins[0]?.message.includes('waiting for plugin to be ready') || undefined;
  });
  await eventually('the plugin runs', () => victim.processes().length > 0 || undefined);
  await victim.process.stop('SIGKILL');
  await eventually('the plugin ends', () => victim.processes().length === 0 || undefined);
  writeFileSync(gate, '');
  await victim.process.start();
  await victim.client().install(unique_identifier);
  expect((await victim.call('gated', 'echo', { parameters: { text: 'x' } })).texts).toEqual(['x']);
});
