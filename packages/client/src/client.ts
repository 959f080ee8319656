import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type Dispatcher, request } from 'undici';
import { DaemonAnswerError, DaemonUnreachableError, UnexpectedAnswerError } from './errors.ts';
import { type DescribedPackage, type InstallTask, type Operations, operations } from './generated.ts';
import { type WireRequest, wireRequest } from './request.ts';
import { type Envelope, sseEvents } from './sse.ts';

export type OperationName = keyof Operations;
type Kind = Operations[OperationName]['kind'];
type Named<K extends Kind> = { [N in OperationName]: Operations[N]['kind'] extends K ? N : never }[OperationName];

/** Operations that answer once. */
export type CallName = Named<'enveloped' | 'plain'>;
/** Operations that answer with a stream of events. */
export type StreamName = Named<'stream'>;
/** Operations that answer with bytes. */
export type BytesName = Named<'bytes'>;

export type Input<N extends OperationName> = Operations[N]['input'];
export type Data<N extends OperationName> = Operations[N]['data'];

/** Operations that ask an installed plugin. */
export type DispatchName = {
  [N in StreamName]: Input<N> extends { readonly pluginId: string; readonly body: { readonly data: unknown } }
    ? N
    : never;
}[StreamName];
/** What a plugin is asked. */
export type DispatchData<N extends DispatchName> =
  Input<N> extends { readonly body: { readonly data: infer D } } ? D : never;

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The input may be left out where nothing in it has to be there. */
type Arguments<N extends OperationName> =
  Readonly<Record<never, never>> extends Input<N>
    ? readonly [input?: Input<N>, options?: CallOptions]
    : readonly [input: Input<N>, options?: CallOptions];

export interface ClientOptions {
  /** Where the daemon listens, such as `http://127.0.0.1:5002`. */
  readonly url: string;
  /** SERVER_KEY of the daemon. */
  readonly key: string;
  /** ADMIN_API_KEY of the daemon, for operators' operations. */
  readonly adminKey?: string | undefined;
  /** A UUID: whose plugins these are. Default: one of its own kind, `DEFAULT_TENANT`. */
  readonly tenant?: string | undefined;
  /** What requests go through, such as an agent for proxies; without one straight to the daemon. Its owner closes it. */
  readonly dispatcher?: Dispatcher | undefined;
}

/** An answer that nothing was made of yet. */
export interface Exchange {
  readonly status: number;
  readonly body: Dispatcher.ResponseData['body'];
}

export interface InvokeOptions extends CallOptions {
  /** Who asks; plugins may keep things apart by it. */
  readonly userId?: string;
}

export interface InstallOptions extends CallOptions {
  /** Sees every state of the task. */
  readonly progress?: ((task: InstallTask) => void) | undefined;
  /** Milliseconds between two looks at the task; default 100. */
  readonly everyMs?: number | undefined;
}

/** The tenant of those who have no tenants. */
export const DEFAULT_TENANT = '00000000-0000-4000-8000-000000000001';

/**
 * Calls one daemon. Errors: DaemonAnswerError when the daemon says no, DaemonUnreachableError when it does not answer,
 * UnexpectedAnswerError when something else does; an aborted signal throws its reason.
 */
export class DaemonClient implements AsyncDisposable {
  readonly url: string;
  readonly key: string;
  readonly tenant: string;
  readonly #adminKey: string | undefined;
  readonly #dispatcher: Dispatcher;
  /** Only when it is ours. */
  readonly #agent: Agent | undefined;

  constructor({ url, key, adminKey, tenant = DEFAULT_TENANT, dispatcher }: ClientOptions) {
    // Answers may take as long as a plugin does; the daemon has the limits.
    const agent = dispatcher ?? new Agent({ connections: 64, headersTimeout: 0, bodyTimeout: 0 });
    this.#dispatcher = agent;
    this.#agent = dispatcher === undefined && agent instanceof Agent ? agent : undefined;
    this.url = url.replace(/\/+$/, '');
    this.key = key;
    this.tenant = tenant;
    this.#adminKey = adminKey;
  }

  /** Cuts what is open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent?.destroy();
  }

  /** Calls an operation that answers once; resolves to the `data` of its envelope. */
  async call<N extends CallName>(name: N, ...[input, options]: Arguments<N>): Promise<Data<N>> {
    const { status, text } = await this.#text(this.wireRequest(name, input ?? {}), options);
    const value = parsed(status, text);
    const plain = operations[name].kind === 'plain' && !(isEnvelope(value) && value.code !== 0);
    // What the description says an answer is; tests hold the daemon's answers against it.
    return (plain ? value : opened(value, status, text)) as Data<N>;
  }

  /**
   * Calls an operation that answers with events; yields the `data` of each. Leaving the loop ends the session in the daemon. An
   * error throws after the events before it.
   */
  async *stream<N extends StreamName>(name: N, ...[input, options]: Arguments<N>): AsyncGenerator<Data<N>, void> {
    // As above.
    for await (const data of this.events(this.wireRequest(name, input ?? {}), options)) yield data as Data<N>;
  }

  /** Asks an installed plugin: the same as `stream`, for a user without a conversation. */
  invoke<N extends DispatchName>(
    name: N,
    pluginId: string,
    data: DispatchData<N>,
    { userId = 'user', ...options }: InvokeOptions = {},
  ): AsyncGenerator<Data<N>, void> {
    return this.#invoke(this.wireRequest(name, { pluginId, body: { user_id: userId, data } }), options);
  }

  async *#invoke<N extends DispatchName>(wire: WireRequest, options: CallOptions): AsyncGenerator<Data<N>, void> {
    // As above.
    for await (const data of this.events(wire, options)) yield data as Data<N>;
  }

  /** Asks an installed plugin something that has one answer, such as whether credentials are valid. */
  async ask<N extends DispatchName>(
    name: N,
    pluginId: string,
    data: DispatchData<N>,
    options?: InvokeOptions,
  ): Promise<Data<N>> {
    for await (const answer of this.invoke(name, pluginId, data, options)) return answer;
    throw new UnexpectedAnswerError(200, 'the plugin answered nothing');
  }

  /** Sends a request that need not be an operation's, and opens the envelope it is answered with. */
  async send(wire: WireRequest, options?: CallOptions): Promise<unknown> {
    const { status, text } = await this.#text(wire, options);
    return opened(parsed(status, text), status, text);
  }

  /** The same for a request that is answered with events: the `data` of each. */
  async *events(wire: WireRequest, options?: CallOptions): AsyncGenerator<unknown, void> {
    const { statusCode: status, headers, body } = await this.#send(wire, options);
    try {
      if (!String(headers['content-type']).startsWith('text/event-stream')) {
        const text = await body.text();
        if (text !== '' || status !== 200) opened(parsed(status, text), status, text);
        return;
      }
      for await (const event of sseEvents(body)) yield opened(event, status, '');
    } catch (error) {
      throw this.#known(error, options);
    } finally {
      // Nobody reads on: the daemon is to know.
      body.destroy();
    }
  }

  /**
   * Sends a request that need not be an operation's, and gives what is answered as it comes: for callers that pass it on. Who does not
   * read the body to its end destroys it. A connection that breaks meanwhile is an error of the body.
   */
  async exchange(wire: WireRequest, options?: CallOptions): Promise<Exchange> {
    const { statusCode: status, body } = await this.#send(wire, options);
    return { status, body };
  }

  /** Calls an operation that answers with bytes. */
  async bytes<N extends BytesName>(name: N, ...[input, options]: Arguments<N>): Promise<Buffer> {
    const { statusCode: status, body } = await this.#send(this.wireRequest(name, input ?? {}), options);
    try {
      const content = Buffer.from(await body.bytes());
      if (status === 200) return content;
      opened(parsed(status, content.toString()), status, content.toString());
      throw new UnexpectedAnswerError(status, content.toString());
    } catch (error) {
      throw this.#known(error, options);
    }
  }

  /** The request of an operation, for callers that send it themselves. */
  wireRequest(name: OperationName, input: object): WireRequest {
    const keys = { serverKey: this.key, adminKey: this.#adminKey };
    return wireRequest(operations[name], this.tenant, keys, { ...input });
  }

  /** Uploads a package (`.difypkg`): it is checked and stored, not installed. */
  async upload(
    content: Uint8Array,
    { verifySignature, ...options }: CallOptions & { readonly verifySignature?: boolean } = {},
  ): Promise<DescribedPackage> {
    const verify =
      verifySignature === undefined ? {} : ({ verify_signature: verifySignature ? 'true' : 'false' } as const);
    return await this.call('uploadPackage', { body: { dify_pkg: content, ...verify } }, options);
  }

  /** Installs an uploaded package and waits until it runs. @throws InstallFailedError with what the task failed with */
  async install(identifier: string, { progress, everyMs = 100, signal }: InstallOptions = {}): Promise<void> {
    const body = { plugin_unique_identifiers: [identifier], source: 'package' as const, metas: [{}] };
    const started = await this.call('installPlugins', { body }, { signal });
    if (!started.all_installed) await this.waitForTask(started.task_id, { progress, everyMs, signal });
  }

  /** Waits for the end of an install task. @throws InstallFailedError with what it failed with */
  async waitForTask(id: string, { progress, everyMs = 100, signal }: InstallOptions = {}): Promise<void> {
    for (;;) {
      const task = await this.call('getInstallTask', { id }, { signal });
      progress?.(task);
      if (task.status === 'success') return;
      if (task.status === 'failed') throw new InstallFailedError(task);
      await delay(everyMs, undefined, signal === undefined ? {} : { signal });
    }
  }

  async #text(wire: WireRequest, options?: CallOptions): Promise<{ status: number; text: string }> {
    const answer = await this.#send(wire, options);
    try {
      return { status: answer.statusCode, text: await answer.body.text() };
    } catch (error) {
      throw this.#known(error, options);
    }
  }

  async #send({ method, path, headers, body }: WireRequest, options?: CallOptions): Promise<Dispatcher.ResponseData> {
    try {
      return await request(this.url + path, {
        method,
        headers,
        dispatcher: this.#dispatcher,
        ...(body !== undefined && { body }),
        ...(options?.signal !== undefined && { signal: options.signal }),
      });
    } catch (error) {
      throw this.#known(error, options);
    }
  }

  /** Our own errors and aborts as they are; everything else came from the connection. */
  #known(error: unknown, options: CallOptions | undefined): unknown {
    if (error instanceof DaemonAnswerError || error instanceof UnexpectedAnswerError) return error;
    if (options?.signal?.aborted === true) return options.signal.reason;
    return new DaemonUnreachableError(this.url, error);
  }
}

/** An installation ended without its plugin. */
export class InstallFailedError extends Error {
  override readonly name = 'InstallFailedError';
  readonly task: InstallTask;

  constructor(task: InstallTask) {
    const failed = task.plugins.filter((plugin) => plugin.status === 'failed');
    super(failed.map((plugin) => `${plugin.plugin_id}: ${plugin.message}`).join('\n') || 'the installation failed');
    this.task = task;
  }
}

function parsed(status: number, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnexpectedAnswerError(status, text);
  }
}

/** The `data` of an envelope. @throws DaemonAnswerError when it says no */
function opened(value: unknown, status: number, text: string): unknown {
  if (!isEnvelope(value)) throw new UnexpectedAnswerError(status, text || JSON.stringify(value));
  if (value.code !== 0) throw new DaemonAnswerError(value.code, value.message, status);
  return value.data;
}

const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === 'object' &&
  value !== null &&
  'code' in value &&
  typeof value.code === 'number' &&
  'message' in value &&
  typeof value.message === 'string' &&
  'data' in value;
