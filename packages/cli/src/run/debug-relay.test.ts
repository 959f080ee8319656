import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { DebugRelay } from './debug-relay.ts';

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));
async function until(what: () => boolean): Promise<void> {
  while (!what()) await tick();
}

/** A Dify that accepts registrations and can send requests. */
async function fakeDify(
  refusal?: string,
): Promise<{ port: number; connections: { socket: Socket; lines: string[] }[] }> {
  const connections: { socket: Socket; lines: string[] }[] = [];
  const server = createServer((socket) => {
    const connection = { socket, lines: [] as string[] };
    connections.push(connection);
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const pieces = (rest + String(chunk)).split('\n');
      rest = pieces.pop() ?? '';
      connection.lines.push(...pieces.filter((line) => line !== ''));
      if (refusal !== undefined) socket.end(`${refusal}\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const { socket } of connections) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

async function relayTo(port: number): Promise<{ port: number; relay: DebugRelay; states: string[]; calls: string[] }> {
  const states: string[] = [];
  const calls: string[] = [];
  const relay = new DebugRelay({ host: '127.0.0.1', port }, 'the-key', {
    state: (text) => states.push(text),
    call: (event, call) => calls.push(`${event} ${call.action}`),
    registered() {},
  });
  onTestFinished(() => relay.close());
  return { port: await relay.listen(), relay, states, calls };
}

/** A plugin that registers and answers every request with its own name. */
async function fakePlugin(port: number, name: string, declaration = 'same'): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  const send = (message: unknown): void => void socket.write(`${JSON.stringify(message)}\n\n`);
  send({ type: 'handshake', data: { key: 'from the environment' } });
  send({ type: 'manifest_declaration', data: { declaration } });
  send({ type: 'end', data: {} });
  socket.on('data', (chunk) => {
    for (const line of String(chunk)
      .split('\n')
      .filter((each) => each !== '')) {
      const { session_id: session } = JSON.parse(line);
      if (name === 'silent') continue;
      send({ event: 'session', session_id: session, data: { type: 'stream', data: { by: name } } });
      send({ event: 'session', session_id: session, data: { type: 'end', data: {} } });
    }
  });
  return socket;
}

const request = (id: string): string =>
  `${JSON.stringify({ session_id: id, event: 'request', data: { type: 'tool', action: 'invoke_tool' } })}\n`;
const answered = (lines: readonly string[], id: string): unknown[] =>
  lines
    .map((line) => JSON.parse(line))
    .filter((message) => message.session_id === id)
    .map((message) => message.data);

test('the registration goes on with the real key, calls and answers pass', async () => {
  const dify = await fakeDify();
  const { port } = await relayTo(dify.port);
  await fakePlugin(port, 'one');
  await until(() => (dify.connections[0]?.lines.length ?? 0) >= 3);
  expect(dify.connections[0]?.lines.map((line) => JSON.parse(line).type)).toEqual([
    'handshake',
    'manifest_declaration',
    'end',
  ]);
  expect(dify.connections[0]?.lines[0]).toContain('the-key');
  dify.connections[0]?.socket.write(request('s1'));
  await until(() => answered(dify.connections[0]?.lines ?? [], 's1').length === 2);
  expect(answered(dify.connections[0]?.lines ?? [], 's1')).toMatchObject([
    { type: 'stream', data: { by: 'one' } },
    { type: 'end' },
  ]);
});

test('a plugin with the same declarations takes over, the connection stays', async () => {
  const dify = await fakeDify();
  const { port, states } = await relayTo(dify.port);
  const first = await fakePlugin(port, 'one');
  await until(() => states.length === 1);
  await fakePlugin(port, 'two');
  await until(() => states.includes('took over, the connection stayed'));
  first.destroy();
  dify.connections[0]?.socket.write(request('s2'));
  await until(() => answered(dify.connections[0]?.lines ?? [], 's2').length === 2);
  expect(answered(dify.connections[0]?.lines ?? [], 's2')).toMatchObject([{ data: { by: 'two' } }, { type: 'end' }]);
  expect(dify.connections).toHaveLength(1);
});

test('other declarations mean one new connection', async () => {
  const dify = await fakeDify();
  const { port, states } = await relayTo(dify.port);
  await fakePlugin(port, 'one');
  await until(() => states.length === 1);
  await fakePlugin(port, 'two', 'changed');
  await until(() => (dify.connections[1]?.lines.length ?? 0) >= 3);
  expect(dify.connections).toHaveLength(2);
  expect(dify.connections[1]?.lines[1]).toContain('changed');
});

test('a call whose plugin leaves is answered with an error', async () => {
  const dify = await fakeDify();
  const { port, calls } = await relayTo(dify.port);
  const plugin = await fakePlugin(port, 'silent');
  await until(() => (dify.connections[0]?.lines.length ?? 0) >= 3);
  dify.connections[0]?.socket.write(request('s3'));
  await until(() => calls.length === 1);
  plugin.destroy();
  await until(() => answered(dify.connections[0]?.lines ?? [], 's3').length === 2);
  expect(answered(dify.connections[0]?.lines ?? [], 's3')).toMatchObject([
    { type: 'error', data: { error_type: 'PluginExitError' } },
    { type: 'end' },
  ]);
});

test('requests wait for a plugin that is being replaced', async () => {
  const dify = await fakeDify();
  const { port } = await relayTo(dify.port);
  const plugin = await fakePlugin(port, 'one');
  await until(() => (dify.connections[0]?.lines.length ?? 0) >= 3);
  plugin.destroy();
  await tick();
  dify.connections[0]?.socket.write(request('s4'));
  await tick();
  await fakePlugin(port, 'two');
  await until(() => answered(dify.connections[0]?.lines ?? [], 's4').length === 2);
  expect(dify.connections).toHaveLength(1);
});

test('a lost connection is made again, with the registration', async () => {
  const dify = await fakeDify();
  const { port, states } = await relayTo(dify.port);
  await fakePlugin(port, 'one');
  await until(() => (dify.connections[0]?.lines.length ?? 0) >= 3);
  dify.connections[0]?.socket.destroy();
  await until(() => (dify.connections[1]?.lines.length ?? 0) >= 3);
  expect(states.some((state) => state.includes('was closed'))).toBe(true);
});

test('what Dify refuses is shown in its words', async () => {
  const dify = await fakeDify('handshake failed, invalid key');
  const { port, states } = await relayTo(dify.port);
  await fakePlugin(port, 'one');
  await until(() => states.includes('handshake failed, invalid key'));
  expect(states).toContain('handshake failed, invalid key');
});
