/** A connector that the test plays: real HTTP, answers as the test says. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly type: string | undefined;
  readonly body: string;
}

export type Answer = (response: ServerResponse, asked: Asked) => void | Promise<void>;

export interface FakeSri extends AsyncDisposable {
  readonly url: string;
  readonly asked: Asked[];
  /** One for each kind of request; several are used up one after the other, the last one stays. */
  answers: { ping: Answer[]; instances: Answer[]; launch: Answer[] };
  /** Stops listening and cuts every connection; `up` listens on the same port again. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export const say =
  (text: string, status = 200): Answer =>
  (response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(text);
  };

export const line = (Stage: string, State: string, Message = ''): string =>
  `data: ${JSON.stringify({ Stage, State, Obj: '', Message })}\n\n`;

/** A launch that tells these lines and ends. */
export const launching =
  (...lines: readonly string[]): Answer =>
  (response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).end(lines.join(''));
  };

export const good = (url = 'http://127.0.0.1:1/fn/one', name = 'fn-one', ...before: readonly string[]): Answer =>
  launching(
    ...before,
    line('healthz', 'success'),
    line('start', 'running'),
    line('build', 'running', 'step 1'),
    line('run', 'running'),
    line('run', 'success', `endpoint=${url},name=${name},id=1`),
    line('end', 'success'),
  );

/** Tells these lines and breaks off. */
export const cut =
  (...lines: readonly string[]): Answer =>
  (response) => {
    response.writeHead(200).write(lines.join(''), () => setTimeout(() => response.destroy(), 5));
  };

export async function startFakeSri(): Promise<FakeSri> {
  const asked: Asked[] = [];
  const answers: FakeSri['answers'] = {
    ping: [say('"pong"')],
    instances: [say('{"error":"","Items":[]}')],
    launch: [good()],
  };
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    request.setEncoding('latin1');
    for await (const text of request) body += text;
    const path = request.url ?? '';
    const one: Asked = {
      method: request.method ?? '',
      path,
      authorization: request.headers.authorization,
      type: request.headers['content-type'],
      body,
    };
    asked.push(one);
    const kind = path.includes('/ping') ? 'ping' : path.includes('/instances') ? 'instances' : 'launch';
    const list = answers[kind];
    const next = list.length > 1 ? list.shift() : list[0];
    await next?.(response, one);
  };
  let server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  const down = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    answers,
    down,
    async up() {
      server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    [Symbol.asyncDispose]: down,
  };
}
