import type { ObjectStat, ObjectStorage } from '../object-storage.ts';
import { type KeyPage, type ObjectClient, RemoteStorage } from '../remote/index.ts';
import type { RestStore } from './dialect.ts';
import { documentOf, textOf } from './document.ts';
import { type Answer, describe, documentText, Exchange } from './exchange.ts';
import { Payload } from './payload.ts';
import { StoreError } from './store-error.ts';

const PAGE_KEYS = 1000;

/** Connects to nothing yet. @param root before every key */
export async function openRestStorage(store: RestStore, root = ''): Promise<ObjectStorage> {
  const client = new RestClient(store, await Exchange.open(store), root === '' ? '' : `${root}/`);
  return new RemoteStorage(client, { root, bucketSetting: 'PLUGIN_STORAGE_OSS_BUCKET' });
}

/** The verbs, which these stores have in common. */
class RestClient implements ObjectClient {
  readonly type: string;
  readonly name: string;
  readonly #store: RestStore;
  readonly #exchange: Exchange;
  readonly #root: string;

  constructor(store: RestStore, exchange: Exchange, root: string) {
    this.type = store.type;
    this.name = store.name;
    this.#store = store;
    this.#exchange = exchange;
    this.#root = root;
  }

  async get(key: string, signal: AbortSignal | undefined) {
    const answer = await orAbsent(this.#exchange.ask({ method: 'GET', key }, signal));
    if (answer === undefined) return undefined;
    try {
      return { size: sizeOf(answer), stream: answer.body };
    } catch (error) {
      answer.body.destroy();
      throw error;
    }
  }

  async head(key: string, signal: AbortSignal | undefined): Promise<ObjectStat | undefined> {
    const answer = await orAbsent(this.#exchange.ask({ method: 'HEAD', key }, signal));
    if (answer === undefined) return undefined;
    await answer.body.dump();
    const date = new Date(header(answer, 'last-modified') ?? 0);
    return { size: sizeOf(answer), lastModified: Number.isNaN(date.getTime()) ? new Date(0) : date };
  }

  async put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void> {
    await using payload = await Payload.of(body, signal);
    const headers = { 'content-type': 'application/octet-stream' };
    await (await this.#exchange.ask({ method: 'PUT', key, headers, payload }, signal)).body.dump();
  }

  async copy(from: string, to: string, signal: AbortSignal | undefined): Promise<boolean> {
    const headers = this.#store.copySource(from);
    const answer = await orAbsent(this.#exchange.ask({ method: 'PUT', key: to, headers }, signal));
    if (answer === undefined) return false;
    // The status may be sent before the copy is made: then the body tells what became of it.
    const text = await documentText(answer);
    if (textOf(documentOf(text), 'ETag', 'eTag') === undefined) throw new StoreError(500, text);
    return true;
  }

  async remove(key: string, signal: AbortSignal | undefined): Promise<void> {
    const answer = await orAbsent(this.#exchange.ask({ method: 'DELETE', key }, signal));
    await answer?.body.dump();
  }

  async page(prefix: string, after: string | undefined, signal: AbortSignal | undefined): Promise<KeyPage> {
    return await this.#page(prefix, after, PAGE_KEYS, signal);
  }

  /** Asks for one key of ours, which all rights that are enough allow; the answer tells why not. */
  async check(signal: AbortSignal): Promise<void> {
    await this.#page(this.#root, undefined, 1, signal);
  }

  describe(error: unknown) {
    return describe(error);
  }

  close(): void {
    this.#exchange.close();
  }

  async #page(prefix: string, after: string | undefined, limit: number, signal: AbortSignal | undefined) {
    const query = this.#store.listQuery(prefix, after, limit);
    const answer = await this.#exchange.ask({ method: 'GET', key: '', query }, signal);
    return this.#store.readList(documentOf(await documentText(answer)));
  }
}

/** undefined when a store says 404 of an object. The page of somebody else with that status says nothing of objects. */
async function orAbsent(asked: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StoreError && error.status === 404 && error.fromStore && error.code !== 'NoSuchBucket')
      return undefined;
    throw error;
  }
}

function header(answer: Answer, name: string): string | undefined {
  const value = answer.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

function sizeOf(answer: Answer): number {
  const size = Number(header(answer, 'content-length') ?? Number.NaN);
  if (!Number.isSafeInteger(size)) throw new Error('the store does not say how long the object is');
  return size;
}
