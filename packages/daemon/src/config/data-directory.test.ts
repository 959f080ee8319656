import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { type DataDirectoryOptions, openDataDirectory, SettingsError } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'data-directory-'));
afterAll(() => rmSync(root, { recursive: true }));

const optionsFor = (name: string, more: Partial<DataDirectoryOptions> = {}): DataDirectoryOptions => ({
  DATA_DIR: join(root, name),
  PLUGIN_WORKING_PATH: join(root, name, 'cwd'),
  PLUGIN_STORAGE_LOCAL_ROOT: join(root, name, 'storage'),
  SERVER_KEY: undefined,
  DIFY_INNER_API_KEY: undefined,
  ...more,
});

test('keys are generated once, readable by this user alone, and stay', () => {
  const first = openDataDirectory(optionsFor('keys'));
  first.close();
  const second = openDataDirectory(optionsFor('keys'));
  second.close();
  expect(first.serverKey.value).toMatch(/^[\w-]{56}$/);
  expect(first.difyInnerApiKey.value).not.toBe(first.serverKey.value);
  expect(second.serverKey).toEqual(first.serverKey);
  expect(statSync(first.serverKey.file ?? '').mode & 0o777).toBe(0o600);
  expect(statSync(join(root, 'keys')).mode & 0o777).toBe(0o700);
});

test('a configured key wins and is written nowhere', () => {
  const directory = openDataDirectory(optionsFor('configured', { SERVER_KEY: 'mine' }));
  directory.close();
  expect(directory.serverKey).toEqual({ value: 'mine', file: undefined });
  expect(() => statSync(join(root, 'configured', 'keys', 'server-key'))).toThrow(/ENOENT/);
});

test('a generated key that was put away counts beside the new one', () => {
  const first = openDataDirectory(optionsFor('rotated'));
  first.close();
  expect(first.formerServerKey).toBeUndefined();
  const file = first.serverKey.file ?? '';
  renameSync(file, `${file}.previous`);
  const second = openDataDirectory(optionsFor('rotated'));
  second.close();
  expect(second.formerServerKey).toBe(first.serverKey.value);
  expect(second.serverKey.value).not.toBe(first.serverKey.value);
  const configured = openDataDirectory(optionsFor('rotated', { SERVER_KEY_PREVIOUS: 'configured' }));
  configured.close();
  expect(configured.formerServerKey).toBe('configured');
});

test('a damaged key file is named, not replaced', () => {
  const file = join(root, 'damaged', 'keys', 'server-key');
  mkdirSync(join(root, 'damaged', 'keys'), { recursive: true });
  writeFileSync(file, 'short\n');
  expect(() => openDataDirectory(optionsFor('damaged'))).toThrow(file);
  expect(readFileSync(file, 'utf8')).toBe('short\n');
  // The failed start let go of the directory.
  writeFileSync(file, `${'k'.repeat(20)}\n`);
  openDataDirectory(optionsFor('damaged')).close();
});

test('the directory belongs to one daemon until that closes it', () => {
  const first = openDataDirectory(optionsFor('twice'));
  expect(() => openDataDirectory(optionsFor('twice'))).toThrow(
    new RegExp(`in use by another daemon \\(process ${process.pid}`),
  );
  first.close();
  first.close();
  openDataDirectory(optionsFor('twice')).close();
});

test('the lock of a daemon that was killed is gone with it', async () => {
  const options = optionsFor('killed');
  const module = fileURLToPath(new URL('./index.ts', import.meta.url));
  const program = `import { openDataDirectory } from ${JSON.stringify(module)};
    globalThis.held = openDataDirectory(JSON.parse(process.argv[1]));
    console.log('open');
    setInterval(() => {}, 1000);`;
  const other = spawn(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(other.stdout, 'data');
  expect(() => openDataDirectory(options)).toThrow(`process ${other.pid}`);
  other.kill('SIGKILL');
  await once(other, 'exit');
  openDataDirectory(options).close();
});

test.each(['DATA_DIR', 'PLUGIN_WORKING_PATH', 'PLUGIN_STORAGE_LOCAL_ROOT'] as const)(
  '%s that is no directory is a problem of that variable',
  (variable) => {
    const file = join(root, `file-${variable}`);
    writeFileSync(file, '');
    const options = optionsFor(`blocked-${variable}`, { [variable]: join(file, 'below') });
    let thrown: unknown;
    try {
      openDataDirectory(options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(SettingsError);
    expect(thrown).toMatchObject({ problems: [{ variable, value: join(file, 'below') }] });
  },
);

test('a lock file that is something else is explained', () => {
  mkdirSync(join(root, 'foreign'));
  writeFileSync(join(root, 'foreign', 'daemon.lock'), 'something else entirely, longer than a header'.repeat(40));
  expect(() => openDataDirectory(optionsFor('foreign'))).toThrow(/cannot be locked .*\n.*daemon\.lock/);
});
