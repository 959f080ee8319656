import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Dispatcher, Pool } from 'undici';
import { failureOf, textIn } from '../remote/index.ts';
import type { RestStore } from './dialect.ts';
import { MAX_DOCUMENT_BYTES } from './document.ts';
import { canonicalQuery, escaped } from './encoding.ts';
import type { Payload } from './payload.ts';
import { StoreError } from './store-error.ts';

const CONNECT_MS = 5000;
/** Longest silence on a connection. */
const SILENT_MS = 30_000;
const CONNECTIONS = 32;
const ATTEMPTS = 4;
/** Before the second attempt; twice as long before each next one. */
const PAUSE_MS = 100;
const MAX_ERROR_BYTES = 64 * 1024;

export interface Question {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE';
  /** Empty: the bucket. */
  readonly key: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: Payload;
}

export type Answer = Dispatcher.ResponseData;

/** Requests to one bucket: signed, limited in time, and made again when there was no answer or one that says "later". */
export class Exchange {
  readonly #store: RestStore;
  readonly #pool: Pool;

  private constructor(store: RestStore, pool: Pool) {
    this.#store = store;
    this.#pool = pool;
  }

  static async open(store: RestStore): Promise<Exchange> {
    const { Pool } = await import('undici');
    const { lookup } = store;
    const pool = new Pool(store.origin, {
      connections: CONNECTIONS,
      connect: { timeout: CONNECT_MS, ...(lookup !== undefined && { lookup }) },
      headersTimeout: SILENT_MS,
      bodyTimeout: SILENT_MS,
    });
    return new Exchange(store, pool);
  }

  /** The answer if it is one of 2xx; its body has to be consumed. @throws StoreError when it is another, or what undici throws */
  async ask(question: Question, signal: AbortSignal | undefined): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted();
      try {
        return await this.#once(question, signal);
      } catch (error) {
        signal?.throwIfAborted();
        if (attempt === ATTEMPTS || describe(error).cause !== 'unreachable') throw error;
      }
      await pause(PAUSE_MS * 2 ** (attempt - 1) * (0.75 + Math.random() / 2), undefined, { signal }).catch(
        () => undefined,
      );
    }
  }

  close(): void {
    // Nobody waits for answers any more; failures to end connections are nobody's.
    this.#pool.destroy().catch(() => undefined);
  }

  /** Signed anew each time: dates count. */
  async #once(question: Question, signal: AbortSignal | undefined): Promise<Answer> {
    const { method, key, query = {}, payload } = question;
    const path = this.#store.basePath + key;
    const headers: Record<string, string> = { ...question.headers };
    if (method === 'PUT') headers['content-length'] = String(payload?.size ?? 0);
    if (payload !== undefined) headers['content-md5'] = payload.md5;
    const { host } = new URL(this.#store.origin);
    const signed = this.#store.sign({ method, host, key, path, query, headers }, new Date());
    const asked = canonicalQuery(query);
    const answer = await this.#pool.request({
      method,
      path: escaped(path, { keepSlashes: true }) + (asked === '' ? '' : `?${asked}`),
      headers: { ...headers, ...signed },
      body: payload === undefined || payload.size === 0 ? null : Readable.from(payload.bytes(), { objectMode: false }),
      ...(signal !== undefined && { signal }),
    });
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    throw new StoreError(answer.statusCode, await text(answer, MAX_ERROR_BYTES), answer.headers);
  }
}

/** The whole body of an answer that is a document. */
export const documentText = (answer: Answer): Promise<string> => text(answer, MAX_DOCUMENT_BYTES);

async function text(answer: Answer, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    if (!Buffer.isBuffer(chunk)) throw new Error('the body of an answer is not bytes');
    size += chunk.length;
    if (size > limit) {
      // Ends the connection: nobody wants the rest.
      answer.body.destroy();
      throw new Error(`the answer, with status ${answer.statusCode}, is longer than ${limit} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const noBucket: ReadonlySet<string> = new Set(['NoSuchBucket']);

export function describe(error: unknown) {
  if (error instanceof StoreError) return failureOf(error, error.status, [error.code], noBucket);
  const cause = error instanceof Error ? error.cause : undefined;
  return failureOf(error, undefined, [textIn(error, 'code'), textIn(cause, 'code'), textIn(error, 'name')], noBucket);
}
