import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTlsFiles } from '@plugin-daemon/services';
import { expect, onTestFinished, test } from 'vitest';
import type { Member } from '../nodes/index.ts';
import { silentLog } from '../telemetry/index.ts';
import { Forwarder, type Handover, NodeMarks, nodeKeys, ReceivedForwards } from './index.ts';

const marks = new NodeMarks(nodeKeys(['the key']));
const bytesOf = async (message: AsyncIterable<Buffer>) => Buffer.concat(await Array.fromAsync(message));

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

const member = (id: string, port: number, over: Partial<Member> = {}): Member => ({
  id,
  name: id,
  version: '1',
  role: 'all',
  state: 'serving',
  addresses: [{ host: '127.0.0.1', port }],
  tls: false,
  cores: 1,
  warm: new Set(),
  debugging: [],
  load: 0,
  foreign: false,
  ...over,
});

type Work = (request: IncomingMessage, response: ServerResponse, received: ReceivedForwards) => void;

/** A node that does the work. */
async function worker(id: string, work: Work, options: { draining?: boolean; marks?: NodeMarks } = {}) {
  const received = new ReceivedForwards({
    nodeId: id,
    marks: options.marks ?? marks,
    draining: () => options.draining === true,
  });
  const seen: string[] = [];
  const server = createServer((incoming, response) => {
    if (!received.receive(incoming, response, incoming.url ?? '')) return;
    if (incoming.url === '/livez') return response.end('ok');
    seen.push(incoming.url ?? '');
    return work(incoming, response, received);
  });
  return { member: member(id, await listen(server)), seen, server };
}

/** A node that hands over to the given ones in turn, and answers what none takes with `here:` and the body. */
async function front(
  others: readonly Member[],
  more: Partial<Handover> = {},
  options: Partial<ConstructorParameters<typeof Forwarder>[0]> = {},
) {
  const forwarder = new Forwarder({ nodeId: 'front', marks, tls: undefined, log: silentLog, ...options });
  onTestFinished(() => forwarder.close());
  const errors: unknown[] = [];
  const server = createServer((incoming, response) => {
    const choose = (tried: ReadonlySet<string>) => others.find(({ id }) => !tried.has(id));
    forwarder
      .forward({ request: incoming, response, target: incoming.url ?? '', choose, ...more })
      .then(async (answered) => {
        if (!answered) response.end(`here:${(await bytesOf(incoming)).length}`);
      })
      .catch((error: unknown) => {
        errors.push(error);
        response.writeHead(500).end(String(error));
      });
  });
  return { port: await listen(server), forwarder, errors };
}

interface Sent {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

async function send(
  port: number,
  path: string,
  body?: string | Buffer,
  headers: Record<string, string> = {},
): Promise<Sent> {
  const outgoing = request({ port, host: '127.0.0.1', method: body === undefined ? 'GET' : 'POST', path, headers });
  // As bytes: with text behind them Node writes headers as UTF-8.
  outgoing.end(body === undefined ? undefined : Buffer.from(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await bytesOf(response) };
}

const echo: Work = async (incoming, response) => {
  const body = await bytesOf(incoming);
  response.writeHead(201, {
    'X-Length': body.length,
    'X-Host': incoming.headers.host ?? '',
    'X-Odd': incoming.headers['x-odd'] ?? '',
  });
  response.end(body);
};

test.each([
  ['none', undefined],
  ['a small one', 'hello'],
  ['an empty one', ''],
  ['one of a megabyte', Buffer.alloc(1_000_000, 'x')],
])('method, path, headers, status and %s body go through', async (_what, body) => {
  const there = await worker('b', echo);
  const { port } = await front([there.member]);
  const answer = await send(port, '/a/b?c=%20', body, { 'X-Odd': 'é', Host: 'hook.example' });
  expect(answer.status).toBe(201);
  expect(there.seen).toEqual(['/a/b?c=%20']);
  expect(answer.headers).toMatchObject({ 'x-host': 'hook.example', 'x-odd': 'é' });
  expect(answer.body.equals(Buffer.from(body ?? ''))).toBe(true);
});

test('nobody behind sees the mark', async () => {
  let names: string[] = [];
  const there = await worker('b', (incoming, response) => {
    names = incoming.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
    response.end();
  });
  const { port } = await front([there.member]);
  await send(port, '/', 'x', {
    'X-Plugin-Daemon-Forward': 'forged',
    Connection: 'keep-alive, X-Secret',
    'X-Secret': '1',
  });
  expect(names).toContain('host');
  expect(names).not.toContain('x-plugin-daemon-forward');
  expect(names).not.toContain('x-secret');
});

test.each([
  ['small', 'x'.repeat(1000)],
  ['large', 'x'.repeat(1_000_000)],
])('who stops takes nothing: a %s call goes to the next, whole', async (_what, body) => {
  const stopping = await worker('b', echo, { draining: true });
  const other = await worker('c', echo);
  const { port } = await front([stopping.member, other.member]);
  expect((await send(port, '/', body)).body.length).toBe(body.length);
  expect([stopping.seen, other.seen]).toEqual([[], ['/']]);
});

test.each([
  ['small', { 'Content-Length': '1000' }],
  ['large', { 'Content-Length': '1000000' }],
  ['of unknown length', { 'Transfer-Encoding': 'chunked' }],
] satisfies [string, Record<string, string>][])(
  'when no node takes it, a call with a body that is %s is answered here, whole',
  async (_what, headers: Record<string, string>) => {
    const stopping = await worker('b', echo, { draining: true });
    const { port } = await front([stopping.member, member('gone', 1)]);
    const size = Number(headers['Content-Length'] ?? 300_000);
    expect((await send(port, '/', 'x'.repeat(size), headers)).body.toString()).toBe(`here:${size}`);
  },
);

test('a node that turns out not to have it gives the call back', async () => {
  const there = await worker('b', (incoming, _response, received) => received.of(incoming)?.refuse('not-mine'));
  const other = await worker('c', echo);
  const { port } = await front([there.member, other.member]);
  expect((await send(port, '/', 'hello')).body.toString()).toBe('hello');
});

test('who has another key is not served, and the sender goes on', async () => {
  const stranger = await worker('b', echo, { marks: new NodeMarks(nodeKeys(['another key'])) });
  const { port } = await front([stranger.member]);
  expect((await send(port, '/', 'hello')).body.toString()).toBe('here:5');
  expect(stranger.seen).toEqual([]);
});

test('a refusal that a plugin answers is an answer', async () => {
  const there = await worker('b', (incoming, response) => {
    incoming.resume();
    response.writeHead(200, { 'X-Plugin-Daemon-Refused': 'draining;forged' }).end('done');
  });
  const other = await worker('c', echo);
  const { port } = await front([there.member, other.member]);
  const answer = await send(port, '/', 'hello');
  expect(answer.body.toString()).toBe('done');
  expect(answer.headers['x-plugin-daemon-refused']).toBeUndefined();
  expect(other.seen).toEqual([]);
});

test('a node that breaks off before it answers may have begun: nobody else is asked', async () => {
  const there = await worker('b', (incoming) => void incoming.socket.destroy());
  const other = await worker('c', echo);
  const { port, errors } = await front([there.member, other.member]);
  expect((await send(port, '/', 'hello')).status).toBe(500);
  expect(String(errors[0])).toContain('b was lost while it worked on this call');
  expect(other.seen).toEqual([]);
});

test('a stream of events that breaks off between two of them ends with a reason, in the middle of one it breaks off', async () => {
  const cases = { whole: 'data: {}\n\n', half: 'data: {"co' };
  const there = await worker('b', (incoming, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(incoming.url === '/whole' ? cases.whole : cases.half);
    setTimeout(() => incoming.socket.destroy(), 50);
  });
  const { port } = await front([there.member], { lastWords: ({ message }) => `data: ${message}\n\n` });
  expect((await send(port, '/whole', 'x')).body.toString()).toMatch(/^data: \{\}\n\ndata: the node b was lost/);
  await expect(send(port, '/half', 'x')).rejects.toThrow(/aborted|reset/);
});

test('what is answered flows at once, and no faster than the client reads', async () => {
  let written = 0;
  const there = await worker('b', (_incoming, response) => {
    response.writeHead(200);
    const more = (): void => {
      while (written < 200) {
        written++;
        if (!response.write(Buffer.alloc(1_000_000))) return void response.once('drain', more);
      }
      response.end();
    };
    more();
  });
  const { port } = await front([there.member]);
  const outgoing = request({ port, host: '127.0.0.1' }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  // Somewhere on the way it stops.
  let before = -1;
  await expect
    .poll(
      () => {
        const same = before === written;
        before = written;
        return same;
      },
      { interval: 300, timeout: 20_000 },
    )
    .toBe(true);
  expect(written).toBeLessThan(200);
  expect((await bytesOf(response)).length).toBe(200_000_000);
});

test('a client that leaves ends the call at the other node', async () => {
  const left = Promise.withResolvers<void>();
  const there = await worker('b', (_incoming, response) => {
    response.once('close', () => left.resolve());
    response.writeHead(200).write('x');
  });
  const { port, forwarder } = await front([there.member]);
  const outgoing = request({ port, host: '127.0.0.1' }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  expect(forwarder.openAt('b')).toBe(1);
  response.destroy();
  await left.promise;
  await expect.poll(() => forwarder.openAt('b')).toBe(0);
});

test('a node that does not answer gets nothing for a while', async () => {
  const silent = createServer(() => undefined);
  const port = await listen(silent);
  const { port: own, forwarder } = await front([member('b', port)]);
  expect((await send(own, '/', 'hello')).body.toString()).toBe('here:5');
  expect(forwarder.isSuspect('b')).toBe(true);
});

test('of several addresses the one that answers is taken', async () => {
  const there = await worker('b', echo);
  const addresses = [{ host: '127.0.0.1', port: 1 }, ...there.member.addresses];
  const { port } = await front([{ ...there.member, addresses }]);
  expect((await send(port, '/', 'hello')).body.toString()).toBe('hello');
});

test('a call that has come through too many nodes stays', async () => {
  const there = await worker('b', echo);
  const { port } = await front([there.member], { via: ['1', '2', '3', '4'] });
  expect((await send(port, '/', 'hello')).body.toString()).toBe('here:5');
});

test('a node does not take back what it has handed over', async () => {
  const there = await worker('b', echo);
  const { port } = await front([there.member], { via: ['b'] });
  expect((await send(port, '/', 'hello')).body.toString()).toBe('here:5');
  expect(there.seen).toEqual([]);
});

test('over TLS nodes show certificates to each other, and a stranger gets nowhere', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'nodes-tls-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const files = createTlsFiles(directory);
  const read = (file: string) => readFileSync(file, 'utf8');
  const own = { ca: read(files.ca), cert: read(files.serverCert), key: read(files.serverKey) };
  const received = new ReceivedForwards({ nodeId: 'b', marks, draining: () => false });
  const server = createTlsServer({ ...own, requestCert: true, rejectUnauthorized: true }, (incoming, response) => {
    if (!received.receive(incoming, response, incoming.url ?? '')) return;
    if (incoming.url === '/livez') response.end();
    else void echo(incoming, response, received);
  });
  const there = member('b', await listen(server), { tls: true });
  const friend = await front([there], {}, { tls: own });
  expect((await send(friend.port, '/', 'hello')).body.toString()).toBe('hello');
  // Whose certificate is not of this authority, and who trusts another one.
  const nobody = await front([there], {}, { tls: undefined });
  expect((await send(nobody.port, '/', 'hello')).body.toString()).toBe('here:5');
  const distrusting = await front([there], {}, { tls: { ...own, ca: read(files.otherCa) } });
  expect((await send(distrusting.port, '/', 'hello')).body.toString()).toBe('here:5');
});

test('the client and its trace go along; a trace is added where the client sent none', async () => {
  const seen: unknown[] = [];
  const node = await worker('a', (incoming, response, received) => {
    seen.push([received.of(incoming)?.client, incoming.headers.traceparent]);
    response.end('done');
  });
  const { port } = await front([node.member], { client: '203.0.113.7', traceparent: 'made here' });
  await send(port, '/');
  await send(port, '/', undefined, { traceparent: 'of the client' });
  expect(seen).toEqual([
    ['203.0.113.7', 'made here'],
    ['203.0.113.7', 'of the client'],
  ]);
});

test('a node is asked about itself also while it stops, for so long and so much', async () => {
  const forwarder = new Forwarder({ nodeId: 'front', marks, tls: undefined, log: silentLog });
  onTestFinished(() => forwarder.close());
  const stopping = await worker('a', (_, response) => response.end('mine'), { draining: true });
  const question = { method: 'GET', target: '/own', headers: { 'x-api-key': 'k' }, client: '203.0.113.7' };
  expect(await forwarder.ask(stopping.member, question)).toEqual({ status: 200, text: 'mine' });
  const endless = await worker('b', (_, response) => {
    const write = (): void => {
      if (response.destroyed) return;
      response.write(Buffer.alloc(1024 * 1024));
      setImmediate(write);
    };
    write();
  });
  await expect(forwarder.ask(endless.member, question)).rejects.toThrow(/more than/);
  const gone = member('c', 1);
  await expect(forwarder.ask(gone, question)).rejects.toThrow();
  await expect(forwarder.ask({ ...gone, addresses: [] }, question)).rejects.toThrow('it has no address');
  // Where it is reached at one of its addresses it is enough.
  const two = { ...stopping.member, addresses: [...gone.addresses, ...stopping.member.addresses] };
  expect((await forwarder.ask({ ...two, id: 'a' }, question)).text).toBe('mine');
});
