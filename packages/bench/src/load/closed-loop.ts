/**
 * A closed loop of requests over raw keep-alive sockets: one in flight per connection, each sent as ready-made bytes and
 * its answer only looked at as far as needed to find its end. The generator has to be cheap beside what it measures.
 */
import { connect, type Socket } from 'node:net';

const LAST_CHUNK = Buffer.from('0\r\n\r\n');
const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_FROM = 9;
const STATUS_TO = 12;

export interface RequestParts {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export function requestBytes(url: string, parts: RequestParts): Buffer {
  const body = Buffer.from(parts.body ?? '');
  const method = parts.method ?? 'POST';
  const headers: Record<string, string> = { Host: new URL(url).host, ...parts.headers };
  if (method === 'POST') headers['Content-Length'] = String(body.length);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${parts.path} HTTP/1.1\r\n${lines.join('')}\r\n`), body]);
}

export interface LoopOptions {
  readonly url: string;
  /** The same for all connections, or one for each. */
  readonly request: Buffer | ((connection: number) => Buffer);
  readonly connections: number;
  readonly maxMs: number;
  readonly maxRequests: number;
  /** An answer without these bytes counts as bad. */
  readonly expect?: string;
  /** Up to where an answer counts: its end, or the beginning of its body, which a stream sends long before. */
  readonly until?: 'end' | 'first byte';
}

export interface LoopResult {
  /** Milliseconds of every answered request. */
  readonly latencies: readonly number[];
  readonly perSecond: number;
  readonly bad: number;
  /** The beginning of the first bad answer, or the first socket error. */
  readonly firstBad: string | undefined;
}

/** The same, for figures that count only when every answer was good. @throws with the first that was not */
export async function faultlessLoop(options: LoopOptions): Promise<LoopResult> {
  const result = await closedLoop(options);
  if (result.bad > 0) throw new Error(`${result.bad} calls failed, the first with: ${result.firstBad}`);
  return result;
}

export async function closedLoop(options: LoopOptions): Promise<LoopResult> {
  const latencies: number[] = [];
  let sent = 0;
  let bad = 0;
  let firstBad: string | undefined;
  const startedAt = performance.now();
  const note = (text: string) => {
    bad++;
    firstBad ??= text.slice(0, 500);
  };

  const one = (_: unknown, connection: number) =>
    new Promise<void>((resolve) => {
      const request = Buffer.isBuffer(options.request) ? options.request : options.request(connection);
      const { hostname, port } = new URL(options.url);
      const socket: Socket = connect(Number(port), hostname);
      socket.setNoDelay(true);
      const answer = new AnswerEnd();
      let askedAt = 0;
      let begunAt: number | undefined;
      const ask = () => {
        if (sent >= options.maxRequests || performance.now() - startedAt > options.maxMs) return socket.destroy();
        sent++;
        answer.reset();
        begunAt = undefined;
        askedAt = performance.now();
        return socket.write(request);
      };
      socket.on('connect', ask);
      socket.on('data', (data: Buffer) => {
        const isWhole = answer.push(data);
        if (options.until === 'first byte' && answer.hasBegun) begunAt ??= performance.now();
        if (!isWhole) return;
        latencies.push((begunAt ?? performance.now()) - askedAt);
        const body = answer.bytes();
        if (answer.status !== '200' || (options.expect && !body.includes(options.expect)))
          note(body.toString('latin1'));
        ask();
      });
      socket.on('error', (error) => note(error.message));
      socket.on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: options.connections }, one));
  return { latencies, perSecond: latencies.length / ((performance.now() - startedAt) / 1000), bad, firstBad };
}

/** Finds the end of one HTTP answer, by its Content-Length or its last chunk. The pieces are joined only when asked for. */
export class AnswerEnd {
  #pieces: Buffer[] = [];
  #received = 0;
  #bodyAt = -1;
  #length: number | undefined;

  reset(): void {
    this.#pieces = [];
    this.#received = 0;
    this.#bodyAt = -1;
    this.#length = undefined;
  }

  /** True when the answer is complete. */
  push(data: Buffer): boolean {
    this.#pieces.push(data);
    this.#received += data.length;
    if (this.#bodyAt < 0 && !this.#readHead()) return false;
    if (this.#length !== undefined) return this.#received >= this.#bodyAt + this.#length;
    return this.#received >= this.#bodyAt + LAST_CHUNK.length && this.#tail().equals(LAST_CHUNK);
  }

  /** Something of the body has come. */
  get hasBegun(): boolean {
    return this.#bodyAt >= 0 && this.#received > this.#bodyAt;
  }

  get status(): string {
    return this.bytes().toString('latin1', STATUS_FROM, STATUS_TO);
  }

  bytes(): Buffer {
    const [first, ...more] = this.#pieces;
    if (first && more.length === 0) return first;
    const whole = Buffer.concat(this.#pieces, this.#received);
    this.#pieces = [whole];
    return whole;
  }

  #readHead(): boolean {
    const bytes = this.bytes();
    const end = bytes.indexOf(HEAD_END);
    if (end < 0) return false;
    this.#bodyAt = end + HEAD_END.length;
    const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, end));
    this.#length = length ? Number(length[1]) : undefined;
    return true;
  }

  #tail(): Buffer {
    const last = this.#pieces.at(-1);
    return last && last.length >= LAST_CHUNK.length
      ? last.subarray(-LAST_CHUNK.length)
      : this.bytes().subarray(-LAST_CHUNK.length);
  }
}
