/** What is in force where less is possible than was asked for. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LaunchSpec, PluginProcess, ProcessLauncher } from '../launcher/index.ts';
import { CageUnavailable, HelperShortage } from '../launcher/index.ts';
import { silentLog } from '../log/index.ts';
import { type InForce, type Isolation, type IsolationSetting, openIsolation } from './index.ts';

const IDENTIFIER = `tests/plugin:0.0.1@${'a'.repeat(32)}`;
let root: string;
let isolation: Isolation | undefined;
let told: (InForce | undefined)[];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'foundation-'));
  // As an environment leaves it: a view of its own notes there what the package has brought.
  mkdirSync(join(root, 'cwd/tests/plugin/.venv/dify'), { recursive: true });
  told = [];
});
afterEach(async () => {
  await isolation?.close();
  rmSync(root, { recursive: true, force: true });
});

/** A launcher on a system that refuses some cages. */
const refusing = (refuses: (spec: LaunchSpec) => Error | undefined): ProcessLauncher => ({
  launch: async (spec) => {
    const error = refuses(spec);
    if (error !== undefined) throw error;
    const stream = { resume: () => undefined };
    // As much of a process as a trial looks at.
    return {
      stdout: stream,
      stderr: stream,
      exited: Promise.resolve({ code: 0, signal: null }),
    } as unknown as PluginProcess;
  },
  close: async () => undefined,
});

function open(setting: IsolationSetting, launcher: ProcessLauncher): Isolation {
  isolation = openIsolation({
    setting,
    users: { first: 50_000, last: 50_009 },
    readable: [],
    writable: [],
    dataDirectory: root,
    workingPath: join(root, 'cwd'),
    toolsPath: join(root, 'tools'),
    hidden: [],
    launcher,
    log: silentLog,
    limits: { memoryFactor: 1, memoryFloor: 1 << 28, processes: 9, openFiles: 8, fileBytes: 7, cpuPercent: 0 },
    onInForce: (_, inForce) => told.push(inForce),
  });
  return isolation;
}

const enter = (room: Isolation) =>
  room.plugins.enter({
    identifier: IDENTIFIER,
    directory: join(root, 'cwd/tests/plugin'),
    fresh: true,
    memory: 1,
    spec: { command: '/usr/bin/python3', args: [], cwd: root, env: { HOME: '/root' } },
  });

const forbidden = new Error('EPERM: namespaces: Operation not permitted');
const nothingButPlain = refusing(({ cage }) => (cage?.user || cage?.namespaces ? forbidden : undefined));

test.skipIf(process.platform !== 'linux')(
  'where nothing is possible plugins are started plainly, and the reason is kept',
  async () => {
    const room = open('auto', nothingButPlain);
    const caged = await enter(room);
    expect(caged.inForce).toEqual({ mode: 'none', reason: expect.stringContaining('Operation not permitted') });
    expect(told).toEqual([caged.inForce]);
    expect(caged.spec).toMatchObject({ env: { HOME: '/root' }, cage: { limits: { CORE: 0, NOFILE: 8, FSIZE: 7 } } });
    expect(caged.spec.cage?.limits).not.toHaveProperty('NPROC');
    expect(await room.plugins.keepsEnvironments()).toBe(false);
    await caged.leave();
    await room.plugins.forget(IDENTIFIER, join(root, 'cwd/tests/plugin'));
    expect(told.at(-1)).toBeUndefined();
    expect(room.plugins.inForce.size).toBe(0);
  },
);

test.skipIf(process.platform !== 'linux')(
  'what is demanded and not possible is an error with a remedy, for plugins and builds',
  async () => {
    const room = open('namespace', nothingButPlain);
    await expect(enter(room)).rejects.toThrow(
      /PLUGIN_ISOLATION=namespace is not possible here .*not permitted.*PLUGIN_ISOLATION=auto/,
    );
    const spec = { command: '/bin/true', args: [], cwd: '/', env: {} };
    await expect(room.builds.enter({ spec, directory: root, writable: [], readable: [], pythons: [] })).rejects.toThrow(
      'PLUGIN_ISOLATION',
    );
  },
);

test('without the helper process nothing is asked of it', async () => {
  const caged = await enter(
    open(
      'auto',
      refusing(({ cage }) => (cage ? new CageUnavailable() : undefined)),
    ),
  );
  expect(caged.inForce.mode).toBe('unsupervised');
  expect(caged.spec.cage).toBeUndefined();
  expect(caged.memoryLimit).toMatchObject({ bytes: 1 << 28, watch: true });
  await caged.leave();
});

test.skipIf(process.platform !== 'linux')('switched off means limits without isolation, and no refusals', async () => {
  const caged = await enter(open('none', nothingButPlain));
  expect(caged.inForce).toEqual({ mode: 'none' });
  await caged.leave();
});

test.skipIf(process.platform !== 'linux')(
  'what is possible may be found out before it is needed, and is not tried again',
  async () => {
    let trials = 0;
    const tried = Promise.withResolvers<void>();
    const room = open(
      'none',
      refusing(() => {
        trials++;
        tried.resolve();
        return undefined;
      }),
    );
    const prepared = room.prepare();
    await tried.promise;
    await prepared;
    await enter(room);
    await enter(room);
    expect(trials).toBe(1);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a shortage while it is found out refuses nothing: whoever comes next tries again',
  async () => {
    let isShort = true;
    const room = open(
      'auto',
      refusing(() => (isShort ? new HelperShortage(new Error('EMFILE')) : undefined)),
    );
    await room.prepare();
    await expect(enter(room)).rejects.toThrow(HelperShortage);
    isShort = false;
    const { inForce, leave } = await enter(room);
    expect(inForce.mode).toMatch(/^(uid\+namespace|namespace)$/);
    await leave();
  },
);

test.skipIf(process.platform !== 'linux')(
  'that nothing is possible is told to who starts the first plugin, not to who prepares',
  async () => {
    const room = open('uid', nothingButPlain);
    await room.prepare();
    await expect(enter(room)).rejects.toThrow('PLUGIN_ISOLATION=uid is not possible here');
  },
);
