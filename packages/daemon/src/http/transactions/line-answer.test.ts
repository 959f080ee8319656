import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGunzip } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { LineAnswer } from './line-answer.ts';

/** Asks a server that answers with `write`. */
async function asked(gzip: boolean, write: (answer: LineAnswer) => Promise<void> | void): Promise<IncomingMessage> {
  const server = createServer((_, response: ServerResponse) => {
    void (async () => {
      const answer = new LineAnswer(response, { acceptsGzip: gzip, signal: new AbortController().signal });
      await write(answer);
      answer.end();
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const call = request({ port, host: '127.0.0.1', method: 'POST', agent: false }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.once('close', () => server.close());
  return response;
}

const pieces = (response: IncomingMessage, gzip: boolean): AsyncIterator<Buffer> =>
  (gzip ? response.pipe(createGunzip()) : response)[Symbol.asyncIterator]();

const textOf = async (response: IncomingMessage, gzip: boolean): Promise<string> => {
  let text = '';
  for await (const piece of gzip ? response.pipe(createGunzip()) : response) text += String(piece);
  return text;
};

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe.each([
  ['as it is', false],
  ['compressed', true],
])('an answer in lines, %s', (_, gzip) => {
  it('has in its first piece what was said in one turn', async () => {
    const seen = Promise.withResolvers<void>();
    const response = await asked(gzip, async (answer) => {
      await answer.send('{"event":"response"}');
      await answer.send('{"event":"end"}');
      await seen.promise;
    });
    const first = await pieces(response, gzip).next();
    expect(String(first.value)).toBe('{"event":"response"}\n\n{"event":"end"}\n\n');
    seen.resolve();
  });

  it('sends what was said before it waits for something', async () => {
    const seen = Promise.withResolvers<void>();
    const response = await asked(gzip, async (answer) => {
      await answer.send('1');
      await seen.promise;
      await answer.send('2');
    });
    const parts = pieces(response, gzip);
    expect(String((await parts.next()).value)).toBe('1\n\n');
    seen.resolve();
    expect(String((await parts.next()).value)).toBe('2\n\n');
    expect((await parts.next()).done).toBe(true);
  });

  it('keeps the order, and lets the writer wait for a slow reader', async () => {
    const line = 'x'.repeat(100_000);
    let waited = 0;
    const response = await asked(gzip, async (answer) => {
      for (let at = 0; at < 200; at++) {
        const wait = answer.send(`${at}${line}`);
        if (wait !== undefined) waited++;
        await wait;
        if (at % 10 === 0) await turn();
      }
    });
    const lines = (await textOf(response, gzip)).split('\n\n');
    expect(lines.slice(0, -1).map((one) => Number.parseInt(one, 10))).toEqual(
      Array.from({ length: 200 }, (_n, at) => at),
    );
    expect(waited).toBeGreaterThan(0);
  });

  it('is empty where nothing was said', async () => {
    expect(await textOf(await asked(gzip, () => undefined), gzip)).toBe('');
  });
});

/** An answer to somebody who reads when asked to. */
async function answering(acceptsGzip: boolean, signal: AbortSignal, lingerMs?: number) {
  const arrived = Promise.withResolvers<ServerResponse>();
  const server = createServer((_request, response) => arrived.resolve(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server has such an address.
  const { port } = server.address() as AddressInfo;
  const asking = request({ port, host: '127.0.0.1' }).on('error', () => undefined);
  const answered = Promise.withResolvers<IncomingMessage>();
  asking.once('response', answered.resolve).end();
  const response = await arrived.promise;
  const closed = once(response, 'close');
  response.once('close', () => server.close());
  return {
    response,
    closed,
    answered: answered.promise,
    answer: new LineAnswer(response, { acceptsGzip, signal, lingerMs }),
  };
}

/** Incompressible, and more than sockets hold. */
const line = (): string => Array.from({ length: 1 << 20 }, () => Math.random().toString(36).slice(2)).join('');

describe.each([
  ['as it is', false],
  ['compressed', true],
])('somebody who reads slowly, %s', (_, acceptsGzip) => {
  it('who does not read is waited for until the call is over, and no longer', async () => {
    const over = new AbortController();
    const { answer, response } = await answering(acceptsGzip, over.signal);
    const sent = answer.send(line());
    expect(sent).toBeInstanceOf(Promise);
    over.abort();
    await sent;
    // What comes after that is not waited for at all.
    await answer.send('more');
    expect(response.destroyed).toBe(false);
    response.destroy();
  });

  it('an answer that nobody fetches is dropped', async () => {
    const { answer, closed, response } = await answering(acceptsGzip, new AbortController().signal, 20);
    void answer.send(line());
    answer.end();
    await closed;
    expect(response.writableFinished).toBe(false);
  });

  it('one that is fetched late is whole', async () => {
    const { answer, closed, answered } = await answering(acceptsGzip, new AbortController().signal);
    void answer.send(line());
    answer.end();
    let size = 0;
    for await (const part of await answered) size += part.length;
    await closed;
    expect(size).toBeGreaterThan(1 << 20);
  });
});
