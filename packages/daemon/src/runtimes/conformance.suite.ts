import type { SessionError } from '@plugin-daemon/plugin-host/errors';
import type { PluginRuntime, SessionContext, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** The plugin at the other end, played by the test. */
export interface PlayedPlugin {
  /** Writes these characters as they are. */
  write(text: string): void;
  /** The next line that the plugin was sent, parsed. */
  hear(): Promise<Readonly<Record<string, unknown>>>;
  /** Goes away in the middle of everything. */
  leave(): void;
}

export interface RunningPlugin {
  readonly runtime: PluginRuntime;
  readonly plugin: PlayedPlugin;
  close(): Promise<void>;
}

const A = '8417b807-017e-4973-9699-c82654a3bb01';
const B = '8417b807-017e-4973-9699-c82654a3bb02';

const CONTEXT: SessionContext = { action: 'invoke_tool', traceparent: () => '00-0-0-00' };

/** Keeps what a session hears, in order. */
class Sink implements SessionSink {
  readonly heard: unknown[] = [];
  readonly over = Promise.withResolvers<SessionError | 'end'>();

  chunk(json: string): boolean {
    try {
      this.heard.push(JSON.parse(Buffer.from(json, 'latin1').toString('utf8')));
      return true;
    } catch {
      return false;
    }
  }

  flush(): void {}

  invoke(data: unknown): void {
    this.heard.push({ invoke: data });
  }

  end(): void {
    this.over.resolve('end');
  }

  fail(error: SessionError): void {
    this.over.resolve(error);
  }
}

export interface RuntimeTraits {
  /** Calls back come in on the session itself, not by a way of their own. */
  readonly callsBackInSession?: boolean;
  /** With which error open sessions end when the plugin goes. */
  readonly goneAs?: string;
}

/** What every runtime does, run over the given one. */
export function runtimeConformance(
  name: string,
  start: () => Promise<RunningPlugin>,
  { callsBackInSession = true, goneAs = 'ConnectionClosedError' }: RuntimeTraits = {},
): void {
  describe(`runtime: ${name}`, () => {
    let running: RunningPlugin;
    let runtime: PluginRuntime;
    let plugin: PlayedPlugin;

    beforeEach(async () => {
      running = await start();
      ({ runtime, plugin } = running);
    });
    afterEach(() => running.close());

    const say = (id: string, type: string, data: unknown = {}): void =>
      plugin.write(`${JSON.stringify({ event: 'session', session_id: id, data: { type, data } })}\n`);

    test('it says which plugin it runs', () => {
      expect(runtime.identifier.startsWith(`${runtime.pluginId}:`)).toBe(true);
      expect(['local', 'remote', 'serverless']).toContain(runtime.type);
    });

    test('a session sends its request and hears chunks, calls back and its end, in order', async () => {
      const sink = new Sink();
      const session = runtime.open(A, sink, CONTEXT);
      await session.send(JSON.stringify({ session_id: A, text: 'ü\u2028' }));
      expect(await plugin.hear()).toEqual({ session_id: A, text: 'ü\u2028' });
      say(A, 'stream', { n: 1, text: 'ü' });
      if (callsBackInSession) say(A, 'invoke', { backwards_request_id: 'x' });
      say(A, 'stream', 2);
      say(A, 'end');
      expect(await sink.over.promise).toBe('end');
      const called = callsBackInSession ? [{ invoke: { backwards_request_id: 'x' } }] : [];
      expect(sink.heard).toEqual([{ n: 1, text: 'ü' }, ...called, 2]);
    });

    test('sessions side by side hear their own', async () => {
      const [a, b] = [new Sink(), new Sink()];
      await runtime.open(A, a, CONTEXT).send(JSON.stringify({ session_id: A }));
      await runtime.open(B, b, CONTEXT).send(JSON.stringify({ session_id: B }));
      expect([await plugin.hear(), await plugin.hear()]).toEqual([{ session_id: A }, { session_id: B }]);
      say(B, 'stream', 'b');
      say(A, 'stream', 'a');
      say(A, 'end');
      say(B, 'end');
      expect(await Promise.all([a.over.promise, b.over.promise])).toEqual(['end', 'end']);
      expect([a.heard, b.heard]).toEqual([['a'], ['b']]);
    });

    test('an error of the plugin ends its session alone', async () => {
      const [a, b] = [new Sink(), new Sink()];
      await runtime.open(A, a, CONTEXT).send('{}');
      await runtime.open(B, b, CONTEXT).send('{}');
      say(A, 'error', { error_type: 'ValueError', message: 'no', args: {} });
      say(B, 'end');
      expect(await a.over.promise).toMatchObject({ errorType: 'ValueError', message: 'no' });
      expect(await b.over.promise).toBe('end');
    });

    test('nothing is heard before opening and sending have returned', async () => {
      const sink = new Sink();
      const session = runtime.open(A, sink, CONTEXT);
      say(A, 'stream', 'early');
      const sent = session.send('{}');
      expect(sink.heard).toEqual([]);
      await sent;
      say(A, 'end');
      expect(await sink.over.promise).toBe('end');
    });

    test('a closed session hears nothing more, and the plugin is not told', async () => {
      const [closed, next] = [new Sink(), new Sink()];
      const session = runtime.open(A, closed, CONTEXT);
      await session.send('{"first":1}');
      await plugin.hear();
      session.close();
      session.close();
      session.cancel();
      say(A, 'stream', 'late');
      await runtime.open(B, next, CONTEXT).send('{"second":1}');
      expect(await plugin.hear()).toEqual({ second: 1 });
      say(B, 'end');
      await next.over.promise;
      expect(closed.heard).toEqual([]);
    });

    test('a cancelled session hears nothing more, and the plugin is told once', async () => {
      const [cancelled, next] = [new Sink(), new Sink()];
      const session = runtime.open(A, cancelled, CONTEXT);
      await session.send('{"first":1}');
      await plugin.hear();
      session.cancel();
      session.cancel();
      expect(await plugin.hear()).toMatchObject({ session_id: A, event: 'cancel' });
      say(A, 'stream', 'late');
      await runtime.open(B, next, CONTEXT).send('{"second":1}');
      expect(await plugin.hear()).toEqual({ second: 1 });
      say(B, 'end');
      await next.over.promise;
      expect(cancelled.heard).toEqual([]);
    });

    test.runIf(callsBackInSession)('a call back of a session that is over is answered at once', async () => {
      say(A, 'invoke', { backwards_request_id: 'x' });
      expect([await plugin.hear(), await plugin.hear()]).toMatchObject([
        { session_id: A, event: 'backwards_response', data: { backwards_request_id: 'x', event: 'error' } },
        { session_id: A, event: 'backwards_response', data: { backwards_request_id: 'x', event: 'end' } },
      ]);
    });

    test('noise harms no session', async () => {
      const sink = new Sink();
      await runtime.open(A, sink, CONTEXT).send('{}');
      plugin.write('hello\n\n{"event":\n[]\n"x"\n{"event":"session","session_id":7}\n{"event":"heartbeat"}\n\0\xff\n');
      say(B, 'stream', 'nobody’s');
      say(A, 'end');
      expect(await sink.over.promise).toBe('end');
      expect(sink.heard).toEqual([]);
    });

    test('a message over the limit fails its session alone', async () => {
      const [a, b] = [new Sink(), new Sink()];
      await runtime.open(A, a, CONTEXT).send('{}');
      await runtime.open(B, b, CONTEXT).send('{}');
      say(A, 'stream', 'x'.repeat(MAX_MESSAGE_BYTES));
      say(B, 'end');
      expect(await a.over.promise).toMatchObject({ errorType: 'PluginMessageTooLargeError' });
      expect(await b.over.promise).toBe('end');
    });

    test('a plugin that goes fails every open session, and takes no new ones', async () => {
      const sinks = [new Sink(), new Sink()];
      await runtime.open(A, sinks[0] ?? new Sink(), CONTEXT).send('{}');
      await runtime.open(B, sinks[1] ?? new Sink(), CONTEXT).send('{}');
      plugin.leave();
      for (const sink of sinks) expect(await sink.over.promise).toMatchObject({ errorType: goneAs });
      // Whatever does not know yet that the plugin is gone tells the sink later.
      const late = new Sink();
      await expect(
        (async () => {
          await runtime.open(A, late, CONTEXT).send('{}');
          throw await late.over.promise;
        })(),
      ).rejects.toBeDefined();
    });
  });
}

/** With which the runtime has to be started. */
export const MAX_MESSAGE_BYTES = 1 << 20;
