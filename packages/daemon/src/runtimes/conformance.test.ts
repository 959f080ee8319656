import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createProcessLauncher } from '@plugin-daemon/plugin-host/launcher';
import { LocalRuntime } from '@plugin-daemon/plugin-host/runtimes/local';
import { PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { StoredDeclaration } from '../database/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { MAX_MESSAGE_BYTES, type PlayedPlugin, runtimeConformance } from './conformance.suite.ts';
import { DebuggingRuntime } from './debugging/index.ts';
import { FunctionClient, FunctionRuntime } from './serverless/index.ts';
import { playFunction } from './serverless/testing/played-function.ts';

/** A plugin that is a socket: what it reads are lines, what it writes are bytes. */
function playedOn(socket: Socket): PlayedPlugin {
  let received = '';
  let arrived = Promise.withResolvers<void>();
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    received += text;
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  socket.on('error', () => socket.destroy());
  return {
    write: (text) => void socket.write(text),
    async hear() {
      for (;;) {
        const end = received.indexOf('\n');
        if (end >= 0) {
          const line = received.slice(0, end);
          received = received.slice(end + 1);
          return JSON.parse(line);
        }
        await arrived.promise;
      }
    },
    leave: () => socket.destroy(),
  };
}

/** A server for one connection: `there` is what the peer called from, `here` our end. */
async function listen() {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  const accepted = once(server, 'connection').then(([socket]: Socket[]) => {
    server.close();
    if (socket === undefined) throw new Error('no connection');
    return socket;
  });
  return { port, accepted };
}

/** A process that carries its standard streams to the test, in place of a plugin. */
const relay = `
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1');
process.stdin.pipe(socket).pipe(process.stdout);
socket.on('close', () => process.exit(3));
`;

runtimeConformance('local', async () => {
  const launcher = createProcessLauncher();
  const { port, accepted } = await listen();
  const starting = LocalRuntime.start(
    {
      identifier: 'tests/relay:0.0.1@abc',
      pluginId: 'tests/relay',
      command: { command: process.execPath, args: ['-e', relay, String(port)], cwd: '/', env: {} },
      launcher,
      log: silentLog,
      readySeconds: 60,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      liveness: { warnAfterMs: 60_000, deadAfterMs: 120_000, lookEveryMs: 30_000, hopelessAfterMs: 600_000 },
      graceMs: 300,
    },
    new AbortController().signal,
  );
  const plugin = playedOn(await accepted);
  plugin.write('{"event":"heartbeat","session_id":"","data":{}}\n');
  const runtime = await starting;
  return {
    runtime,
    plugin,
    async close() {
      plugin.leave();
      await runtime.stop('the test is over');
      await launcher.close();
    },
  };
});

runtimeConformance('debugging', async () => {
  const { port, accepted } = await listen();
  const there = connect(port, '127.0.0.1');
  const socket = await accepted;
  const identifier = `tests/relay:0.0.1@${'a'.repeat(64)}`;
  const pluginId = 'tests/relay';
  const runtime = new DebuggingRuntime({
    socket,
    tenantId: '00000000-0000-4000-8000-000000000001',
    plugin: { pluginId, identifier, declaration: new StoredDeclaration(identifier, pluginId, '{}'), media: new Map() },
    maxMessageBytes: MAX_MESSAGE_BYTES,
    log: silentLog,
  });
  // What the connection does with its socket.
  socket.on('data', (bytes: Buffer) => runtime.push(bytes));
  socket.on('error', () => socket.destroy());
  const closed = once(socket, 'close').then(() => runtime.close());
  return {
    runtime,
    plugin: playedOn(there),
    async close() {
      there.destroy();
      await closed;
    },
  };
});

runtimeConformance(
  'serverless',
  async () => {
    const played = await playFunction();
    const client = new FunctionClient();
    const runtime = new FunctionRuntime({
      identifier: 'tests/relay:0.0.1@abc',
      pluginId: 'tests/relay',
      url: played.url,
      client,
      attempts: 2,
      maxRequestBytes: 5 * MAX_MESSAGE_BYTES,
      maxMessageBytes: MAX_MESSAGE_BYTES,
      said: new PluginOutput(silentLog, {}),
      onAttempt: () => undefined,
    });
    return {
      runtime,
      plugin: played.plugin,
      async close() {
        await client.close();
        await played.close();
      },
    };
  },
  { callsBackInSession: false, goneAs: 'PluginDaemonInnerError' },
);
