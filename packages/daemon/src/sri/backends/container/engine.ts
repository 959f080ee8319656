import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { Pool } from 'undici';

export interface EngineOptions {
  /** The Unix socket of Docker or Podman. */
  readonly socketPath: string;
}

/** Of the API that both engines speak. */
const VERSION = 'v1.40';
/** Longest answer that is read whole; those that are asked for are small. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
const ANSWER_MS = 30_000;

/** What an engine answers a request with that it refuses. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The HTTP API of Docker, which Podman speaks too, over its Unix socket. */
export class ContainerEngine {
  readonly #options: EngineOptions;
  /** Loaded when it is first needed. */
  #client: Promise<Pool> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * One request; resolves to the parsed answer, undefined if there is none.
   * @param path below the version
   * @param options.forever the answer may take as long as a container runs
   * @throws EngineRefusal for a status that says no; DaemonError when the engine cannot be reached; the signal's reason
   */
  async call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options: { readonly body?: object; readonly signal?: AbortSignal; readonly forever?: boolean } = {},
  ): Promise<unknown> {
    const { text, status } = await this.#ask(method, path, options);
    const value = parsed(text);
    if (status >= 400)
      throw new EngineRefusal(status, isObject(value) ? String(value.message ?? text) : text.slice(0, 1000));
    return value;
  }

  /**
   * The bytes of a stream, such as that of logs, until it ends.
   * @throws as call
   */
  async stream(path: string, signal: AbortSignal, onData: (bytes: Buffer) => void): Promise<void> {
    const client = await this.#connected();
    const { statusCode, body } = await client.request({
      method: 'GET',
      path: `/${VERSION}${path}`,
      signal,
      headersTimeout: ANSWER_MS,
      bodyTimeout: 0,
    });
    if (statusCode >= 400) {
      await body.dump();
      throw new EngineRefusal(statusCode, `the engine answers ${statusCode}`);
    }
    for await (const part of body) onData(part);
  }

  async close(): Promise<void> {
    await (await this.#client)?.destroy();
  }

  async #ask(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    {
      body,
      signal,
      forever = false,
    }: { readonly body?: object; readonly signal?: AbortSignal; readonly forever?: boolean },
  ): Promise<{ readonly status: number; readonly text: string }> {
    try {
      const client = await this.#connected();
      const answer = await client.request({
        method,
        path: `/${VERSION}${path}`,
        ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
        ...(signal !== undefined && { signal }),
        headersTimeout: forever ? 0 : ANSWER_MS,
        bodyTimeout: forever ? 0 : ANSWER_MS,
      });
      let text = '';
      for await (const part of answer.body as AsyncIterable<Buffer>) {
        text += part.toString();
        if (text.length > MAX_ANSWER_BYTES) throw new Error('the engine answers too much');
      }
      return { status: answer.statusCode, text };
    } catch (cause) {
      signal?.throwIfAborted();
      throw new DaemonError(
        'unavailable',
        `the container engine cannot be reached at ${this.#options.socketPath}: ${messageOf(cause)}`,
        {
          cause,
          remedy:
            'Start it (dockerd, or `podman system service --time 0`), and name its socket in SRI_CONTAINER_SOCKET',
        },
      );
    }
  }

  #connected(): Promise<Pool> {
    this.#client ??= import('undici').then(
      ({ Pool }) =>
        new Pool('http://engine', { socketPath: this.#options.socketPath, connections: null, pipelining: 1 }),
    );
    return this.#client;
  }
}

function parsed(text: string): unknown {
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
