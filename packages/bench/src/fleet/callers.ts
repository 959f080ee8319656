import { messageOf } from '@plugin-daemon/values';
import { DaemonClient } from '../daemon/index.ts';
import { AUTHOR } from '../plugin/package.ts';
import type { Balancer } from './balancer.ts';

export interface Called {
  readonly calls: number;
  /** What each failed one was answered, or how it broke. */
  readonly failed: readonly string[];
  readonly slowestMs: number;
}

/** Between two calls of one caller: a machine of few cores is to show outages, not its limits. */
const PAUSE_MS = 20;
const CHUNKS = 10;

/** Callers of one plugin, half of them of streams that last for a second. Every call is looked at whole. */
export class Callers {
  readonly #balancer: Balancer;
  readonly #plugin: string;
  readonly #failed: string[] = [];
  #calls = 0;
  #slowestMs = 0;
  #over = false;
  #running: Promise<void>[] = [];

  constructor(balancer: Balancer, plugin: string) {
    this.#balancer = balancer;
    this.#plugin = plugin;
  }

  begin(count: number): void {
    this.#running = Array.from({ length: count }, (_, n) => this.#call(n % 2 === 1));
  }

  async end(): Promise<Called> {
    this.#over = true;
    await Promise.all(this.#running);
    return { calls: this.#calls, failed: this.#failed, slowestMs: this.#slowestMs };
  }

  async #call(streams: boolean): Promise<void> {
    // It builds requests; nothing is sent on it.
    await using client = new DaemonClient({ url: 'http://127.0.0.1:9', key: '' });
    const parameters = streams ? { count: CHUNKS, interval_ms: 100 } : { text: 'hello' };
    const data = {
      provider: this.#plugin,
      tool: streams ? 'slow' : 'echo',
      tool_parameters: parameters,
      credentials: {},
    };
    const { path, headers, body } = client.dispatchRequest('tool/invoke', `${AUTHOR}/${this.#plugin}`, data);
    const { 'X-Api-Key': _key, ...rest } = headers;
    while (!this.#over) {
      const startedAt = performance.now();
      const problem = await this.#one({ method: 'POST', path, headers: rest, body }, streams ? CHUNKS : 1);
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt);
      this.#calls++;
      if (problem !== undefined) this.#failed.push(problem);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** @returns what was wrong with it */
  async #one(sent: Parameters<Balancer['send']>[0], events: number): Promise<string | undefined> {
    try {
      const response = await this.#balancer.send(sent);
      let text = '';
      for await (const part of response.setEncoding('utf8')) text += part;
      const came = text.split('\n\n').filter((event) => event.startsWith('data: {"code":0')).length;
      if (response.statusCode === 200 && came === events && !text.includes('"code":-')) return undefined;
      return `${response.statusCode}, ${came} of ${events} events: ${text.slice(-400)}`;
    } catch (error) {
      return messageOf(error);
    }
  }
}
