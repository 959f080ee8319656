/** The command that moves an installation to another database, as an operator runs it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { lockDataDirectory } from '../src/config/index.ts';
import { openDatabase } from '../src/database/index.ts';
import { temporaryDirectory } from './harness.ts';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function run(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, 'migrate-store', ...args], {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

async function made(directory: string): Promise<string> {
  mkdirSync(directory, { recursive: true });
  const file = join(directory, 'daemon.sqlite');
  const database = await openDatabase({ type: 'sqlite', file });
  await database.declarations.insertIfAbsent('acme/a:0.0.1@0', 'acme/a', '{"kept":1}');
  await database.close();
  return file;
}

test('counts, then moves, and says what is there now', async () => {
  using directory = temporaryDirectory();
  await made(join(directory.path, 'data'));
  const target = join(directory.path, 'new', 'daemon.sqlite');

  const dry = run(directory.path, ['--from', 'settings', '--to', 'env:TARGET', '--dry-run'], {
    TARGET: `sqlite:${target}`,
  });
  expect(dry).toMatchObject({ status: 0, stderr: '' });
  expect(dry.stdout).toMatch(/plugin_declarations +1\n/);
  expect(dry.stdout).toContain('1 rows would be moved');

  const moved = run(directory.path, ['--from', 'settings', '--to', `sqlite:${target}`]);
  expect(moved).toMatchObject({ status: 0, stdout: expect.stringContaining('1 rows were moved') });
  const database = await openDatabase({ type: 'sqlite', file: target });
  expect((await database.declarations.find('acme/a:0.0.1@0'))?.json).toBe('{"kept":1}');
  await database.close();

  expect(run(directory.path, ['--from', 'settings', '--to', `sqlite:${target}`])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('is not empty'),
  });
});

test('keeps out of the way of a daemon', async () => {
  using directory = temporaryDirectory();
  const file = await made(join(directory.path, 'data'));
  const release = lockDataDirectory(join(directory.path, 'data'));
  try {
    const refused = run(directory.path, ['--from', `sqlite:${file}`, '--to', `sqlite:${directory.path}/b/b.sqlite`]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^Nothing was moved\.\n\n.*another daemon/s);
  } finally {
    release();
  }
});

test.each([
  [['--from', 'sqlite:/a'], 'both --from and --to'],
  [['--from', 'oracle://u:geheim@h/d', '--to', 'sqlite:/b'], 'a database is named by'],
  [['--from', 'env:NOT_SET', '--to', 'sqlite:/b'], 'NOT_SET is not set'],
  [['--away'], '--away'],
])('%j is explained', (args, why) => {
  using directory = temporaryDirectory();
  const { status, stdout, stderr } = run(directory.path, args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(why);
  expect(stderr).toContain('npm run migrate-store');
  expect(stderr).not.toContain('geheim');
});

test('a source that is not there is said to be so', () => {
  using directory = temporaryDirectory();
  const { status, stderr } = run(directory.path, ['--from', 'sqlite:none/x.sqlite', '--to', 'sqlite:new/x.sqlite']);
  expect(status).toBe(1);
  expect(stderr).toContain('there is no database none/x.sqlite');
});
