/** Real processes: shell scripts that speak the protocol, started as plugins are. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { SessionError } from '../../errors/index.ts';
import { createProcessLauncher, type ProcessLauncher } from '../../launcher/index.ts';
import type { Log } from '../../log/index.ts';
import type { SessionSink } from '../runtime.ts';
import { LocalRuntime, type LocalRuntimeOptions } from './local-runtime.ts';

const BEAT = `printf '{"event":"heartbeat","session_id":"","data":{}}\\n'`;
const message = (id: string, type: string, data = 'null') =>
  `printf '%s\\n' '{"event":"session","session_id":"${id}","data":{"type":"${type}","data":${data}}}'`;

let launcher: ProcessLauncher;
let directory: string;
let running: LocalRuntime[] = [];
const logged: string[] = [];
const write = (_fields: object, text: string) => void logged.push(text);
// The methods that a runtime uses.
const log = { debug: write, info: write, warn: write, error: write } as unknown as Log;

beforeAll(() => {
  launcher = createProcessLauncher();
  directory = mkdtempSync(join(tmpdir(), 'local-runtime-'));
});

afterEach(async () => {
  for (const runtime of running) await runtime.stop('the test is over');
  running = [];
  logged.length = 0;
});

afterAll(async () => {
  await launcher.close();
  rmSync(directory, { recursive: true, force: true });
});

const options = (script: string, changes: Partial<LocalRuntimeOptions> = {}): LocalRuntimeOptions => ({
  identifier: 'tests/shell:0.0.1@abc',
  pluginId: 'tests/shell',
  command: { command: '/bin/sh', args: ['-c', script], cwd: directory, env: { PATH: process.env.PATH ?? '/bin' } },
  launcher,
  log,
  readySeconds: 20,
  maxMessageBytes: 1 << 20,
  liveness: { warnAfterMs: 60_000, deadAfterMs: 120_000, lookEveryMs: 30_000, hopelessAfterMs: 600_000 },
  graceMs: 300,
  ...changes,
});

async function start(script: string, changes?: Partial<LocalRuntimeOptions>, signal = new AbortController().signal) {
  const runtime = await LocalRuntime.start(options(script, changes), signal);
  running.push(runtime);
  return runtime;
}

/** Collects what a session gets. */
class Sink implements SessionSink {
  readonly chunks: string[] = [];
  readonly invokes: unknown[] = [];
  readonly done = Promise.withResolvers<SessionError | undefined>();

  chunk(json: string): boolean {
    this.chunks.push(json);
    return true;
  }

  flush(): void {}

  invoke(data: unknown): void {
    this.invokes.push(data);
  }

  end(): void {
    this.done.resolve(undefined);
  }

  fail(error: SessionError): void {
    this.done.resolve(error);
  }
}

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`);

test('ready at the first heartbeat; a session is answered; the process is ended with its group', async () => {
  const runtime = await start(
    `${BEAT}; read line; ${message('s-1', 'stream', '"$line"')}; ${message('s-1', 'end')}; sleep 60 & wait`,
  );
  expect(alive(runtime.facts.pid)).toBe(true);
  const sink = new Sink();
  const session = runtime.open('s-1', sink);
  expect(runtime.load).toBe(1);
  await session.send('{"hello":1}');
  expect(await sink.done.promise).toBeUndefined();
  expect(sink.chunks).toEqual(['"$line"']);
  expect(runtime.load).toBe(0);
  const death = await runtime.stop('enough');
  expect(death.exit).toEqual({ code: null, signal: 'SIGTERM' });
  expect(death.text).toContain('because enough');
  expect(alive(runtime.facts.pid)).toBe(false);
});

test('why a start failed is told as data, too', async () => {
  await expect(start('echo "line one" >&2; exit 7')).rejects.toMatchObject({
    name: 'PluginStartError',
    death: { reason: 'exit', cause: undefined, exit: { code: 7 }, stderr: 'line one' },
  });
  await expect(start('sleep 60', { readySeconds: 0.2 })).rejects.toMatchObject({
    death: { reason: 'stopped', cause: expect.stringContaining('no heartbeat') },
  });
});

test('as much of stderr is kept as is asked for', async () => {
  const many = 'for n in 1 2 3 4 5 6 7 8 9; do echo "line $n" >&2; done; exit 1';
  await expect(start(many, { stderrCharacters: 12 })).rejects.toMatchObject({ death: { stderr: 'ne 8\nline 9' } });
});

test('a process that ends before it is ready: exit code and its last words', async () => {
  await expect(start('echo "line one" >&2; printf "no newline, ü" >&2; exit 7')).rejects.toThrow(
    /ended \(exit code 7\); its last words: line one\nno newline, ü$/,
  );
});

test('a process that is killed before it is ready', async () => {
  await expect(start('kill -KILL $$')).rejects.toThrow('the plugin process ended (signal SIGKILL)');
});

test('one that never becomes ready is ended, and the limit is named', async () => {
  await expect(start('echo $$ > never; sleep 60', { readySeconds: 0.5 })).rejects.toThrow(
    /because no heartbeat came within 0.5 s \(PYTHON_ENV_INIT_TIMEOUT\)/,
  );
  expect(alive(Number(readFileSync(join(directory, 'never'), 'utf8')))).toBe(false);
});

test('one that ignores SIGTERM is killed after the grace period', async () => {
  const runtime = await start(`trap '' TERM; ${BEAT}; while :; do sleep 0.05; done`);
  const death = await runtime.stop('enough');
  expect(death.exit.signal).toBe('SIGKILL');
});

test('a start that is given up leaves no process', async () => {
  const given = new AbortController();
  const starting = start('echo $$ > given; sleep 60', {}, given.signal);
  const file = join(directory, 'given');
  while (!existsSync(file) || readFileSync(file, 'utf8') === '') await new Promise((resolve) => setTimeout(resolve, 5));
  given.abort(new Error('not wanted any more'));
  await expect(starting).rejects.toThrow('not wanted any more');
  expect(alive(Number(readFileSync(file, 'utf8')))).toBe(false);
  await expect(start(BEAT, {}, given.signal)).rejects.toThrow('not wanted any more');
});

test('a program that is not there', async () => {
  const command = { command: join(directory, 'nothing'), args: [], cwd: directory, env: {} };
  await expect(start('', { command })).rejects.toThrow(/nothing|ENOENT|No such file/);
});

test('sessions of a process that dies fail at once with signal and last words; it takes no more', async () => {
  const runtime = await start(
    `${BEAT}; read line; ${message('a', 'stream', '1')}; echo "last words" >&2; kill -KILL $$`,
  );
  const sinks = [new Sink(), new Sink()];
  const [session] = ['a', 'b'].map((id, n) => runtime.open(id, sinks[n] ?? new Sink()));
  await session?.send('{}');
  for (const sink of sinks) {
    expect(await sink.done.promise).toEqual({
      errorType: 'ConnectionClosedError',
      message: 'Connection closed unexpectedly: the plugin process ended (signal SIGKILL); its last words: last words',
      args: { exit_code: null, signal: 'SIGKILL', stderr: 'last words' },
    });
  }
  expect(sinks[0]?.chunks).toEqual(['1']);
  expect(await runtime.ended).toMatchObject({ exit: { code: null, signal: 'SIGKILL' }, stderr: 'last words' });
  expect(runtime.dead).toBe(true);
  expect(() => runtime.open('c', new Sink())).toThrow('plugin instance stopped');
});

test('what a plugin wrote just before it ended is delivered before the failure', async () => {
  const lines = Array.from({ length: 50 }, (_, n) => message('a', 'stream', String(n))).join('; ');
  const runtime = await start(`${BEAT}; read line; ${lines}; exit 0`);
  const sink = new Sink();
  await runtime.open('a', sink).send('{}');
  expect((await sink.done.promise)?.args).toMatchObject({ exit_code: 0, signal: null });
  expect(sink.chunks).toHaveLength(50);
});

test('a plugin that ended, with a child that keeps its pipes open, is over nevertheless', async () => {
  const runtime = await start(`${BEAT}; read line; setsid sleep 3 & exit 3`);
  const sink = new Sink();
  await runtime.open('a', sink).send('{}');
  expect((await sink.done.promise)?.args).toMatchObject({ exit_code: 3 });
});

test('cancelling tells the plugin once, closing does not', async () => {
  const runtime = await start(`${BEAT}; while read line; do echo "$line" >> heard; done`);
  const first = runtime.open('first', new Sink());
  first.cancel();
  first.cancel();
  const second = runtime.open('second', new Sink());
  second.close();
  second.cancel();
  runtime.open('third', new Sink()).cancel();
  const heard = join(directory, 'heard');
  const lines = () => (existsSync(heard) ? readFileSync(heard, 'utf8').trim().split('\n') : []);
  while (lines().length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(lines().map((line) => JSON.parse(line))).toMatchObject([
    { event: 'cancel', session_id: 'first' },
    { event: 'cancel', session_id: 'third' },
  ]);
});

test('a call back for a session that is over is answered with an error and an end', async () => {
  const back = message('gone', 'invoke', '{"type":"tool","backwards_request_id":"b-1","request":{}}');
  const runtime = await start(
    `${BEAT}; ${back}; read one; read two; printf '%s\\n%s\\n' "$one" "$two" > late; sleep 60`,
  );
  const file = join(directory, 'late');
  while (!existsSync(file) || readFileSync(file, 'utf8').split('\n').length < 3)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { session_id: 'gone', event: 'backwards_response', data: { backwards_request_id: 'b-1', event: 'error' } },
    { session_id: 'gone', event: 'backwards_response', data: { backwards_request_id: 'b-1', event: 'end' } },
  ]);
  expect(runtime.dead).toBe(false);
});

test('print() output, log events and stderr are its log', async () => {
  const runtime = await start(
    `echo "just printed"; echo "a warning" >&2; printf '{"event":"log","data":{"level":"INFO","message":"logged"}}\\n'; ${BEAT}; sleep 60`,
  );
  while (!logged.includes('a warning')) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(logged).toEqual(expect.arrayContaining(['just printed', 'a warning', 'logged']));
  expect(runtime.dead).toBe(false);
});

test('a plugin that is silent for too long is ended, and its sessions say so', async () => {
  const runtime = await start(`${BEAT}; sleep 60`, {
    liveness: { warnAfterMs: 10, deadAfterMs: 100, lookEveryMs: 20, hopelessAfterMs: 60_000 },
  });
  const sink = new Sink();
  runtime.open('a', sink);
  expect((await sink.done.promise)?.message).toContain('because it has not been heard of for');
  expect(logged).toContain('plugin is silent');
});

/** One that would be asked again. */
class PatientSink extends Sink {
  unreadBecause: SessionError | undefined;

  unread(error: SessionError): void {
    this.unreadBecause = error;
    this.done.resolve(error);
  }
}

test.skipIf(process.platform !== 'linux')(
  'of a process that is killed only those calls may be sent again that it never read',
  async () => {
    const runtime = await start(`${BEAT}; read line; read line; : > asleep; sleep 1000`);
    const asleep = join(directory, 'asleep');
    const [read, half, unread] = [new PatientSink(), new PatientSink(), new PatientSink()];
    await runtime.open('read', read).send('{"n":1}');
    await runtime.open('read too', half).send(['{"n":', Buffer.from('"ü"'), '}']);
    // The shell reads byte by byte, and no further than the end of the second line.
    while (!existsSync(asleep)) await new Promise((resolve) => setTimeout(resolve, 5));
    await runtime.open('unread', unread).send('{"n":3}');
    process.kill(-runtime.facts.pid, 'SIGKILL');
    const errors = await Promise.all([read, half, unread].map((sink) => sink.done.promise));
    expect(errors.map((error) => error?.errorType)).toEqual(Array(3).fill('ConnectionClosedError'));
    expect([read, half, unread].map((sink) => sink.unreadBecause !== undefined)).toEqual([false, false, true]);
  },
);

test.skipIf(process.platform !== 'linux')(
  'a call that was written to a process that had ended was not read',
  async () => {
    const runtime = await start(`${BEAT}; sleep 1000`);
    process.kill(-runtime.facts.pid, 'SIGKILL');
    const sink = new PatientSink();
    await runtime.open('late', sink).send('{}');
    await sink.done.promise;
    expect(sink.unreadBecause?.message).toContain('SIGKILL');
    const strict = new Sink();
    expect(() => runtime.open('too late', strict)).toThrow('plugin instance stopped');
  },
);

test('one that closes its stdout and goes on is ended, since nobody can hear it', async () => {
  const runtime = await start(`${BEAT}; exec 1>&-; exec sleep 1000`);
  const { text, reason } = await runtime.ended;
  expect(text).toContain('because it closed its stdout');
  expect(reason).toBe('stopped');
});
