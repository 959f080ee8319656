/**
 * `plugin run`: starts a plugin and serves it over lines of JSON (docs/wire/cli.md#plugin-run). Stdout carries the protocol and nothing
 * else.
 */
import { createServer, type Socket } from 'node:net';
import { isObject } from '@plugin-daemon/values';
import type { Call, Outcome } from '../command.ts';
import { CliError, EXIT, interrupted, toCliError, usageError } from '../errors.ts';
import { MockStorage } from './mock-dify.ts';
import { preparePlugin, type ReadyPlugin, startPlugin } from './prepare.ts';
import { type Format, LineWriter, linesOf } from './protocol.ts';
import { readMapping } from './script-file.ts';
import { type ServeOptions, serveClient, streamInput } from './session.ts';
import { Supervisor } from './supervisor.ts';

/** Waits for the signal; never rejects. */
function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function logger(call: Call): ((level: string, message: string) => void) | undefined {
  if (!call.flags.on('enable-logs')) return undefined;
  return (level, message) => call.io.rawStderr(`[${level}] ${message}\n`);
}

async function serveStdio(system: LineWriter, options: ServeOptions, call: Call): Promise<void> {
  await Promise.race([serveClient(streamInput(call.io.stdin), system, options, call.signal), aborted(call.signal)]);
}

/** With a token, the first line of a connection must carry it. */
async function admitted(
  lines: AsyncGenerator<string | undefined>,
  token: string | undefined,
  writer: LineWriter,
): Promise<boolean> {
  if (token === undefined) return true;
  const first = await lines.next();
  const value = first.done === true || first.value === undefined ? undefined : safeParse(first.value);
  if (isObject(value) && value.token === token) return true;
  await writer.send('', 'error', { error: 'the first line must be {"token":"…"} with the token of --token' });
  return false;
}

function safeParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function serveTcp(system: LineWriter, format: Format, options: ServeOptions, call: Call): Promise<void> {
  const host = call.flags.text('host') ?? '127.0.0.1';
  const token = call.flags.text('token');
  const clients = new Set<Socket>();
  const server = createServer((socket) => {
    clients.add(socket);
    const left = new AbortController();
    socket.on('close', () => {
      clients.delete(socket);
      left.abort();
    });
    socket.on('error', () => socket.destroy());
    const writer = new LineWriter(socket, format);
    const serve = async (): Promise<void> => {
      const lines = linesOf(socket);
      if (await admitted(lines, token, writer)) {
        const input = { lines, stop: () => socket.destroy() };
        // Nobody hears the answers of one that has left: its calls end.
        await serveClient(input, writer, options, AbortSignal.any([call.signal, left.signal]));
      }
      socket.end();
    };
    serve().catch((error: unknown) => call.io.debug('connection lost', { error: String(error) }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new CliError('listen', `cannot listen on ${host}:${call.flags.number('port') ?? 0}: ${error.message}`, {
          cause: error,
          remedy: 'choose another --host or --port',
        }),
      ),
    );
    server.listen(call.flags.number('port') ?? 0, host, resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const shown = typeof address === 'object' && address !== null ? address.address : host;
  await system.send('', 'info', { info: `plugin is running on ${shown}:${port}`, host: shown, port });
  await aborted(call.signal);
  for (const client of clients) client.destroy();
  await new Promise((resolve) => server.close(resolve));
}

export async function run(call: Call): Promise<Outcome> {
  const { args, flags, io, signal } = call;
  const mode = flags.text('mode') ?? 'stdio';
  const format = flags.text('response-format') ?? 'text';
  if (mode !== 'stdio' && mode !== 'tcp')
    throw usageError(`invalid run mode: ${mode}`, 'choose --mode stdio or --mode tcp');
  if (format !== 'json' && format !== 'text')
    throw usageError(`invalid response format: ${format}`, 'choose --response-format json or text');
  const system = new LineWriter(process.stdout, format);
  let ready: ReadyPlugin | undefined;
  let supervisor: Supervisor | undefined;
  try {
    const mock = flags.text('mock');
    const script = mock === undefined ? undefined : await readMapping(mock);
    await system.send('', 'info', { info: 'loading plugin' });
    ready = await preparePlugin(args[0] ?? '', call);
    const onLog = logger(call);
    const onCrash = (failure: CliError) => {
      if (format === 'text') io.warn('the plugin ended, starting it again', { reason: failure.message });
    };
    supervisor = await startPlugin(ready, call, (options) =>
      Supervisor.start({ ...options, ...(onLog === undefined ? {} : { onLog }) }, onCrash, signal),
    );
    const options: ServeOptions = {
      declaration: ready.declaration,
      supervisor,
      storage: new MockStorage(flags.text('storage-dir')),
      script,
    };
    if (mode === 'tcp') await serveTcp(system, format, options, call);
    else await serveStdio(system, options, call);
    return { silent: true };
  } catch (error) {
    // Asked to stop: that is how every run ends.
    if (signal.aborted) return { silent: true };
    const failure = toCliError(error);
    if (failure.exit === interrupted().exit) return { silent: true };
    await system.send('', 'error', {
      error: failure.remedy === undefined ? failure.message : `${failure.message}\n${failure.remedy}`,
    });
    return { silent: true, exit: EXIT.failed };
  } finally {
    await supervisor?.close();
    await ready?.close();
    await system.flushed();
  }
}
