import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createProcessLauncher, type ProcessLauncher } from '../launcher/index.ts';
import type { Scratch } from './own-files.ts';
import { ownEnvironment, ScratchDirectories } from './scratch.ts';

let root: string;
let launcher: ProcessLauncher;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'scratch-'));
  launcher = createProcessLauncher();
});
afterEach(async () => {
  await launcher.close();
  rmSync(root, { recursive: true, force: true });
});

/** Directories that their owner may not enter, and others nested deeper than a path can be long. */
const HOSTILE = `
import os
os.makedirs('locked/inside'); os.chmod('locked', 0)
for n in range(400):
    os.mkdir('deep' * 10); os.chdir('deep' * 10)
`;

async function fill(directory: string): Promise<void> {
  const spec = { command: '/usr/bin/python3', args: ['-I', '-S', '-c', HOSTILE], cwd: directory, env: {} };
  expect(await (await launcher.launch(spec)).exited).toEqual({ code: 0, signal: null });
}

test.skipIf(process.platform !== 'linux')('whatever a plugin has made is removed with its directory', async () => {
  const all = new ScratchDirectories(join(root, 's'), launcher);
  const scratch = await all.create(undefined);
  await fill(scratch.temporary);
  await scratch.remove();
  expect(existsSync(scratch.temporary)).toBe(false);
  await all.close();
});

test.skipIf(process.platform !== 'linux')('what a former life has left goes, and hinders nobody', async () => {
  const former = new ScratchDirectories(join(root, 's'), launcher);
  const left = await former.create(undefined);
  await fill(left.home);
  const next = new ScratchDirectories(join(root, 's'), launcher);
  const scratch = await next.create(undefined);
  await expect.poll(() => readdirSync(join(root, 's')), { timeout: 60_000 }).toHaveLength(1);
  expect(existsSync(left.home)).toBe(false);
  writeFileSync(join(scratch.home, 'mine'), '');
  await next.close();
  expect(existsSync(join(root, 's'))).toBe(false);
});

test('it is made anew when somebody has removed it, as open as it was', async () => {
  const all = new ScratchDirectories(join(root, 's'), launcher);
  const modes = (scratch: Scratch) => ['..', '../..', '../../..'].map((up) => statSync(join(scratch.home, up)).mode);
  const before = modes(await all.create(undefined));
  rmSync(join(root, 's'), { recursive: true });
  const scratch = await all.create(undefined);
  expect(modes(scratch)).toEqual(before);
  await scratch.remove();
  rmSync(join(root, 's'), { recursive: true });
  writeFileSync(join(root, 's'), 'in the way');
  await expect(all.create(undefined)).rejects.toThrow(join(root, 's'));
  await all.close();
});

test('accounts know the user of the process and root, and nobody else of the machine', async () => {
  const all = new ScratchDirectories(join(root, 's'), launcher);
  const { accounts } = await all.create(undefined);
  const names = readFileSync(accounts.passwd, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(':', 1)[0]);
  expect(names).toEqual(['root', 'plugin']);
  await all.close();
});

test('variables that name places of the daemon’s user are replaced, others stay', async () => {
  const all = new ScratchDirectories(join(root, 's'), launcher);
  const scratch = await all.create(undefined);
  const env = { HOME: '/root', XDG_RUNTIME_DIR: '/run/user/0', TMP: '/x', LANG: 'C' };
  expect(ownEnvironment(env, scratch, true)).toEqual({
    HOME: '/home/plugin',
    TMPDIR: '/tmp',
    USER: 'plugin',
    LOGNAME: 'plugin',
    LANG: 'C',
  });
  expect(ownEnvironment(env, scratch, false)).toMatchObject({ HOME: scratch.home, TMPDIR: scratch.temporary });
  await all.close();
});
