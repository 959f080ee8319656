import { DaemonError, sessionError } from '@plugin-daemon/plugin-host/errors';
import type { SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { BackwardsCaller, BackwardsReply } from '../backwards-invocation/index.ts';
import { actionOf, FakeOutput, world } from './testing.ts';

const TEXT = '{"type":"text","message":{"text":"hi"},"meta":null}';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function started(options?: Parameters<typeof world>[0], path = '/tool/invoke') {
  const made = world(options);
  const output = new FakeOutput();
  const session = await made.open(output, { action: actionOf(path) });
  const sink = made.runtime.sinks.get(session.id);
  if (sink === undefined) throw new Error('the session is not open');
  return { ...made, output, session, sink };
}

test('the request is one line with everything the plugin needs to know', async () => {
  const { runtime, session, opened } = await started();
  expect(runtime.sent).toEqual([
    `{"session_id":"${session.id}","conversation_id":null,"message_id":"message-1","app_id":null,"endpoint_id":null,"context":{"a":1},"event":"request","data":{"tool":"x"}}`,
  ]);
  expect(opened).toEqual([session]);
});

test('messages go through, then the end; both sides are closed once', async () => {
  const { sink, output, session, runtime, closed, invocations } = await started();
  expect(sink.chunk(TEXT)).toBe(true);
  sink.flush();
  sink.end();
  sink.end();
  sink.fail(sessionError('Late', 'late'));
  expect(output.chunks).toEqual([TEXT]);
  expect([output.flushes, output.ends]).toEqual([1, ['end']]);
  expect(runtime.ended).toEqual([[session.id, 'closed']]);
  expect(closed).toEqual([[session.id, 'success']]);
  expect(invocations.openSessions).toBe(0);
  // No timer keeps running.
  expect(vi.getTimerCount()).toBe(0);
});

test('the error of a plugin ends the session', async () => {
  const { sink, output, closed, session } = await started();
  sink.fail(sessionError('ValueError', 'no', {}));
  expect(output.failure).toEqual({ from: 'plugin', error: { errorType: 'ValueError', message: 'no', args: {} } });
  expect(closed).toEqual([[session.id, 'error']]);
});

test('a message of the wrong form fails the session; what is no JSON is given back', async () => {
  const { sink, output } = await started();
  expect(sink.chunk('{"type":')).toBe(false);
  expect(output.ends).toEqual([]);
  expect(sink.chunk('{"type":"nonsense","message":{}}')).toBe(true);
  expect(output.failure).toMatchObject({ from: 'plugin', error: { errorType: 'unmarshal_error' } });
  expect(sink.chunk(TEXT)).toBe(true);
  expect(output.chunks).toEqual([]);
});

test('the total limit ends a session however busy it is, and the plugin is told', async () => {
  const { sink, output, runtime, session, closed } = await started({ limits: { totalSeconds: 10, idleSeconds: 3 } });
  for (let n = 0; n < 9; n++) {
    vi.advanceTimersByTime(1000);
    sink.chunk(TEXT);
  }
  expect(output.ends).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(output.failure).toMatchObject({ from: 'daemon', error: { kind: 'internal', message: 'killed by timeout' } });
  expect(runtime.ended).toEqual([[session.id, 'cancelled']]);
  expect(closed).toEqual([[session.id, 'timeout']]);
  expect(output.chunks).toHaveLength(9);
});

test('the idle limit names itself; messages and calls back put it off', async () => {
  const { sink, output, closed, session } = await started({ limits: { totalSeconds: 600, idleSeconds: 3 } });
  vi.advanceTimersByTime(2900);
  sink.chunk(TEXT);
  vi.advanceTimersByTime(2900);
  sink.invoke({ type: 'tool', backwards_request_id: 'b', request: {} });
  vi.advanceTimersByTime(2900);
  expect(output.ends).toEqual([]);
  vi.advanceTimersByTime(200);
  const { error } = output.failure;
  expect(error).toMatchObject({ args: { limit_seconds: 3, setting: 'PLUGIN_IDLE_TIMEOUT' } });
  expect(error instanceof DaemonError && error.wireMessage).toBe(
    'killed by timeout: the plugin sent nothing for 3 s. Raise PLUGIN_IDLE_TIMEOUT if the plugin needs longer',
  );
  expect(closed).toEqual([[session.id, 'timeout']]);
});

test('without an idle limit, silence is allowed up to the total', async () => {
  const { output } = await started({ limits: { totalSeconds: 600, idleSeconds: 0 } });
  vi.advanceTimersByTime(599_000);
  expect(output.ends).toEqual([]);
  vi.advanceTimersByTime(1000);
  expect(output.ends).toHaveLength(1);
});

test('a client that leaves: the plugin is told, nothing is written to it any more', async () => {
  const { session, sink, output, runtime, closed } = await started();
  sink.chunk(TEXT);
  session.leave();
  sink.chunk(TEXT);
  sink.flush();
  sink.end();
  expect([output.chunks.length, output.flushes, output.ends]).toEqual([1, 0, []]);
  expect(runtime.ended).toEqual([[session.id, 'cancelled']]);
  expect(closed).toEqual([[session.id, 'client_disconnect']]);
});

test('leaving after the one answer of a single-answer action is how Dify ends it', async () => {
  const { session, sink, runtime, closed } = await started({}, '/tool/validate_credentials');
  sink.chunk('{"result":true}');
  session.leave();
  expect(runtime.ended).toEqual([[session.id, 'closed']]);
  expect(closed).toEqual([[session.id, 'success']]);
});

test('leaving before it is not', async () => {
  const { session, closed } = await started({}, '/tool/validate_credentials');
  session.leave();
  expect(closed).toEqual([[session.id, 'client_disconnect']]);
});

interface Called {
  readonly caller: BackwardsCaller;
  readonly type: string;
  readonly request: object;
  readonly reply: BackwardsReply;
}

async function calling() {
  const calls: Called[] = [];
  const made = await started({
    backwards: { handle: async (caller, type, request, reply) => void calls.push({ caller, type, request, reply }) },
  });
  const invoke = (data: unknown) => made.sink.invoke(data);
  return { ...made, calls, invoke };
}

test('a call back carries who calls; tenant and user are the session’s, whatever the plugin says', async () => {
  const { invoke, calls, session } = await calling();
  invoke({ type: 'tool', backwards_request_id: 'b-1', request: { tenant_id: 'another', user_id: 'another' } });
  expect(calls[0]).toMatchObject({
    type: 'tool',
    caller: {
      sessionId: session.id,
      tenantId: 'tenant-1',
      userId: 'user-1',
      pluginId: 'tests/fake',
      accessType: 'tool',
      traceparent: 'trace-1',
    },
  });
});

test('answers to it go to the plugin as lines of the session; data as it came', async () => {
  const { invoke, calls, runtime, session } = await calling();
  invoke({ type: 'tool', backwards_request_id: 'b"1', request: {} });
  const reply = calls[0]?.reply;
  void reply?.({ event: 'response', message: 'stream', data: '{"n":1.000,"big":12345678901234567890}' });
  void reply?.({ event: 'error', message: 'no\n"quotes"' });
  void reply?.({ event: 'end' });
  expect(runtime.sent[1]).toContain('"data":{"n":1.000,"big":12345678901234567890}}}');
  expect(runtime.lines.slice(1)).toMatchObject([
    {
      session_id: session.id,
      event: 'backwards_response',
      data: { backwards_request_id: 'b"1', event: 'response', message: 'stream' },
    },
    { data: { backwards_request_id: 'b"1', event: 'error', message: 'no\n"quotes"', data: null } },
    { data: { backwards_request_id: 'b"1', event: 'end', message: '', data: null } },
  ]);
  expect(runtime.sent.every((line) => !line.includes('\n'))).toBe(true);
});

test('when the session ends, its calls to Dify end too and nothing more is sent', async () => {
  const { invoke, calls, sink, runtime } = await calling();
  invoke({ type: 'tool', backwards_request_id: 'b', request: {} });
  const call = calls[0];
  expect(call?.caller.signal.aborted).toBe(false);
  sink.end();
  expect(call?.caller.signal.aborted).toBe(true);
  const before = runtime.sent.length;
  void call?.reply({ event: 'end' });
  expect(runtime.sent).toHaveLength(before);
});

test.each([
  ['no object', 7, 'invoke dify failed: unmarshal invoke request failed'],
  ['no type', { backwards_request_id: 'b', request: {} }, 'invoke request missing type'],
  ['no id', { type: 'tool', request: {} }, 'invoke request missing request_id'],
  ['no request', { type: 'tool', backwards_request_id: 'b' }, 'invoke request missing request'],
])('a call back with %s ends the session with that reason', async (_name, data, text) => {
  const { invoke, output, calls } = await calling();
  invoke(data);
  expect(calls).toEqual([]);
  expect(output.failure).toMatchObject({ error: { errorType: 'invoke_dify_error' } });
  expect(output.failure.error.message).toContain(text);
});

test('so many calls back may be open at once; more are refused until one ends', async () => {
  const open: (() => void)[] = [];
  const handle = () => new Promise<void>((resolve) => void open.push(resolve));
  const { sink, runtime } = await started({ backwards: { handle } });
  const call = (id: number): void => sink.invoke({ type: 'tool', backwards_request_id: `b-${id}`, request: {} });
  for (let id = 0; id < 300; id++) call(id);
  expect(open).toHaveLength(256);
  expect(JSON.stringify(runtime.lines.slice(1).map((line) => line.data))).toContain('256 calls open');
  open[0]?.();
  await vi.advanceTimersByTimeAsync(0);
  call(300);
  call(301);
  expect(open).toHaveLength(257);
});

test('a call back that breaks unexpectedly is logged, and the plugin gets an error and an end', async () => {
  const broken = new Error('a bug of ours');
  const { sink, runtime, faults, output } = await started({ backwards: { handle: () => Promise.reject(broken) } });
  sink.invoke({ type: 'tool', backwards_request_id: 'b', request: {} });
  await vi.advanceTimersByTimeAsync(0);
  expect(faults).toEqual([broken]);
  expect(runtime.lines.slice(1).map((line) => (line.data as { event: string }).event)).toEqual(['error', 'end']);
  expect(output.ends).toEqual([]);
});

test('an answer to a plugin that is gone is dropped: its runtime says why the session ends', async () => {
  const { invoke, calls, runtime } = await calling();
  invoke({ type: 'tool', backwards_request_id: 'b', request: {} });
  runtime.broken = new Error('plugin instance stopped');
  expect(calls[0]?.reply({ event: 'end' })).toBeUndefined();
});

test('sinks of closed sessions take late messages without a word', async () => {
  const { session, sink, calls, output } = await calling();
  session.abort(new DaemonError('internal', 'enough'));
  const late: SessionSink = sink;
  late.invoke({ type: 'tool', backwards_request_id: 'b', request: {} });
  late.chunk(TEXT);
  late.fail(sessionError('Late', 'late'));
  expect(calls).toEqual([]);
  expect(output.ends).toHaveLength(1);
});
