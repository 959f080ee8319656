/** Stands before an HTTP server that works, and does to its answers what bad days do. */
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';

/**
 * `absent`: nobody listens. `later`: 503. `silent`: takes requests, answers nothing. `cut`: answers end in the middle. `slow`: they
 * come in small pieces. `changed`: right length, other bytes. `swapped`: the answer to another request.
 */
export type Fault = 'absent' | 'later' | 'silent' | 'cut' | 'slow' | 'changed' | { readonly swapped: string };

export class FaultProxy implements AsyncDisposable {
  readonly port: number;
  /** Requests that met the fault that is in force now. */
  struck = 0;
  readonly #target: number;
  #server: Server | undefined;
  #fault: Fault | undefined;

  constructor(port: number, target: number) {
    this.port = port;
    this.#target = target;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** From now on; undefined: everything works. */
  async be(fault: Fault | undefined): Promise<void> {
    this.#fault = fault;
    this.struck = 0;
    if (fault === 'absent') await this.#close();
    else await this.#open();
  }

  async #open(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.port, '127.0.0.1', resolve);
    });
    this.#server = server;
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const fault = this.#fault;
    if (fault !== undefined) this.struck++;
    incoming.on('error', () => outgoing.destroy());
    if (fault === 'silent') {
      incoming.resume();
      return;
    }
    if (fault === 'later') {
      incoming.resume();
      outgoing.writeHead(503, { 'Content-Type': 'application/xml', Connection: 'close' });
      outgoing.end(
        incoming.method === 'HEAD' ? undefined : '<Error><Code>SlowDown</Code><Message>later</Message></Error>',
      );
      return;
    }
    const ahead = request(
      {
        host: '127.0.0.1',
        port: this.#target,
        method: incoming.method,
        path: incoming.url,
        // The name it was asked under is signed too.
        headers: incoming.headers,
      },
      (answer) => void this.#answer(incoming, answer, outgoing, fault).catch(() => outgoing.destroy()),
    );
    ahead.on('error', () => outgoing.destroy());
    outgoing.on('close', () => ahead.destroy());
    incoming.pipe(ahead);
  }

  async #answer(
    incoming: IncomingMessage,
    answer: IncomingMessage,
    outgoing: ServerResponse,
    fault: Fault | undefined,
  ): Promise<void> {
    const status = answer.statusCode ?? 502;
    const isBody = incoming.method === 'GET' && status === 200;
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part);
    const body = Buffer.concat(parts);
    const headers = { ...answer.headers };
    delete headers['transfer-encoding'];
    if (isBody && typeof fault === 'object') {
      const other = Buffer.from(fault.swapped, 'base64');
      outgoing.writeHead(status, { ...headers, 'content-length': String(other.length) });
      outgoing.end(other);
      return;
    }
    if (incoming.method === 'HEAD') {
      outgoing.writeHead(status, headers);
      outgoing.end();
      return;
    }
    outgoing.writeHead(status, { ...headers, 'content-length': String(body.length) });
    if (isBody && fault === 'cut') {
      outgoing.write(body.subarray(0, body.length / 2), () => outgoing.destroy());
    } else if (isBody && fault === 'changed') {
      outgoing.end(Buffer.from(body.map((byte, at) => (at % 97 === 50 ? byte ^ 0x55 : byte))));
    } else if (isBody && fault === 'slow') {
      for (let at = 0; at < body.length; at += 512) {
        if (outgoing.destroyed) return;
        outgoing.write(body.subarray(at, at + 512));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      outgoing.end();
    } else outgoing.end(body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}
