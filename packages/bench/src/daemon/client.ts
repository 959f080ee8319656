/** What Dify does with the daemon, for programs that need a few routes of it: upload, install, list, invoke, stream. */
import { Agent, request } from 'undici';
import { delay } from './process.ts';
import { type Envelope, sseEvents } from './sse.ts';

export interface InstalledPlugin {
  readonly id: string;
  readonly plugin_id: string;
  readonly plugin_unique_identifier: string;
}

export interface InstallTask {
  readonly id: string;
  readonly status: 'pending' | 'running' | 'success' | 'failed';
  readonly plugins: readonly { readonly plugin_id: string; readonly status: string; readonly message: string }[];
}

export interface Uploaded {
  readonly unique_identifier: string;
  readonly manifest: {
    readonly name: string;
    readonly author: string;
    readonly tool?: { readonly tools: readonly { readonly identity: { readonly name: string } }[] } | null;
  };
}

export interface ClientOptions {
  readonly url: string;
  readonly key: string;
  readonly tenant?: string;
}

/** An answer with a code other than 0: `message` is the daemon's text, `type` its error type when it names one. */
export class DaemonAnswerError extends Error {
  readonly code: number;
  readonly type: string | undefined;

  constructor(code: number, text: string) {
    const inner = innerError(text);
    super(inner.message);
    this.name = 'DaemonAnswerError';
    this.code = code;
    this.type = inner.type;
  }
}

export const TENANT = '00000000-0000-4000-8000-000000000001';
const POLL_MS = 25;

export class DaemonClient implements AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly tenant: string;
  readonly #agent = new Agent({ connections: 64, headersTimeout: 0, bodyTimeout: 0 });

  constructor(options: ClientOptions) {
    this.url = options.url;
    this.key = options.key;
    this.tenant = options.tenant ?? TENANT;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  /** `data` of a management route's answer; a code other than 0 is thrown. */
  async call<T>(
    method: 'GET' | 'POST',
    path: string,
    body?: Buffer | object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const raw = Buffer.isBuffer(body) || body === undefined;
    const answer = await request(`${this.url}/plugin/${this.tenant}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { 'x-api-key': this.key, ...(raw ? {} : { 'content-type': 'application/json' }), ...headers },
      body: raw ? (body ?? null) : JSON.stringify(body),
    });
    return unwrap<T>(await answer.body.text());
  }

  async upload(packed: Buffer): Promise<Uploaded> {
    const boundary = '----plugin-daemon-bench';
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="dify_pkg"; filename="plugin.difypkg"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    const body = Buffer.concat([Buffer.from(head), packed, Buffer.from(`\r\n--${boundary}--\r\n`)]);
    return await this.call('POST', '/management/install/upload/package', body, {
      'content-type': `multipart/form-data; boundary=${boundary}`,
    });
  }

  /** Installs an uploaded package and waits for the task; `progress` sees each state of it. Throws what the task failed with. */
  async install(identifier: string, progress: (task: InstallTask) => void = () => {}): Promise<void> {
    const started = await this.call<{ all_installed: boolean; task_id: string }>(
      'POST',
      '/management/install/identifiers',
      {
        plugin_unique_identifiers: [identifier],
        source: 'package',
        metas: [{}],
      },
    );
    if (started.all_installed) return;
    for (;;) {
      const task = await this.call<InstallTask>('GET', `/management/install/tasks/${started.task_id}`);
      progress(task);
      if (task.status === 'success') return;
      if (task.status === 'failed') throw new Error(task.plugins.map((plugin) => plugin.message).join('\n'));
      await delay(POLL_MS);
    }
  }

  async list(): Promise<InstalledPlugin[]> {
    const answer = await this.call<{ list: InstalledPlugin[] }>('GET', '/management/list?page=1&page_size=256');
    return answer.list;
  }

  async uninstall(installationId: string): Promise<void> {
    await this.call('POST', '/management/uninstall', { plugin_installation_id: installationId });
  }

  /** Path, headers and body of a call of a plugin, for callers that send them themselves. */
  dispatchRequest(
    route: string,
    pluginId: string,
    data: unknown,
  ): { path: string; headers: Record<string, string>; body: string } {
    return {
      path: `/plugin/${this.tenant}/dispatch/${route}`,
      headers: { 'X-Api-Key': this.key, 'X-Plugin-ID': pluginId, 'Content-Type': 'application/json' },
      body: JSON.stringify({ user_id: 'user-1', data }),
    };
  }

  /** Invokes a plugin and yields the `data` of every event; an error event is thrown. */
  async *invoke(route: string, pluginId: string, data: unknown, signal?: AbortSignal): AsyncGenerator<unknown> {
    const { path, headers, body } = this.dispatchRequest(route, pluginId, data);
    const answer = await request(this.url + path, {
      method: 'POST',
      dispatcher: this.#agent,
      headers,
      body,
      ...(signal ? { signal } : {}),
    });
    if (!String(answer.headers['content-type']).startsWith('text/event-stream')) {
      const text = await answer.body.text();
      if (text !== '') unwrap(text);
      return;
    }
    for await (const event of sseEvents(answer.body)) yield open(event);
  }
}

function unwrap<T>(text: string): T {
  let envelope: Envelope;
  try {
    envelope = JSON.parse(text);
  } catch {
    throw new Error(`the daemon answered something that is not JSON: ${text.slice(0, 300)}`);
  }
  return open(envelope) as T; // the shape of a known route's answer
}

function open(envelope: Envelope): unknown {
  if (envelope.code !== 0) throw new DaemonAnswerError(envelope.code, envelope.message);
  return envelope.data;
}

/** Errors come as JSON inside the message, those of plugins once more inside that. */
function innerError(text: string): { message: string; type: string | undefined } {
  let message = text;
  let type: string | undefined;
  for (let depth = 0; depth < 3; depth++) {
    try {
      const inner: { message?: unknown; error_type?: unknown } = JSON.parse(message);
      if (typeof inner?.message !== 'string') break;
      message = inner.message;
      type = typeof inner.error_type === 'string' ? inner.error_type : type;
    } catch {
      break;
    }
  }
  return { message, type };
}
