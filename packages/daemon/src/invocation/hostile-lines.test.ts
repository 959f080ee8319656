/** Whatever a plugin says, for whatever action: nothing throws past the channel, and every session ends once or goes on. */

import type { PluginRuntime } from '@plugin-daemon/plugin-host/runtimes';
import { LineChannel, PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { anyOddLine, lineOf, oddLines } from '@plugin-daemon/plugin-host/testing';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createBackwardsInvocations } from '../backwards-invocation/index.ts';
import { memoryStorage } from '../backwards-invocation/storage/testing.ts';
import { StoredDeclaration } from '../database/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { actionOf, FakeOutput, placementOf, type World, world } from './testing.ts';

const ACTIONS = ['/tool/invoke', '/llm/invoke', '/agent_strategy/invoke', '/model/schema', '/model/polling/start'];
const GOOD = '{"type":"text","message":{"text":"good"},"meta":null}';
const faults: unknown[] = [];

/** A runtime that is a channel: what is pushed comes from the plugin. */
class ChannelRuntime implements PluginRuntime {
  readonly type = 'local';
  readonly pluginId = 'tests/hostile';
  readonly identifier = 'tests/hostile:0.0.1@abc';
  readonly sent: string[] = [];
  readonly channel: LineChannel;

  constructor() {
    const output = new PluginOutput(silentLog, {});
    this.channel = new LineChannel({
      maxMessageBytes: 1 << 24,
      maxMessageSetting: 'LIMIT',
      events: {
        heartbeat: () => undefined,
        log: (level, message) => output.event(level, message),
        pluginError: (data) => output.error(data),
        stray: (text) => output.stdout(text),
        fault: (error) => faults.push(error),
        lateInvoke: () => undefined,
      },
    });
  }

  open(sessionId: string, sink: Parameters<PluginRuntime['open']>[1]) {
    this.channel.open(sessionId, sink);
    return {
      send: (line: string) => void this.sent.push(line),
      close: () => void this.channel.close(sessionId),
      cancel: () => void this.channel.close(sessionId),
    };
  }
}

const permission = {
  tool: { enabled: true },
  model: { enabled: true, llm: true, rerank: true },
  node: { enabled: true },
  app: { enabled: true },
  storage: { enabled: true, size: 1 << 20 },
};
const declaration = JSON.stringify({ version: '0.0.1', name: 'hostile', resource: { memory: 1, permission } });

const placed = (runtime: ChannelRuntime) => ({
  ...placementOf(runtime),
  declaration: async () => new StoredDeclaration(runtime.identifier, runtime.pluginId, declaration),
});

function hostileWorld(): { readonly runtime: ChannelRuntime; readonly invocations: World } {
  const runtime = new ChannelRuntime();
  const refuse = async (): Promise<never> => {
    throw new Error('there is no Dify');
  };
  const backwards = createBackwardsInvocations({
    dify: { call: refuse, stream: refuse },
    storage: memoryStorage().storage,
    log: silentLog,
  });
  const invocations = world({
    routing: { peek: () => runtime, ready: async () => runtime },
    backwards,
    onFault: (error) => faults.push(error),
  });
  return { runtime, invocations };
}

/** The plugin says a line in a session; then another session of it must be served as if nothing had been said. */
async function say(
  { runtime, invocations }: ReturnType<typeof hostileWorld>,
  path: string,
  text: string,
): Promise<void> {
  const output = new FakeOutput();
  const session = await invocations.open(output, { action: actionOf(path), placement: placed(runtime) });
  runtime.channel.push(lineOf(text, session.id));
  const ended = output.ends.length;
  expect(ended).toBeLessThanOrEqual(1);
  runtime.channel.push(
    Buffer.from(`{"event":"session","session_id":"${session.id}","data":{"type":"end","data":{}}}\n`),
  );
  expect(output.ends).toHaveLength(1);
  // What is said of it can be sent.
  expect(JSON.stringify(output.ends).length).toBeGreaterThan(0);
  for (const chunk of output.chunks) JSON.parse(Buffer.from(chunk, 'latin1').toString());

  const next = new FakeOutput();
  const { id } = await invocations.open(next, { placement: placed(runtime) });
  runtime.channel.push(
    Buffer.from(
      `{"event":"session","session_id":"${id}","data":{"type":"stream","data":${GOOD}}}\n\n{"event":"session","session_id":"${id}","data":{"type":"end","data":{}}}\n`,
    ),
  );
  expect([next.chunks, next.ends]).toEqual([[GOOD], ['end']]);
}

afterEach(() => {
  // The bounds hold: nothing came as far as a guard.
  expect(faults).toEqual([]);
  faults.length = 0;
});

test('every odd value in every place', async () => {
  const there = hostileWorld();
  let count = 0;
  for (const { name, text } of oddLines()) {
    const path = ACTIONS[count++ % ACTIONS.length] ?? '/tool/invoke';
    await say(there, path, text).catch((error: unknown) => {
      throw new Error(`${path}: ${name}`, { cause: error });
    });
  }
  expect(count).toBeGreaterThan(2000);
  expect(there.invocations.invocations.openSessions).toBe(0);
});

test('any line', async () => {
  const there = hostileWorld();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...ACTIONS), anyOddLine, (path, text) => say(there, path, text)),
    { numRuns: 3000 },
  );
});

test('should something of ours throw all the same, it ends the session it belongs to, which is told', async () => {
  const there = hostileWorld();
  const broken = new FakeOutput();
  broken.chunk = () => {
    throw new Error('this is broken');
  };
  const session = await there.invocations.open(broken, { placement: placed(there.runtime) });
  const untouched = new FakeOutput();
  await there.invocations.open(untouched, { placement: placed(there.runtime) });
  const stream = `{"event":"session","session_id":"${session.id}","data":{"type":"stream","data":${GOOD}}}\n`;
  there.runtime.channel.push(Buffer.from(stream + stream));
  expect(broken.failure).toMatchObject({
    from: 'plugin',
    error: { errorType: 'PluginMessageError', message: expect.stringContaining('this is broken') },
  });
  expect(untouched.ends).toEqual([]);
  expect(faults.splice(0)).toMatchObject([{ message: 'this is broken' }]);
});

test('an end that cannot be written becomes another end', async () => {
  const there = hostileWorld();
  const output = new FakeOutput();
  output.end = () => {
    throw new Error('this is broken');
  };
  const session = await there.invocations.open(output, { placement: placed(there.runtime) });
  there.runtime.channel.push(
    Buffer.from(`{"event":"session","session_id":"${session.id}","data":{"type":"end","data":{}}}\n`),
  );
  expect(output.failure).toMatchObject({ from: 'daemon', error: { kind: 'internal' } });
  expect(faults.splice(0)).toHaveLength(1);
});
