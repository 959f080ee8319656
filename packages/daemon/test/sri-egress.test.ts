/** Functions that may connect to nothing, or to little: what the policy says holds for a plugin that tries everything. */
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './harness.ts';
import { functionPackage, TestSri, textOf } from './sri-harness.ts';

const REACH = String.raw`
import http.client, json, socket, urllib.parse, os
def by_proxy(url, method="GET", body=None):
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    connection = http.client.HTTPConnection(proxy.hostname, proxy.port, timeout=10)
    connection.request(method, url, body)
    answer = connection.getresponse()
    return [answer.status, answer.read().decode()]
def tunnel(host, port, text):
    proxy = urllib.parse.urlsplit(os.environ["HTTP_PROXY"])
    with socket.create_connection((proxy.hostname, proxy.port), 10) as connection:
        connection.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = connection.recv(4096).decode().split("\r\n")[0]
        if "200" not in head:
            return head
        connection.sendall(text.encode())
        return connection.recv(4096).decode()
def directly(host, port):
    try:
        socket.create_connection((host, port), 3).close()
        return "connected"
    except OSError as error:
        return type(error).__name__
`;

let sri: TestSri;
let outside: Server;
let daemon: Server;
const seen: string[] = [];
const secrets: unknown[] = [];

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    }),
  );
const portOf = (server: Server): number => {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
};
let endpoint: string;

async function inside(code: string): Promise<unknown> {
  const [message] = await sri.messages(endpoint, { do: 'python', code: REACH + code });
  if (message?.error !== undefined) throw new Error(String(message.error));
  return message?.result;
}

beforeAll(async () => {
  outside = createServer((request, response) => response.end(`outside ${request.method} ${request.url}`));
  daemon = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    secrets.push(request.headers['dify-plugin-session-secret']);
    response.end('from the daemon');
  });
  await Promise.all([listen(outside), listen(daemon)]);
  sri = await TestSri.start({
    SRI_EGRESS: `127.0.0.1:${portOf(outside)}`,
    SRI_DAEMON_URL: `http://127.0.0.1:${portOf(daemon)}/base`,
  });
  const { failure, endpoint: found } = await sri.launch(functionPackage('held'));
  expect(failure).toBeUndefined();
  endpoint = found;
});

afterAll(async () => {
  await sri[Symbol.asyncDispose]();
  outside.close();
  daemon.close();
});

test('calls come in and answers go out, also a thousand of them', async () => {
  expect(await sri.messages(endpoint, { do: 'echo', text: 'x'.repeat(3_000_000) })).toHaveLength(1);
  const all = await Promise.all(
    Array.from({ length: 1000 }, () => sri.messages(endpoint, { do: 'drip', count: 2, pause: 0.2 })),
  );
  expect(all.every((messages) => messages.length === 2)).toBe(true);
});

test('nothing is reached directly, not even this machine', async () => {
  expect(await inside(`result = directly("127.0.0.1", ${portOf(outside)})`)).not.toBe('connected');
  expect(await inside('result = directly("192.0.2.1", 80)')).toBe('OSError');
  expect(await inside('result = len(socket.if_nameindex())')).toBe(1);
});

test('what is allowed is reached through the proxy, by requests and by tunnels', async () => {
  const host = `127.0.0.1:${portOf(outside)}`;
  expect(await inside(`result = by_proxy("http://${host}/x?y=1")`)).toEqual([200, 'outside GET /x?y=1']);
  const request = `"GET /t HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n"`;
  expect(await inside(`result = tunnel("127.0.0.1", ${portOf(outside)}, ${request})`)).toContain('200 OK');
});

test('what is not allowed is not, and the log says so', async () => {
  const own = new URL(sri.url).port;
  expect(await inside(`result = by_proxy("http://127.0.0.1:${own}/ping")`)).toEqual([
    403,
    expect.stringContaining('SRI_EGRESS'),
  ]);
  expect(await inside(`result = tunnel("127.0.0.1", ${own}, "x")`)).toContain('403');
  expect(await inside(`result = tunnel("localhost", ${portOf(outside)}, "x")`)).toContain('403');
  expect(sri.log).toContain('a function was kept from connecting');
});

test('the daemon is called back, and nothing else of it', async () => {
  const base = 'os.environ["DIFY_PLUGIN_DAEMON_URL"]';
  const path = '/backwards-invocation/transaction';
  expect(await inside(`result = by_proxy("${path}", "POST", "{}")`)).toEqual([200, 'from the daemon']);
  expect(await inside(`result = by_proxy(${base} + "${path}", "POST", "{}")`)).toEqual([403, expect.anything()]);
  for (const other of ['/metrics', '/admin', `${path}/../../metrics`, `/base${path}x`])
    expect(await inside(`result = by_proxy("${other}")`)).toEqual([403, expect.anything()]);
  const whole = `http://127.0.0.1:${portOf(daemon)}/base`;
  expect(await inside(`result = by_proxy("${whole}${path}", "POST", "{}")`)).toEqual([200, 'from the daemon']);
  expect(await inside(`result = by_proxy("${whole}/metrics")`)).toEqual([403, expect.anything()]);
  expect(seen.every((line) => line === `POST /base${path}`)).toBe(true);
});

test('a function that ends takes its relay along, and the next one starts', async () => {
  // Of its own: the thousand calls may have left the other one with several instances.
  const { failure, endpoint: mortal } = await sri.launch(functionPackage('mortal'));
  expect(failure).toBeUndefined();
  const [before] = await sri.messages(mortal, { do: 'echo' });
  expect((await sri.call(mortal, { do: 'die' })).statusCode).toBe(502);
  // Until the end of the instance is noticed a call may meet its relay alone: that is a 502 too, after which daemons try again.
  const [after] = await eventually('another instance answers', async () => {
    const answer = await sri.call(mortal, { do: 'echo' });
    answer.resume();
    return answer.statusCode === 502 ? undefined : await sri.messages(mortal, { do: 'echo' });
  });
  expect(after?.instance).not.toBe(before?.instance);
});

test('the secret of a session goes back to the daemon with it, and no function sees it', async () => {
  const path = '/backwards-invocation/transaction';
  const code = `
import urllib.request, json
def back(session):
    request = urllib.request.Request(os.environ["DIFY_PLUGIN_DAEMON_URL"] + "${path}", b"{}", {"Dify-Plugin-Session-ID": session, "Dify-Plugin-Session-Secret": "made-up"}, method="POST")
    urllib.request.urlopen(request, timeout=10).read()
for session in ("own", "other"):
    back(session)
result = "asked"`;
  const response = await sri.call(
    endpoint,
    { do: 'python', code: REACH + code },
    { headers: { 'Dify-Plugin-Session-ID': 'own', 'Dify-Plugin-Session-Secret': 'of-the-session' } },
  );
  const text = await textOf(response);
  expect(text).toContain('asked');
  expect(secrets.slice(-2)).toEqual(['of-the-session', undefined]);
  // The call is over.
  expect(await inside('result = by_proxy("/backwards-invocation/transaction", "POST", "{}")')).toEqual([
    200,
    'from the daemon',
  ]);
  expect(secrets.at(-1)).toBeUndefined();
});
