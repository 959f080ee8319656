import { readFile } from 'node:fs/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { Pool } from 'undici';

export interface KubernetesApiOptions {
  /** Of the API server. */
  readonly url: string;
  /** Read again each minute: clusters exchange the tokens of pods. Undefined: no token is sent. */
  readonly tokenFile: string | undefined;
  /** Undefined: those that the system trusts. */
  readonly caFile: string | undefined;
  readonly namespace: string;
}

/** What an API server refuses. */
export class KubernetesRefusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const ANSWER_MS = 30_000;
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;
const MAX_LINE_BYTES = 4 * 1024 * 1024;
const TOKEN_MS = 60_000;
/** In whose name fields are set; server-side apply keeps apart what others have set. */
const MANAGER = 'dify-sri';

export interface WatchEvent {
  readonly type: string;
  readonly object: Readonly<Record<string, unknown>>;
}

/** The few things that are asked of a cluster: apply, list, watch, delete. */
export class KubernetesApi {
  readonly #options: KubernetesApiOptions;
  #pool: Promise<Pool> | undefined;
  #token: { readonly text: string; readonly readAt: number } | undefined;

  constructor(options: KubernetesApiOptions) {
    this.#options = options;
  }

  /** The path of a kind in the namespace: `jobs` of `/apis/batch/v1`, `pods` of `/api/v1`. */
  path(group: string, kind: string, name?: string): string {
    return `${group}/namespaces/${encodeURIComponent(this.#options.namespace)}/${kind}${name === undefined ? '' : `/${name}`}`;
  }

  /** Makes an object be as given (server-side apply). */
  async apply(path: string, object: object, signal?: AbortSignal): Promise<void> {
    await this.#call('PATCH', `${path}?fieldManager=${MANAGER}&force=true`, {
      ...(signal && { signal }),
      body: JSON.stringify(object),
      type: 'application/apply-patch+yaml',
    });
  }

  /** @returns undefined when there is none */
  async get(path: string, signal?: AbortSignal): Promise<Readonly<Record<string, unknown>> | undefined> {
    try {
      return await this.#call('GET', path, { ...(signal && { signal }) });
    } catch (error) {
      if (error instanceof KubernetesRefusal && error.status === 404) return undefined;
      throw error;
    }
  }

  /** With what it owns, in the background. One that has gone already is fine. */
  async delete(path: string): Promise<void> {
    try {
      await this.#call('DELETE', path, {
        body: JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }),
        type: 'application/json',
      });
    } catch (error) {
      if (!(error instanceof KubernetesRefusal) || error.status !== 404) throw error;
    }
  }

  /**
   * The changes of a list since a version of it, until the server ends the stream or the signal aborts.
   * @throws KubernetesRefusal 410 when the version is too old
   */
  async watch(path: string, version: string, signal: AbortSignal, onEvent: (event: WatchEvent) => void): Promise<void> {
    const pool = await this.#connected();
    const separator = path.includes('?') ? '&' : '?';
    const { statusCode, body } = await pool.request({
      method: 'GET',
      path: `${this.#base()}${path}${separator}watch=true&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(version)}`,
      headers: await this.#headers(),
      signal,
      headersTimeout: ANSWER_MS,
      bodyTimeout: 0,
    });
    if (statusCode !== 200) {
      await body.dump();
      throw new KubernetesRefusal(statusCode, `the API server answers ${statusCode}`);
    }
    let rest = '';
    for await (const part of body.setEncoding('utf8') as AsyncIterable<string>) {
      const lines = (rest + part).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_LINE_BYTES) throw new Error('an event of the API server is too long');
      for (const line of lines) {
        const event = parsed(line);
        if (event === undefined || typeof event.type !== 'string' || !isObject(event.object)) continue;
        if (event.type === 'ERROR')
          throw new KubernetesRefusal(Number(event.object.code ?? 500), String(event.object.message ?? ''));
        onEvent({ type: event.type, object: event.object });
      }
    }
  }

  async close(): Promise<void> {
    await (await this.#pool)?.destroy();
  }

  async #call(
    method: 'GET' | 'PATCH' | 'DELETE',
    path: string,
    { body, type, signal }: { readonly body?: string; readonly type?: string; readonly signal?: AbortSignal } = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    let text = '';
    let status = 0;
    try {
      const pool = await this.#connected();
      const answer = await pool.request({
        method,
        path: `${this.#base()}${path}`,
        headers: { ...(await this.#headers()), ...(type !== undefined && { 'content-type': type }) },
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
        headersTimeout: ANSWER_MS,
        bodyTimeout: ANSWER_MS,
      });
      status = answer.statusCode;
      for await (const part of answer.body.setEncoding('utf8') as AsyncIterable<string>) {
        text += part;
        if (text.length > MAX_ANSWER_BYTES) throw new Error('the API server answers too much');
      }
    } catch (cause) {
      signal?.throwIfAborted();
      throw new DaemonError(
        'unavailable',
        `the Kubernetes API cannot be reached at ${this.#options.url}: ${messageOf(cause)}`,
        {
          cause,
          remedy: 'Compare SRI_KUBERNETES_API, SRI_KUBERNETES_CA_FILE and SRI_KUBERNETES_TOKEN_FILE with the cluster',
        },
      );
    }
    const value = parsed(text);
    if (status < 400) return value ?? {};
    const message = `the Kubernetes API refuses ${method} ${path.split('?')[0]} (${status}): ${String(value?.message ?? text).slice(0, 2000)}`;
    if (status !== 401 && status !== 403) throw new KubernetesRefusal(status, message);
    throw new DaemonError('unavailable', message, {
      remedy: 'Give the service account of this server the rights that docs/sri.md lists',
    });
  }

  #base(): string {
    return new URL(this.#options.url).pathname.replace(/\/$/, '');
  }

  async #headers(): Promise<Record<string, string>> {
    const { tokenFile } = this.#options;
    if (tokenFile === undefined) return { accept: 'application/json' };
    if (this.#token === undefined || Date.now() - this.#token.readAt > TOKEN_MS)
      this.#token = { text: (await readFile(tokenFile, 'utf8')).trim(), readAt: Date.now() };
    return { accept: 'application/json', authorization: `Bearer ${this.#token.text}` };
  }

  #connected(): Promise<Pool> {
    this.#pool ??= this.#connect();
    return this.#pool;
  }

  async #connect(): Promise<Pool> {
    const { url, caFile } = this.#options;
    const { Pool } = await import('undici');
    return new Pool(new URL(url).origin, {
      connections: null,
      pipelining: 1,
      ...(caFile !== undefined && { connect: { ca: await readFile(caFile, 'utf8') } }),
    });
  }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
