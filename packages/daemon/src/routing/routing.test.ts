import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { RuntimeType } from '@plugin-daemon/plugin-host/runtimes';
import { expect, test } from 'vitest';
import { type InstallationRecord, StoredDeclaration } from '../database/index.ts';
import { FakeRuntime } from '../invocation/testing.ts';
import type { DebuggingRuntime } from '../runtimes/debugging/index.ts';
import { Routing, type RoutingParts } from './index.ts';

const stored = (identifier: string) => new StoredDeclaration(identifier, 'a/p', '{}');
const debugged = (identifier: string): DebuggingRuntime =>
  ({ identifier, type: 'remote', declaration: stored(identifier) }) as unknown as DebuggingRuntime;
const row = (identifier: string, runtime_type: RuntimeType): InstallationRecord =>
  ({ plugin_unique_identifier: identifier, runtime_type }) as InstallationRecord;

interface World {
  connected?: DebuggingRuntime;
  installed?: InstallationRecord;
  inMemory?: boolean;
  leftRecently?: boolean;
  comesBack?: DebuggingRuntime;
  running?: FakeRuntime;
  functions?: RoutingParts['functions'];
}

function routing(world: World) {
  const asked: string[] = [];
  const parts: RoutingParts = {
    debugging: {
      find: () => world.connected,
      get: (identifier) => (world.connected?.identifier === identifier ? world.connected : undefined),
      leftRecently: () => world.leftRecently === true,
      returning: async () => world.comesBack,
    },
    local: {
      peek: () => world.running,
      ready: async (identifier) => {
        asked.push(`start ${identifier}`);
        if (world.running === undefined) throw new DaemonError('not-routable', 'nothing runs it');
        return world.running;
      },
    },
    ...(world.functions !== undefined && { functions: world.functions }),
    database: {
      installations: {
        peek: () => (world.inMemory ? world.installed : undefined),
        find: async () => {
          asked.push('installation');
          return world.installed;
        },
      },
      declarations: {
        find: async (identifier, type) => {
          asked.push(`declaration ${type}`);
          return stored(identifier);
        },
      },
    },
  };
  return { routing: new Routing(parts), asked };
}

test('an installed plugin, known at once when it was asked for before', async () => {
  const installed = row('a/p:1@x', 'local');
  const first = routing({ installed });
  const placement = await first.routing.find('t', 'a/p');
  expect(placement).toMatchObject({ identifier: 'a/p:1@x', runtimeType: 'local', where: { at: 'here' } });
  expect(first.asked).toEqual(['installation']);
  const second = routing({ installed, inMemory: true });
  expect(second.routing.find('t', 'a/p')).toMatchObject({ identifier: 'a/p:1@x' });
  expect(second.asked).toEqual([]);
});

test('the type of the runtime is that of the installation, and its declaration is read when it is wanted', async () => {
  const { routing: of, asked } = routing({ installed: row('a/p:1@x', 'serverless'), inMemory: true });
  const placement = await of.find('t', 'a/p');
  if (placement === undefined || placement === 'away') throw new Error('not placed');
  expect(placement.runtimeType).toBe('serverless');
  expect(asked).toEqual([]);
  expect((await placement.declaration())?.plugin_unique_identifier).toBe('a/p:1@x');
  expect(asked).toEqual(['declaration serverless']);
});

test('a debugging connection stands before an installed plugin, with its own declaration', async () => {
  const connected = debugged('t/p:1@debug');
  const { routing: of, asked } = routing({ connected, installed: row('a/p:1@x', 'local'), inMemory: true });
  const placement = of.find('t', 'a/p');
  if (placement instanceof Promise) throw new Error('not known at once');
  expect(placement).toMatchObject({ identifier: 't/p:1@debug', runtimeType: 'remote' });
  expect(await placement.declaration()).toBe(connected.declaration);
  expect(of.peek(placement)).toBe(connected);
  expect(await of.ready(placement, AbortSignal.abort())).toBe(connected);
  expect(asked).toEqual([]);
});

test('one that left a moment ago is waited for; when it stays away, the call may be tried again', async () => {
  const back = routing({ leftRecently: true, comesBack: debugged('t/p:1@debug') });
  expect(await back.routing.find('t', 'a/p')).toMatchObject({ identifier: 't/p:1@debug', runtimeType: 'remote' });
  expect(await routing({ leftRecently: true }).routing.find('t', 'a/p')).toBe('away');
  expect(await routing({}).routing.find('t', 'a/p')).toBeUndefined();
});

test('by identifier: what is connected, else what runs as a process', async () => {
  const connected = debugged('t/p:1@debug');
  const running = new FakeRuntime();
  const { routing: of, asked } = routing({ connected, running });
  expect((await of.withIdentifier('t/p:1@debug')).runtimeType).toBe('remote');
  const placement = await of.withIdentifier('a/p:1@x');
  expect(placement.runtimeType).toBe('local');
  expect(of.peek(placement)).toBe(running);
  expect(await of.ready(placement, AbortSignal.abort())).toBe(running);
  expect(asked).toEqual(['start a/p:1@x']);
});

test('what runs in another place has no runtime here', async () => {
  const { routing: of } = routing({ running: new FakeRuntime() });
  const elsewhere = { ...(await of.withIdentifier('a/p:1@x')), where: { at: 'node', nodeId: 'n2' } } as const;
  expect(of.peek(elsewhere)).toBeUndefined();
  await expect(of.ready(elsewhere, AbortSignal.abort())).rejects.toMatchObject({ kind: 'not-routable' });
});

test('on the serverless platform versions are at functions, whatever they were installed as; what is connected is here', async () => {
  const running = new FakeRuntime();
  const urls = new Map([['a/p:1@x', 'http://fn/1']]);
  const world: World = {
    installed: row('a/p:1@x', 'local'),
    inMemory: true,
    functions: {
      peek: (identifier) => (urls.has(identifier) ? running : undefined),
      urlOf: (identifier) => urls.get(identifier) ?? Promise.resolve(undefined),
      ready: async (identifier) => {
        if (!urls.has(identifier)) throw new DaemonError('runtime-unavailable', 'no function');
        return running;
      },
    },
  };
  const { routing: of } = routing(world);
  const placement = of.find('t', 'a/p');
  if (placement instanceof Promise || placement === undefined) throw new Error('not known at once');
  expect(placement).toMatchObject({ runtimeType: 'serverless', where: { at: 'function', url: 'http://fn/1' } });
  expect(of.peek(placement)).toBe(running);
  expect(await of.ready(placement, AbortSignal.abort())).toBe(running);
  const missing = await of.withIdentifier('a/p:2@x');
  expect(missing.where).toEqual({ at: 'function', url: '' });
  expect(of.peek(missing)).toBeUndefined();
  await expect(of.ready(missing, AbortSignal.abort())).rejects.toMatchObject({ kind: 'runtime-unavailable' });
  const connected = debugged('t/p:1@debug');
  const { routing: debugging } = routing({ ...world, connected });
  expect(await debugging.withIdentifier('t/p:1@debug')).toMatchObject({ runtimeType: 'remote', where: { at: 'here' } });
});
