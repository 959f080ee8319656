import fc from 'fast-check';
import { beforeEach, expect, test, vi } from 'vitest';
import { ByteBudget, type Room } from '../../budget/index.ts';
import type { SessionSink } from '../runtime.ts';
import { LineChannel } from './line-channel.ts';

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';

class Recorder implements SessionSink {
  seen: string[] = [];
  flushes = 0;
  chunk(json: string): boolean {
    try {
      JSON.parse(json);
    } catch {
      return false;
    }
    this.seen.push(Buffer.from(json, 'latin1').toString('utf8'));
    return true;
  }
  flush(): void {
    this.flushes++;
  }
  invoke(data: unknown): void {
    this.seen.push(`invoke ${JSON.stringify(data)}`);
  }
  end(): void {
    this.seen.push('end');
  }
  fail(error: { errorType: string; message: string }): void {
    this.seen.push(`fail ${error.errorType} ${error.message}`);
  }
}

let outside: string[];
const channelWith = (limit = 1 << 20, room?: Room) =>
  new LineChannel({
    ...(room && { room }),
    maxMessageBytes: limit,
    maxMessageSetting: 'LIMIT',
    events: {
      heartbeat: () => outside.push('heartbeat'),
      log: (level, message) => outside.push(`log ${level} ${message}`),
      pluginError: (data) => outside.push(`error ${data}`),
      stray: (text) => outside.push(`stray ${text}`),
      fault: (error) => outside.push(`fault ${String(error)}`),
      lateInvoke: (session, id) => outside.push(`late ${session} ${id}`),
    },
  });

beforeEach(() => {
  outside = [];
});

const message = (id: string, type: string, data: unknown): string =>
  `${JSON.stringify({ event: 'session', session_id: id, data: { type, data } })}\n\n`;

test('routes messages to their sessions, in order, with one flush per read', () => {
  const channel = channelWith();
  const a = new Recorder();
  const b = new Recorder();
  channel.open(A, a);
  channel.open(B, b);
  channel.push(
    Buffer.from(
      message(A, 'stream', { n: 1 }) +
        message(B, 'stream', { n: 2 }) +
        message(A, 'stream', { n: 3 }) +
        message(A, 'end', {}),
    ),
  );
  expect(a.seen).toEqual(['{"n":1}', '{"n":3}', 'end']);
  expect(b.seen).toEqual(['{"n":2}']);
  expect([a.flushes, b.flushes]).toEqual([1, 1]);
  expect(channel.sessions).toBe(1);
});

test('any cut of the bytes gives the same messages', () => {
  const bytes = Buffer.from(
    `${message(A, 'stream', { t: 'é中\u2028\u0085😀' })}print()\n{"event":"heartbeat"}\r\n${message(B, 'stream', [1])}${message(A, 'end', {})}`,
  );
  const read = (cuts: number[]) => {
    outside = [];
    const channel = channelWith();
    const a = new Recorder();
    channel.open(A, a);
    let from = 0;
    for (const cut of [...cuts.map((c) => c % bytes.length).sort((x, y) => x - y), bytes.length]) {
      channel.push(bytes.subarray(from, cut));
      from = cut;
    }
    return { a: a.seen, outside };
  };
  const whole = read([]);
  expect(whole.a).toEqual(['{"t":"é中\\u2028\\u0085😀"}', 'end']);
  expect(whole.outside).toEqual(['stray print()', 'heartbeat']);
  fc.assert(
    fc.property(fc.array(fc.nat()), (cuts) => {
      expect(read(cuts)).toEqual(whole);
    }),
  );
});

test('no input throws, and none reaches a session it does not name', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((s) => Buffer.from(s)),
          fc.constant(Buffer.from('\n')),
        ),
      ),
      (pieces) => {
        const channel = channelWith(500);
        const a = new Recorder();
        channel.open(A, a);
        for (const piece of pieces) channel.push(Buffer.from(piece));
        expect(a.seen).toEqual([]);
      },
    ),
  );
});

test('two objects on one line are both delivered', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  const one = (n: number) => JSON.stringify({ event: 'session', session_id: A, data: { type: 'stream', data: { n } } });
  channel.push(Buffer.from(`${one(1)}${one(2)}\n\n\n\n`));
  expect(a.seen).toEqual(['{"n":1}', '{"n":2}']);
});

test('unusual spelling keeps the digits of numbers', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  channel.push(
    Buffer.from(
      `{ "session_id" : "${A}", "event":"session", "data" : {"data":{"big":12345678901234567890,"f":1.0}, "type":"stream"}}\n`,
    ),
  );
  expect(a.seen).toEqual(['{"big":12345678901234567890,"f":1.0}']);
});

test('a usual head with more members after the payload is read the ordinary way', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  channel.push(
    Buffer.from(`{"event":"session","session_id":"${A}","data":{"type":"stream","data":{"a":1}},"extra":{"b":{}}}\n`),
  );
  expect(a.seen).toEqual(['{"a":1}']);
});

test('a message over the limit fails its session alone and at once', () => {
  const channel = channelWith(1000);
  const a = new Recorder();
  const b = new Recorder();
  channel.open(A, a);
  channel.open(B, b);
  channel.push(
    Buffer.from(`{"event":"session","session_id":"${A}","data":{"type":"stream","data":{"x":"${'y'.repeat(2000)}`),
  );
  expect(a.seen).toEqual([expect.stringMatching(/^fail PluginMessageTooLargeError .*1000 bytes.*LIMIT/)]);
  channel.push(Buffer.from(`${'y'.repeat(2000)}"}}}\n${message(B, 'stream', 'ok')}`));
  expect(b.seen).toEqual(['"ok"']);
  expect(a.seen).toHaveLength(1);
});

test('an error in any form ends the session as an error', () => {
  for (const data of [
    'text',
    null,
    7,
    { error_type: 'E', message: 'm', args: Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`k${i}`, i])) },
  ]) {
    const channel = channelWith();
    const a = new Recorder();
    channel.open(A, a);
    channel.push(Buffer.from(message(A, 'error', data)));
    channel.push(Buffer.from(message(A, 'end', {})));
    expect(a.seen).toEqual([expect.stringMatching(/^fail /)]);
  }
});

test('a call back for a finished session is reported, so that the plugin need not wait', () => {
  channelWith().push(Buffer.from(message(A, 'invoke', { type: 'llm', backwards_request_id: 'r1', request: {} })));
  expect(outside).toEqual([`late ${A} r1`]);
});

test('failing the channel fails every session once', () => {
  const channel = channelWith();
  const a = new Recorder();
  const b = new Recorder();
  channel.open(A, a);
  channel.open(B, b);
  channel.fail({ errorType: 'ConnectionClosedError', message: 'gone' });
  channel.fail({ errorType: 'ConnectionClosedError', message: 'gone' });
  expect(a.seen).toEqual(['fail ConnectionClosedError gone']);
  expect(b.seen).toEqual(['fail ConnectionClosedError gone']);
});

test('text around messages is stray output, and the messages arrive', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  const one = message(A, 'stream', { n: 1 }).trim();
  channel.push(Buffer.from(`.${one}\n..${one}${one} and more\n{"half": ${message(A, 'end', {}).trim()}\n`));
  expect(a.seen).toEqual(['{"n":1}', '{"n":1}', '{"n":1}', 'end']);
  expect(outside).toEqual(['stray .', 'stray ..', 'stray  and more', 'stray {"half": ']);
});

test('lines that can be no events are not parsed, in whatever number; those that may be one are', () => {
  const channel = channelWith();
  const parse = vi.spyOn(JSON, 'parse');
  try {
    channel.push(Buffer.from(`${'x\n{\n{}\n[1]\n'.repeat(1000)}it said "event"\n`));
    expect(parse).not.toHaveBeenCalled();
    expect(outside.length).toBe(4001);
    channel.push(Buffer.from('{"ev\\u0065nt":"heartbeat"}\n\t{"event":"heartbeat"} \r\n'));
    expect(outside.slice(4001)).toEqual(['heartbeat', 'heartbeat']);
  } finally {
    parse.mockRestore();
  }
});

test('a carriage return between the tokens of a payload does not reach readers, who take it for a line end', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  const head = `{"event":"session","session_id":"${A}","data":{"type":"stream","data":`;
  channel.push(Buffer.from(`${head}{"n":\r1}}}\r\n${head}{"ü":\r2}}}\n{ "a":1,${head.slice(1)}{"n":\r3}}}\n`));
  expect(a.seen).toEqual(['{"n": 1}', '{"ü": 2}', '{"n": 3}']);
});

test('a message that something wrote into ends its session with the reason', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  const text = message(A, 'stream', { text: 'abc' }).trim();
  channel.push(Buffer.from(`${text.replace('abc', 'a"\u0001native"c')}\n`));
  expect(a.seen).toEqual([expect.stringMatching(/^fail PluginMessageDamagedError .*standard error instead$/)]);
});

test('what is nested too deeply fails its session, with the limit', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  const deep = '['.repeat(30_000) + ']'.repeat(30_000);
  channel.push(Buffer.from(`{"event":"log","data":{"level":"info","message":${deep}}}\n`));
  expect(outside).toEqual([expect.stringMatching(/^stray /)]);
  channel.push(Buffer.from(`{"event":"session","session_id":"${A}","data":{"type":"error","data":${deep}}}\n`));
  expect(a.seen).toEqual([expect.stringMatching(/^fail PluginMessageRefusedError .*1000 levels/)]);
});

test('only texts are taken as level and message of a log', () => {
  const channel = channelWith();
  for (const data of [
    '{"level":{"toString":1},"message":"x"}',
    '{"level":"constructor","message":"y"}',
    '{"message":[1]}',
    '7',
  ])
    channel.push(Buffer.from(`{"event":"log","data":${data}}\n`));
  expect(outside).toEqual([
    'log info x',
    'log constructor y',
    'stray {"event":"log","data":{"message":[1]}}',
    'stray {"event":"log","data":7}',
  ]);
});

test('what a sink throws ends its session and no other', () => {
  const channel = channelWith();
  const a = new Recorder();
  const b = new Recorder();
  channel.open(A, a);
  channel.open(B, b);
  a.flush = () => {
    throw new Error('broken');
  };
  channel.push(Buffer.from(message(A, 'stream', 1) + message(B, 'stream', 2)));
  expect(a.seen).toEqual(['1', expect.stringMatching(/^fail PluginMessageError .*broken$/)]);
  expect(b.seen).toEqual(['2']);
  expect(outside).toEqual(['fault Error: broken']);
  expect(channel.sessions).toBe(1);
});

test('begun lines of all channels together have a limit; beyond it the line fails its session and the next is read', () => {
  const budget = new ByteBudget({ what: 'unfinished lines', total: 1000, perOwner: 600, setting: 'LINES' });
  const channel = channelWith(1 << 20, budget.room('a'));
  const other = channelWith(1 << 20, budget.room('b'));
  const a = new Recorder();
  channel.open(A, a);
  const begun = message(A, 'stream', { text: 'x'.repeat(2000) });
  other.push(Buffer.from('y'.repeat(550)));
  channel.push(Buffer.from(begun.slice(0, 400)));
  expect(budget.used).toBe(950);
  channel.push(Buffer.from(begun.slice(400, 600)));
  expect(a.seen).toEqual([expect.stringMatching(/^fail PluginMessageTooLargeError .*unfinished lines.*\(LINES\)/)]);
  expect(budget.used).toBe(550);
  const b = new Recorder();
  channel.open(B, b);
  channel.push(Buffer.from(begun.slice(600) + message(B, 'stream', 1)));
  expect(b.seen).toEqual(['1']);
  other.push(Buffer.from('\n'));
  expect(budget.used).toBe(0);
  channel.push(Buffer.from('z'));
  channel.fail({ errorType: 'gone', message: '' });
  expect(budget.used).toBe(0);
});

test('a line that comes byte by byte is whole in the end', () => {
  const channel = channelWith();
  const a = new Recorder();
  channel.open(A, a);
  const text = 'é'.repeat(4000);
  for (const byte of Buffer.from(message(A, 'stream', text))) channel.push(Buffer.from([byte]));
  expect(a.seen).toEqual([JSON.stringify(text)]);
});
