import { DaemonError, type SessionError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime, RuntimeSession, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { describe, expect, test } from 'vitest';
import { requestBytes } from '../../runtimes/serverless/index.ts';
import { actionOf } from '../testing.ts';
import { BatchedRuntime } from './index.ts';
import { planBatches } from './plan.ts';

const line = (texts: readonly unknown[], more: object = {}): string =>
  JSON.stringify({ session_id: 's', event: 'request', data: { action: 'x', ...more, texts, last: ['a'] } });

describe('planning', () => {
  const sizes = (texts: readonly string[], limit: number): readonly (readonly string[])[] | undefined =>
    planBatches(line(texts), 'act', limit)?.map((batch) => {
      const text = batch.line();
      expect(requestBytes(text)).toBeLessThanOrEqual(limit);
      const parsed = JSON.parse(text);
      expect(parsed).toMatchObject({ session_id: 's', data: { last: ['a'] } });
      expect(parsed.data.texts).toHaveLength(batch.texts);
      return parsed.data.texts;
    });

  test('what fits exactly is not split, one byte more is', () => {
    const texts = ['aaaa', 'bbbb'];
    const size = requestBytes(line(texts));
    expect(sizes(texts, size)).toBeUndefined();
    expect(sizes(texts, size - 1)).toEqual([['aaaa'], ['bbbb']]);
  });

  test('batches are as large as the limit allows, in order, whatever JSON makes of their texts', () => {
    const texts = Array.from({ length: 40 }, (_, n) => `${n}<&>"\u2028中é😀\\`);
    const around = requestBytes(line([]));
    const split = sizes(texts, around + 3 * requestBytes(JSON.stringify(texts[39])) + 2);
    expect(split?.flat()).toEqual(texts);
    expect(split?.length).toBeGreaterThan(10);
  });

  test('what stands around the texts does not count twice, though it looks like them', () => {
    const texts = ['a'.repeat(50), 'b'.repeat(50)];
    const twin = JSON.stringify({ data: { texts, after: { texts }, [`${JSON.stringify(texts)}`]: 1 } });
    const batches = planBatches(twin, 'act', requestBytes(twin) - 1);
    expect(batches?.map((batch) => JSON.parse(batch.line()).data.texts)).toEqual([[texts[0]], [texts[1]]]);
    expect(JSON.parse(batches?.[0]?.line() ?? '').data.after).toEqual({ texts });
  });

  test('one text that is too large, and an envelope that is', () => {
    const around = requestBytes(line([]));
    const refusal = (texts: readonly string[], limit: number): string => {
      try {
        planBatches(line(texts), 'act', limit);
        return 'planned';
      } catch (error) {
        if (!(error instanceof DaemonError)) throw error;
        return error.message;
      }
    };
    expect(refusal(['a', 'b'.repeat(100)], around + 50)).toBe(
      `ServerlessPayloadTooLarge: action=act payload_bytes=${around + 102} max_request_bytes=${around + 50} item_index=1`,
    );
    expect(refusal(['a'], around - 1)).toBe(
      `ServerlessPayloadTooLarge: action=act payload_bytes=${around} max_request_bytes=${around - 1}`,
    );
  });

  test.each([['{"data":{}}'], ['{"data":{"texts":"x"}}'], ['{}'], ['{"data":[]}'], ['nope']])(
    '%s is left as it is',
    (text) => {
      expect(planBatches(text, 'act', 1)).toBeUndefined();
    },
  );
});

/** A function whose answers the test gives, one list of payloads for each batch. */
class Played implements PluginRuntime {
  readonly type = 'serverless';
  readonly pluginId = 'a/b';
  readonly identifier = 'a/b:1@c';
  readonly maxRequestBytes = 200;
  readonly asked: string[] = [];
  readonly answers: ((texts: readonly string[], sink: SessionSink) => void)[];

  constructor(...answers: Played['answers']) {
    this.answers = answers;
  }

  open(_id: string, sink: SessionSink): RuntimeSession {
    return {
      callBackSecret: `secret-${this.asked.length}`,
      send: (sent) => {
        const answer = this.answers[this.asked.length] ?? this.answers.at(-1);
        this.asked.push(String(sent));
        const texts: readonly string[] = JSON.parse(String(sent)).data.texts;
        queueMicrotask(() => answer?.(texts, sink));
        return undefined;
      },
      close: () => undefined,
      cancel: () => undefined,
    };
  }
}

const usage = {
  tokens: 1,
  total_tokens: 2,
  unit_price: '0.10',
  price_unit: '0.001',
  total_price: '0.1',
  currency: 'USD',
  latency: 0.25,
};
const embedding =
  (change: object = {}, changedUsage: object = {}) =>
  (texts: readonly string[], sink: SessionSink) => {
    sink.chunk(
      JSON.stringify({
        model: 'm',
        embeddings: texts.map(() => [0.5]),
        usage: { ...usage, ...changedUsage },
        ...change,
      }),
    );
    sink.end();
  };

async function run(path: string, runtime: Played, texts = ['x'.repeat(100), 'y'.repeat(100), 'z'.repeat(100)]) {
  const over = Promise.withResolvers<SessionError | 'end'>();
  const chunks: unknown[] = [];
  const session = new BatchedRuntime(runtime, actionOf(path)).open(
    's',
    {
      chunk: (json) => chunks.push(JSON.parse(json)) > 0,
      flush: () => undefined,
      invoke: () => undefined,
      end: () => over.resolve('end'),
      fail: (error) => over.resolve(error),
    },
    { action: 'x', traceparent: () => '' },
  );
  void session.send(JSON.stringify({ data: { texts } }));
  return { chunks, over: await over.promise, secret: session.callBackSecret };
}

describe('answers', () => {
  test('of embeddings are put together: lists joined, figures added, prices exactly', async () => {
    const runtime = new Played(embedding({}, { total_price: 0.2 }), embedding({}, { unit_price: 0.1 }), embedding());
    const { chunks, over, secret } = await run('/text_embedding/invoke', runtime);
    expect(over).toBe('end');
    expect(chunks).toEqual([
      {
        model: 'm',
        embeddings: [[0.5], [0.5], [0.5]],
        usage: {
          tokens: 3,
          total_tokens: 6,
          unit_price: '0.1',
          price_unit: '0.001',
          total_price: '0.4',
          currency: 'USD',
          latency: 0.75,
        },
      },
    ]);
    expect([runtime.asked.length, secret]).toEqual([3, 'secret-2']);
  });

  test('a request that fits is one', async () => {
    const runtime = new Played(embedding());
    expect((await run('/text_embedding/invoke', runtime, ['a', 'b'])).over).toBe('end');
    expect(runtime.asked).toHaveLength(1);
  });

  test.each([
    ['embedding_count', embedding({ embeddings: [] }), 'actual_items=0 response_count=1'],
    ['model', embedding({ model: 'other' }), 'actual_items=1 response_count=1'],
    ['unit_price', embedding({}, { unit_price: '0.11' }), 'actual_items=1 response_count=1'],
    ['price_unit', embedding({}, { price_unit: '1' }), 'actual_items=1 response_count=1'],
    ['currency', embedding({}, { currency: 'EUR' }), 'actual_items=1 response_count=1'],
    ['response_count', (_texts: readonly string[], sink: SessionSink) => sink.end(), 'actual_items=0 response_count=0'],
  ])('that differ in %s fail the call at once', async (reason, second, words) => {
    const runtime = new Played(embedding(), second, embedding());
    const { over, chunks } = await run('/text_embedding/invoke', runtime);
    expect(over).toMatchObject({
      errorType: 'PluginInvokeError',
      message: `ServerlessBatchResultMismatch: action=invoke_text_embedding batch_index=1 expected_items=1 ${words} reason=${reason}`,
    });
    expect([chunks, runtime.asked.length]).toEqual([[], 2]);
  });

  test('of token counts', async () => {
    const counts = (texts: readonly string[], sink: SessionSink) => {
      sink.chunk(JSON.stringify({ num_tokens: texts.map(({ length }) => length) }));
      sink.end();
    };
    expect((await run('/text_embedding/num_tokens', new Played(counts))).chunks).toEqual([
      { num_tokens: [100, 100, 100] },
    ]);
    const none = new Played(counts, (_texts, sink) => sink.end());
    expect((await run('/text_embedding/num_tokens', none)).over).toMatchObject({
      message: expect.stringContaining('reason=token_count'),
    });
  });

  test('an error of one batch is that of the call', async () => {
    const error = { errorType: 'InvokeServerUnavailableError', message: 'later' };
    const runtime = new Played(embedding(), (_texts, sink) => sink.fail(error));
    expect((await run('/text_embedding/invoke', runtime)).over).toBe(error);
    const wrong = new Played(embedding(), (_texts, sink) => {
      sink.chunk('{"model":"m","embeddings":[[1]]}');
      sink.end();
    });
    expect((await run('/text_embedding/invoke', wrong)).over).toMatchObject({ errorType: 'unmarshal_error' });
  });
});
