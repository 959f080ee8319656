import type { Readable } from 'node:stream';
import type { Agent, Dispatcher } from 'undici';
import { firstInstance, LIST_PARTS, readFields, word } from './answers.ts';
import { SriRefusal, SriUnavailable, sriAddress, transientStatus } from './errors.ts';
import { type LaunchEvent, Lines, launchEvent } from './launch-events.ts';
import { launchForm } from './launch-form.ts';

export interface SriClientOptions {
  /** DIFY_PLUGIN_SERVERLESS_CONNECTOR_URL; a path in it is kept. */
  readonly url: string;
  /** DIFY_PLUGIN_SERVERLESS_CONNECTOR_API_KEY, or what the file of that name holds now; asked before each request. */
  readonly key: () => string | Promise<string>;
  readonly traceparent: () => string;
}

export interface LaunchedFunction {
  readonly url: string;
  readonly name: string;
}

export interface LaunchRequest {
  /** `author@name@version@checksum.difypkg`. */
  readonly fileName: string;
  readonly identifier: string;
  /** Its signature was good. */
  readonly verified: boolean;
  readonly content: { readonly size: number; readonly stream: Readable };
}

const CONNECT_MS = 5000;
/** For the answers that are small. */
const ANSWER_MS = 60_000;
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const MAX_PONG_BYTES = 1024;
/** What is shown of an answer that refuses. */
const SHOWN_BYTES = 1024;
/** For it to come: that it refuses is known without it. */
const SHOWN_MS = 3000;
/** Shorter keys stand in any text by chance. */
const SHORTEST_SECRET = 8;

/**
 * Neither follows redirects nor uses proxies. Every method rejects with `SriUnavailable` or `SriRefusal`, the signal's reason, or the
 * `DaemonError` of a key that cannot be had.
 */
export class SriClient {
  readonly #options: SriClientOptions;
  readonly #origin: string;
  readonly #prefix: string;
  /** Loaded with the first call: the HTTP client is a quarter of an idle daemon's memory. */
  #agent: Promise<Agent> | undefined;
  /** The key that was sent last. */
  #sent = '';

  constructor(options: SriClientOptions) {
    this.#options = options;
    const { origin, prefix } = sriAddress(options.url);
    this.#origin = origin;
    this.#prefix = prefix;
  }

  /** Whether the connector is there: it says `pong`, with quotes or without, whatever the status. */
  async ping(signal: AbortSignal): Promise<void> {
    const answer = await this.#ask('POST', '/ping', signal, MAX_PONG_BYTES);
    // The published description asks with GET, the existing connectors with POST.
    const said =
      answer.status === 404 || answer.status === 405 ? await this.#ask('GET', '/ping', signal, MAX_PONG_BYTES) : answer;
    const text = said.text.trim();
    if (text !== '"pong"' && text !== 'pong')
      throw new SriRefusal(`unexpected response from serverless connector: ${this.#shown(said.text)}`, 'request');
  }

  /** The function that was built from a package, if the connector has one. */
  async find(fileName: string, signal: AbortSignal): Promise<LaunchedFunction | undefined> {
    const path = `/v1/runner/instances?filename=${encodeURIComponent(fileName)}`;
    const { status, text } = await this.#ask('GET', path, signal, MAX_ANSWER_BYTES);
    const fields = readFields(text, LIST_PARTS);
    if (fields === undefined) {
      const shown = this.#shown(text);
      throw new SriRefusal(
        `the serverless connector did not list its functions: status ${status}, ${shown === '' ? 'an empty answer' : shown}`,
        'request',
        transientStatus(status),
      );
    }
    const error = word(fields, 'error');
    if (error !== '')
      throw new SriRefusal(`unexpected response from plugin controller: ${this.#withoutKey(error)}`, 'request');
    return firstInstance(fields);
  }

  /** Builds a function. The events end with the answer, whether or not one of them said that it is done. */
  async *launch(
    { fileName, identifier, verified, content }: LaunchRequest,
    signal: AbortSignal,
  ): AsyncGenerator<LaunchEvent> {
    const form = launchForm({
      fileName,
      size: content.size,
      content: content.stream,
      fields: { verified: String(verified), metadata: JSON.stringify({ plugin_unique_identifier: identifier }) },
    });
    // Whatever fails before it is read: nobody else closes the package's stream.
    form.body.on('error', () => undefined);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#request('POST', '/v1/launch', signal, {
        headers: { 'content-type': form.contentType, 'content-length': String(form.length) },
        body: form.body,
      });
    } catch (error) {
      form.body.destroy();
      throw error;
    }
    const { statusCode, body } = answer;
    if (statusCode !== 200) {
      const late = setTimeout(() => body.destroy(), SHOWN_MS);
      // A key that begins in what is shown is read to its end.
      const text = await this.#read(body, 2 * SHOWN_BYTES, signal).catch(() => '');
      clearTimeout(late);
      throw new SriRefusal(
        `request failed with status code: ${statusCode} and respond with: ${this.#shown(text)}`,
        'request',
        transientStatus(statusCode),
      );
    }
    const lines = new Lines();
    try {
      for await (const piece of body) {
        for (const line of lines.take(piece)) {
          const event = launchEvent(line);
          if (event !== undefined) yield this.#told(event);
        }
      }
    } catch (error) {
      throw this.#broken(error, signal, '/v1/launch');
    } finally {
      body.destroy();
      form.body.destroy();
    }
    for (const line of lines.rest()) {
      const event = launchEvent(line);
      if (event !== undefined) yield this.#told(event);
    }
  }

  async close(): Promise<void> {
    await (await this.#agent)?.destroy();
  }

  async #ask(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    limit: number,
  ): Promise<{ readonly status: number; readonly text: string }> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const { statusCode, body } = await this.#request(method, path, limited, {
      headers: method === 'POST' ? { 'content-length': '0' } : {},
    });
    try {
      return { status: statusCode, text: await this.#read(body, limit, limited) };
    } catch (error) {
      throw this.#broken(error, signal, path);
    }
  }

  async #read(body: Readable, limit: number, signal: AbortSignal): Promise<string> {
    const parts: Buffer[] = [];
    let size = 0;
    try {
      for await (const piece of body) {
        parts.push(piece);
        size += piece.length;
        if (size > limit) break;
      }
    } finally {
      body.destroy();
    }
    signal.throwIfAborted();
    return Buffer.concat(parts).subarray(0, limit).toString('utf8');
  }

  async #request(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body?: Readable },
  ): Promise<Dispatcher.ResponseData> {
    signal.throwIfAborted();
    this.#agent ??= open();
    const [agent, key] = await Promise.all([this.#agent, this.#options.key()]);
    this.#sent = key;
    try {
      return await agent.request({
        origin: this.#origin,
        path: this.#prefix + path,
        method,
        headers: { authorization: key, traceparent: this.#options.traceparent(), ...headers },
        body: body ?? null,
        signal,
      });
    } catch (error) {
      throw this.#broken(error, signal, path, method);
    }
  }

  /** What tenants and logs are shown of an answer. */
  #shown(text: string): string {
    return this.#withoutKey(text).slice(0, SHOWN_BYTES).replaceAll('\0', '\ufffd').toWellFormed();
  }

  #told(event: LaunchEvent): LaunchEvent {
    return event.event === 'failed' ? { ...event, message: this.#withoutKey(event.message) } : event;
  }

  /** Gateways that fail like to show the request that they got. */
  #withoutKey(text: string): string {
    return this.#sent.length < SHORTEST_SECRET ? text : text.replaceAll(this.#sent, '(the key)');
  }

  /** What went wrong on the way, in the words of the library that upstream uses where it has them. */
  #broken(error: unknown, signal: AbortSignal, path: string, method?: string): unknown {
    if (signal.aborted && !isTimeout(signal.reason)) return signal.reason;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const isDown = ['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT'].includes(code);
    const cut = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code);
    const reason = cut ? 'EOF' : error instanceof Error ? error.message || code : String(error);
    const where = `${this.#origin}${this.#prefix}${path}`;
    const text =
      method === undefined
        ? cut
          ? 'unexpected EOF'
          : reason
        : `${method === 'POST' ? 'Post' : 'Get'} "${where}": ${reason}`;
    return new SriUnavailable(text, isDown ? 'never' : method === undefined ? 'answer' : 'perhaps', error);
  }
}

const isTimeout = (reason: unknown): boolean => reason instanceof DOMException && reason.name === 'TimeoutError';

async function open(): Promise<Agent> {
  const { Agent } = await import('undici');
  return new Agent({
    connect: { timeout: CONNECT_MS },
    // A build may say nothing for long; launches have one limit for all of it.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}
