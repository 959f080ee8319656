import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { createProcessLauncher, type ProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPluginStarter, type PluginStarterOptions } from './plugin-starter.ts';
import { fakeLog } from './testing.ts';

const IDENTIFIER = `tests/fake:0.0.1@${'a'.repeat(64)}`;
const forever = new AbortController().signal;
let launcher: ProcessLauncher;
let prepare: PythonEnvironments['prepare'];
let left: number;
let prepared: Parameters<PythonEnvironments['prepare']>[0][];

beforeAll(() => {
  launcher = createProcessLauncher();
});

afterAll(() => launcher.close());

beforeEach(() => {
  prepared = [];
  left = 0;
  prepare = async () =>
    ({ python: '/bin/true', directory: '/tmp' }) as Awaited<ReturnType<PythonEnvironments['prepare']>>;
});

function starter(changes: Partial<PluginStarterOptions> = {}) {
  return createPluginStarter({
    environments: {
      prepare: (request: Parameters<PythonEnvironments['prepare']>[0]) => {
        prepared.push(request);
        return prepare(request);
      },
      examine: async () => undefined,
    },
    declarationOf: async () =>
      // As much of a declaration as the starter reads.
      ({
        meta: { runner: { language: 'python', version: '3.12', entrypoint: 'main' } },
        resource: { memory: 1 << 20 },
      }) as PluginDeclaration,
    readPackage: async (identifier) => Buffer.from(identifier),
    cages: {
      enter: async ({ spec }) => ({
        spec,
        inForce: { mode: 'none' },
        memoryLimit: undefined,
        leave: async () => void left++,
      }),
    },
    environment: { ONLY: 'this' },
    runtime: {
      launcher,
      log: fakeLog().log,
      readySeconds: 20,
      maxMessageBytes: 1 << 20,
      liveness: { warnAfterMs: 60_000, deadAfterMs: 120_000, lookEveryMs: 30_000, hopelessAfterMs: 600_000 },
      graceMs: 300,
    },
    buildsAtOnce: 2,
    startsAtOnce: 1,
    ...changes,
  });
}

test('the environment is made from the package and the runner of the declaration', async () => {
  await starter()(IDENTIFIER, { signal: forever, onProgress: () => undefined }).catch(() => undefined);
  expect(prepared).toHaveLength(1);
  expect(prepared[0]).toMatchObject({ identifier: IDENTIFIER, runner: { language: 'python', entrypoint: 'main' } });
  expect(Buffer.from((await prepared[0]?.readPackage()) ?? []).toString()).toBe(IDENTIFIER);
});

test('a process that ends at once is a failed start, with its steps told before', async () => {
  const steps: string[] = [];
  const starting = starter()(IDENTIFIER, { signal: forever, onProgress: (step) => steps.push(step) });
  await expect(starting).rejects.toMatchObject({
    kind: 'internal',
    message: expect.stringMatching(/^plugin failed to start: the plugin process ended \(exit code 0\)/),
  });
  expect(left).toBe(1);
  expect(steps).toEqual(['starting', 'installing heartbeat, waiting for plugin to be ready...']);
});

test('an environment that cannot be made keeps its own error', async () => {
  const error = new DaemonError('internal', 'no wheel', { remedy: 'another machine' });
  prepare = () => Promise.reject(error);
  await expect(starter()(IDENTIFIER, { signal: forever, onProgress: () => undefined })).rejects.toBe(error);
});

test('no more environments are built at once than allowed', async () => {
  let building = 0;
  let most = 0;
  prepare = async () => {
    most = Math.max(most, ++building);
    await new Promise((resolve) => setTimeout(resolve, 20));
    building--;
    throw new Error('that is enough');
  };
  const start = starter();
  await Promise.allSettled(
    Array.from({ length: 7 }, () => start(IDENTIFIER, { signal: forever, onProgress: () => undefined })),
  );
  expect(most).toBe(2);
});

test('a start that is given up ends with the reason, not with what became of the process', async () => {
  const given = new AbortController();
  prepare = async () => {
    given.abort(new Error('not wanted any more'));
    return { python: '/bin/true', directory: '/tmp' } as Awaited<ReturnType<PythonEnvironments['prepare']>>;
  };
  await expect(starter()(IDENTIFIER, { signal: given.signal, onProgress: () => undefined })).rejects.toThrow(
    'not wanted any more',
  );
});

test.skipIf(process.platform === 'win32').each([
  { sourceEnded: false, what: 'that its parent cannot start is not forked for a while', refused: 1 },
  { sourceEnded: true, what: 'whose parent ended while it started is forked the next time', refused: 0 },
])('a plugin $what', async ({ sourceEnded, refused }) => {
  const directory = mkdtempSync(join(tmpdir(), 'plugin-starter-'));
  const python = join(directory, 'python');
  writeFileSync(python, `#!/bin/sh\necho '{"event":"heartbeat","session_id":"","data":{}}'\nexec cat\n`);
  chmodSync(python, 0o755);
  prepare = async () => ({ python, directory }) as Awaited<ReturnType<PythonEnvironments['prepare']>>;
  const refusals: string[] = [];
  const start = starter({
    parents: {
      choose: async () => ({
        shows: [],
        forks: true,
        launcher: { launch: () => Promise.reject(new Error('nothing to fork from')) },
        by: () => ({ way: 'forked' }),
        sourceEnded: () => sourceEnded,
        over: () => undefined,
      }),
      refuse: (identifier) => refusals.push(identifier),
      forget: () => undefined,
      prepare: () => undefined,
    },
  });
  const runtime = await start(IDENTIFIER, { signal: forever, onProgress: () => undefined });
  await runtime.stop('the test is over');
  rmSync(directory, { recursive: true, force: true });
  expect(refusals).toHaveLength(refused);
});
