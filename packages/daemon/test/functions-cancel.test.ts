/** A call that nobody waits for ends inside its function, on the real SDK behind our own connector, with what it has opened, and no other. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EndlessServer, startEndlessServer } from './endless-server.ts';
import { EventStream, eventually, keptUv, ONE, TestDaemon } from './harness.ts';
import { REPORT, reportRequest, reportToolPackage, toolSource } from './report-tool.ts';
import { KEY, TestSri } from './sri-harness.ts';

const packed = reportToolPackage(toolSource('busy_report.py'));
const SETUP_MS = 600_000;
/** Of this machine, and not what functions connect to without a proxy. */
const HOST = '127.0.0.2';
let sri: TestSri;
let daemon: TestDaemon;
let endless: EndlessServer;

const startDaemon = (settings = {}) =>
  TestDaemon.start({
    settings: {
      PLATFORM: 'serverless',
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL: sri.url,
      DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY: KEY,
      ...settings,
    },
  });

beforeAll(async () => {
  endless = await startEndlessServer(HOST);
  sri = await TestSri.start(keptUv());
  daemon = await startDaemon();
  await daemon.install(packed);
}, SETUP_MS);

afterAll(async () => {
  await daemon?.close();
  await sri?.[Symbol.asyncDispose]();
  endless?.[Symbol.dispose]();
});

async function begin(how: string, by = daemon): Promise<EventStream> {
  const stream = new EventStream(await by.request('POST', REPORT, reportRequest(`${how} ${endless.url}`)), false);
  await stream.text(0);
  return stream;
}

/** A call that reads from the endless server by `how`, once it does. */
async function beginReading(how: string, by = daemon): Promise<EventStream> {
  const before = endless.opened;
  const stream = await begin(how, by);
  const connections = how === 'pool' ? 2 : 1;
  await eventually('it is connected', () => endless.opened === before + connections || undefined);
  return stream;
}

const allClosed = () => eventually('its connections are closed', () => endless.open === 0 || undefined);

const goesOn = async (stream: EventStream) => {
  const soFar = stream.texts.length;
  await eventually('the other call goes on', () => stream.texts.length > soFar + 3 || undefined);
  expect(stream.complete).toBe(false);
};

test.each(['urllib', 'httpx', 'pool', 'shared_pool', 'thread', 'asyncio', 'catching_exceptions'])(
  'the client leaves, and the connections close that the plugin has opened by %s',
  async (how) => {
    const other = await begin('count');
    const stream = await beginReading(how);
    stream.leave();
    await allClosed();
    await goesOn(other);
    other.leave();
  },
);

test('a session that is ended by its id', async () => {
  const other = await begin('count');
  const stream = await beginReading('httpx');
  const id = stream.response.headers['x-plugin-session-id'];
  expect((await daemon.answer('DELETE', `/plugin/${ONE}/sessions/${id}`)).status).toBe(200);
  await stream.done;
  await allClosed();
  await goesOn(other);
  other.leave();
});

test(
  'a call that reaches its time limit',
  async () => {
    const hasty = await startDaemon({ PLUGIN_MAX_EXECUTION_TIMEOUT: '5' });
    try {
      await hasty.install(packed);
      const stream = await beginReading('httpx', hasty);
      await stream.done;
      expect(stream.failure.message).toBe('killed by timeout');
      await allClosed();
    } finally {
      await hasty.close();
    }
  },
  SETUP_MS,
);

/** How many calls of a session the functions say to have ended. */
const ended = (session: unknown) =>
  sri.log.split(`a call was cancelled ${JSON.stringify(`"${session}"`).slice(1, -1)}`).length - 1;

test(
  'in a function that was forked, too',
  async () => {
    await eventually('it is forked', async () => {
      if (sri.log.includes('"start":"forked"')) return true;
      const { failure } = await sri.launch(packed);
      expect(failure).toBeUndefined();
      return undefined;
    });
    const stream = await beginReading('httpx');
    stream.leave();
    await allClosed();
    const session = stream.response.headers['x-plugin-session-id'];
    await eventually('it says so', () => ended(session) === 1 || undefined);
  },
  SETUP_MS,
);

/** Speaks with the function itself, on a connection of its own. */
class Client {
  readonly socket;
  received = '';

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.received += text;
    });
    this.socket.on('error', () => undefined);
  }

  static request(how: string, session: string): string {
    const { data } = JSON.parse(reportRequest(`${how} ${endless.url}`).body);
    const body = JSON.stringify({
      session_id: session,
      event: 'request',
      data: { ...data, user_id: 'u', type: 'tool', action: 'invoke_tool' },
    });
    return `POST /invoke HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }

  answers(count: number) {
    return eventually(
      `${count} answers have ended: ${this.received}`,
      () => this.received.split('0\r\n\r\n').length > count || undefined,
    );
  }
}

/** Where the instance that was started last listens. */
const port = (): number => Number(/Running on http:\/\/127\.0\.0\.1:(\d+)(?![\s\S]*Running on)/.exec(sri.log)?.[1]);

test('a body that comes slowly, a connection that is kept, and a request that is sent before the last is answered', async () => {
  const client = new Client(port());
  const text = Client.request('nothing', 'slow');
  for (let at = 0; at < text.length; at += 100) {
    client.socket.write(text.slice(at, at + 100));
    await sleep(20);
  }
  await client.answers(1);
  // Kept for longer than connections are looked at.
  await sleep(300);
  client.socket.write(Client.request('waiting', 'kept') + Client.request('nothing', 'next'));
  await client.answers(3);
  expect(client.received.split('"done"')).toHaveLength(4);
  const before = endless.opened;
  client.socket.write(Client.request('httpx', 'left') + Client.request('nothing', 'never'));
  await eventually('it is connected', () => endless.opened === before + 1 || undefined);
  client.socket.destroy();
  await allClosed();
});

test('a call that is sent again is not ended with the one before of the same session', async () => {
  const [first, second] = [new Client(port()), new Client(port())];
  const before = endless.opened;
  for (const client of [first, second]) client.socket.write(Client.request('httpx', 'twice'));
  await eventually('both are connected', () => endless.opened === before + 2 || undefined);
  first.socket.destroy();
  await eventually('the first is over', () => ended('twice') === 1 || undefined);
  expect(endless.open).toBe(1);
  second.socket.destroy();
  await allClosed();
});

test(
  'without a network of its own, through the relay',
  async () => {
    await using caged = await TestSri.start({ ...keptUv(), SRI_EGRESS: new URL(endless.url).host });
    const { endpoint, failure } = await caged.launch(packed);
    expect(failure).toBeUndefined();
    const before = endless.opened;
    const { data } = JSON.parse(reportRequest(`urllib ${endless.url}`).body);
    const leaving = new AbortController();
    const response = await caged.call(
      endpoint,
      { ...data, user_id: 'u', type: 'tool', action: 'invoke_tool' },
      { signal: leaving.signal },
    );
    response.on('error', () => undefined).resume();
    await eventually('it is connected', () => endless.opened === before + 1 || undefined);
    leaving.abort();
    await allClosed();
  },
  SETUP_MS,
);
