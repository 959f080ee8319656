/** A daemon that cannot start says why and what to do, and leaves the one that runs alone. */
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runToEnd, TestDaemon, temporaryDirectory } from './harness.ts';

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await TestDaemon.start();
});

afterAll(async () => {
  await daemon?.close();
});

test('a data directory that cannot be made', async () => {
  using directory = temporaryDirectory();
  writeFileSync(join(directory.path, 'file'), 'in the way');
  const path = join(directory.path, 'file', 'data');
  const { code, output } = await runToEnd({ DATA_DIR: path }, directory.path);
  expect(code).toBe(1);
  expect(output).toContain('DATA_DIR');
  expect(output).toContain(path);
  expect(output).toMatch(/ENOTDIR/);
  expect(output).toContain('make it a directory that this user can write to');
  expect(output).not.toMatch(/\n\s+at /);
});

test.skipIf(process.getuid?.() === 0)('a data directory that must not be written to', async () => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'data');
  mkdirSync(path);
  chmodSync(path, 0o500);
  const { code, output } = await runToEnd({ DATA_DIR: path }, directory.path);
  expect(code).toBe(1);
  expect(output).toMatch(/DATA_DIR[\s\S]*EACCES/);
  expect(readdirSync(path)).toEqual([]);
});

test('a data directory that another daemon uses', async () => {
  using directory = temporaryDirectory();
  const { dataDirectory, pid, url } = daemon.process;
  const { code, output } = await runToEnd({ DATA_DIR: dataDirectory, SERVER_PORT: '0' }, directory.path);
  expect(code).toBe(1);
  expect(output).toContain(dataDirectory);
  expect(output).toContain(`in use by another daemon (process ${pid}`);
  expect(output).toContain('give this one its own DATA_DIR');
  expect((await fetch(`${url}/health/check`)).status).toBe(200);
  expect(await daemon.client().list()).toEqual([]);
});

test('a port that is taken', async () => {
  using directory = temporaryDirectory();
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const address = taken.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const { code, output } = await runToEnd(
      { DATA_DIR: join(directory.path, 'data'), SERVER_PORT: String(address.port) },
      directory.path,
    );
    expect(code).toBe(1);
    expect(output).toContain(String(address.port));
    expect(output).toMatch(/in use/i);
    expect(output).toContain('SERVER_PORT');
    // Nothing holds the directory any more.
    expect(readdirSync(join(directory.path, 'data'))).not.toContain('daemon.json');
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
});

test('settings that make no sense are named together', async () => {
  using directory = temporaryDirectory();
  const { code, output } = await runToEnd(
    { DATA_DIR: join(directory.path, 'data'), SERVER_PORT: 'many', PLUGIN_MAX_EXECUTION_TIMEOUT: 'long' },
    directory.path,
  );
  expect(code).toBe(1);
  expect(output).toContain('SERVER_PORT');
  expect(output).toContain('PLUGIN_MAX_EXECUTION_TIMEOUT');
  expect(readdirSync(directory.path)).toEqual([]);
});
