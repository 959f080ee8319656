/** A Dify of its own for tests: answers as told, remembers what it was asked. Loopback only. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';

export interface RecordedRequest {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type FakeAnswer = (request: RecordedRequest, response: ServerResponse) => void;

export interface FakeDify extends AsyncDisposable {
  readonly url: string;
  readonly requests: RecordedRequest[];
  /** Answers that were closed before they were complete. */
  readonly abandoned: RecordedRequest[];
  answer: FakeAnswer;
}

export async function startFakeDify(answer: FakeAnswer): Promise<FakeDify> {
  const requests: RecordedRequest[] = [];
  const abandoned: RecordedRequest[] = [];
  const server = createServer((incoming, response) => {
    readBody(incoming).then(
      (body) => {
        const request = { method: incoming.method, path: incoming.url, headers: incoming.headers, body };
        requests.push(request);
        response.on('close', () => {
          if (!response.writableFinished) abandoned.push(request);
        });
        fake.answer(request, response);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const fake: FakeDify = {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    abandoned,
    answer,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** One length-prefixed frame. */
export function frame(json: string): Buffer {
  const data = Buffer.from(json);
  const prefix = Buffer.alloc(14);
  prefix[0] = 0x0f;
  prefix.writeUInt16LE(10, 2);
  prefix.writeUInt32LE(data.length, 4);
  return Buffer.concat([prefix, data]);
}

export const enveloped = (data: unknown, error = ''): string => JSON.stringify({ data, error });

/** Answers with these results as frames. */
export const frames =
  (...results: readonly unknown[]): FakeAnswer =>
  (_request, response) => {
    response.end(Buffer.concat(results.map((data) => frame(enveloped(data)))));
  };

/** Answers with one JSON object. */
export const json =
  (data: unknown, status = 200): FakeAnswer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(enveloped(data));
  };
