import type { Agent, Dispatcher } from 'undici';

export interface FunctionClientOptions {
  /** Certificates that functions may show beside the known ones; for tests. */
  readonly ca?: string;
}

/** A connection that cannot be made within this time counts as failed, in ms: a function may be started for it. */
const CONNECT_MS = 30_000;

/**
 * The connections to all functions: kept between calls, as many at a time as there are calls, HTTP/2 where a function offers it. No proxy,
 * no redirect. Owned by `FunctionRuntimes`.
 */
export class FunctionClient {
  readonly #options: FunctionClientOptions;
  /** Loaded with the first call: the HTTP client is a quarter of an idle daemon's memory. */
  #agent: Agent | undefined;
  #loading: Promise<Agent> | undefined;

  constructor(options: FunctionClientOptions = {}) {
    this.#options = options;
  }

  /** The connections, if they were used before. */
  get ready(): Dispatcher | undefined {
    return this.#agent;
  }

  load(): Promise<Dispatcher> {
    this.#loading ??= this.#open();
    return this.#loading;
  }

  /** Ends all calls and closes all connections. */
  async close(): Promise<void> {
    await (await this.#loading)?.destroy();
  }

  async #open(): Promise<Agent> {
    const { Agent } = await import('undici');
    this.#agent = new Agent({
      connections: null,
      allowH2: true,
      connect: { timeout: CONNECT_MS, ...(this.#options.ca !== undefined && { ca: this.#options.ca }) },
      // The time limits are those of the session.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return this.#agent;
  }
}
