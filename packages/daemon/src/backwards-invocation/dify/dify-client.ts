import { randomBytes } from 'node:crypto';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Pool } from 'undici';
import { FrameReader, JsonReader, type ResultSink } from './body-readers.ts';
import { cancelled, type DifyLimits } from './dify-error.ts';
import { type BodyReader, Exchange } from './exchange.ts';
import { requestBody } from './request-body.ts';

export interface DifyClientOptions {
  /** DIFY_INNER_API_URL; a path in it is kept in front of `/inner/api`. */
  readonly url: string;
  /** DIFY_INNER_API_KEY. */
  readonly key: string;
  /** DIFY_BACKWARDS_INVOCATION_READ_TIMEOUT: longest silence, before the answer and between its parts. */
  readonly readTimeoutMs: number;
  /** DIFY_BACKWARDS_INVOCATION_WRITE_TIMEOUT: longest time without progress in sending a large request. */
  readonly writeTimeoutMs: number;
  /** RESPONSE_MAX_BUFFER_SIZE: longest frame, line or JSON answer in bytes. */
  readonly maxResponseBytes: number;
  /** Default 5000. */
  readonly connectTimeoutMs?: number;
}

export interface DifyCallOptions {
  /** Aborting ends the call at once and closes its connection. */
  readonly signal?: AbortSignal;
  /** Made up when absent. */
  readonly traceparent?: string;
}

/** Idle connections are given up before Dify's server (2 s by default) closes them under a request that is on its way. */
const KEEP_ALIVE_MS = 1500;

/**
 * Dify's inner API over HTTP/1.1 with kept connections and without proxies. Any number of calls at a time: a limit could
 * deadlock, since Dify may need this daemon to answer.
 *
 * Every method rejects with `DifyError`, whose text names cause, limit and remedy.
 */
export class DifyClient {
  readonly #origin: string;
  /** Loaded with the first call: the HTTP client is a quarter of an idle daemon's memory. */
  #pool: Promise<Pool> | undefined;
  readonly #prefix: string;
  readonly #headers: readonly string[];
  readonly #options: DifyClientOptions;
  readonly #limits: DifyLimits;

  /** @throws DaemonError when the address is none */
  constructor(options: DifyClientOptions) {
    const url = addressOf(options.url);
    this.#options = options;
    this.#limits = { origin: url.origin, readTimeoutMs: options.readTimeoutMs };
    this.#prefix = `${url.pathname.replace(/(?<!\/)\/+$/, '')}/inner/api/`;
    this.#headers = [
      'content-type',
      'application/json',
      'x-inner-api-key',
      options.key,
      ...(url.username === '' ? [] : ['authorization', basicAuthorization(url)]),
    ];
    this.#origin = url.origin;
  }

  /** One call with one JSON object as its answer. Resolves with the JSON text of `data`, an object. */
  async call(path: string, body: string, options: DifyCallOptions = {}): Promise<string> {
    const reader = new JsonReader(this.#options.maxResponseBytes);
    await this.#exchange(path, body, reader, options);
    return reader.result;
  }

  /** One call with a stream of results; `sink` gets the JSON text of each `data`, an object. Resolves after the last one was taken. */
  async stream(path: string, body: string, sink: ResultSink, options: DifyCallOptions = {}): Promise<void> {
    await this.#exchange(path, body, new FrameReader(this.#options.maxResponseBytes, sink), options);
  }

  /** Ends all calls and closes all connections. */
  async close(): Promise<void> {
    await (await this.#pool)?.destroy();
  }

  async #connect(): Promise<Pool> {
    const { Pool } = await import('undici');
    const { connectTimeoutMs, readTimeoutMs } = this.#options;
    return new Pool(this.#origin, {
      connections: null,
      allowH2: false,
      connect: { timeout: connectTimeoutMs ?? 5000 },
      headersTimeout: readTimeoutMs,
      bodyTimeout: readTimeoutMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
    });
  }

  async #exchange(path: string, body: string, reader: BodyReader, options: DifyCallOptions): Promise<void> {
    this.#pool ??= this.#connect();
    const pool = await this.#pool;
    if (options.signal?.aborted === true) throw cancelled('call');
    const bytes = Buffer.from(body);
    const exchange = new Exchange(reader, this.#limits, options.signal);
    const traceparent = options.traceparent ?? newTraceparent();
    pool.dispatch(
      {
        method: 'POST',
        path: this.#prefix + path,
        headers: [...this.#headers, 'traceparent', traceparent, 'content-length', String(bytes.length)],
        body: requestBody(bytes, this.#options.writeTimeoutMs, (error) => exchange.fail(error)),
      },
      exchange,
    );
    await exchange.done;
  }
}

function addressOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new DaemonError('internal', `DIFY_INNER_API_URL is not an address: ${JSON.stringify(text)}`, {
    remedy: "Set it to the base address of Dify's API server, such as http://api:5001",
  });
}

const basicAuthorization = ({ username, password }: URL): string =>
  `Basic ${Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')}`;

const newTraceparent = (): string => {
  const random = randomBytes(24).toString('hex');
  return `00-${random.slice(0, 32)}-${random.slice(32)}-01`;
};
