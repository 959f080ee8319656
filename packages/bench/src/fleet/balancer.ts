import { type IncomingMessage, request } from 'node:http';
import { delay } from '../daemon/index.ts';

export interface Backend {
  readonly url: string;
  readonly key: string;
}

export interface BalancedRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const CHECK_EVERY_MS = 500;
const CHECK_MS = 1000;
/** Longer than anything that a call here waits for. */
const CALL_MS = 90_000;

/** What any balancer does: it asks `/readyz`, takes turns among those that are ready, and tries the next where a connection is refused. */
export class Balancer {
  readonly #backends: () => readonly Backend[];
  readonly #unready = new Set<string>();
  #turn = 0;
  #closed = false;
  #checking: Promise<void> | undefined;

  constructor(backends: () => readonly Backend[]) {
    this.#backends = backends;
  }

  begin(): void {
    this.#checking ??= this.#check();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#checking;
  }

  /** @throws when the connection breaks, or every node refuses it */
  async send(sent: BalancedRequest): Promise<IncomingMessage> {
    const all = this.#backends();
    const ready = all.filter(({ url }) => !this.#unready.has(url));
    const among = ready.length > 0 ? [...ready, ...all.filter((one) => !ready.includes(one))] : all;
    const from = this.#turn++;
    const first = ready.length > 0 ? from % ready.length : 0;
    const order = [...among.slice(first, ready.length), ...among.slice(0, first), ...among.slice(ready.length)];
    let refused: unknown = new Error('no node');
    for (const backend of order) {
      try {
        return await exchange(backend, sent);
      } catch (error) {
        // Refused, or reset while it connects, as the last ones are when a server closes: nothing was sent.
        const isRefused = error instanceof Error && 'syscall' in error && error.syscall === 'connect';
        if (!isRefused) throw error;
        refused = error;
      }
    }
    throw refused;
  }

  async #check(): Promise<void> {
    while (!this.#closed) {
      await Promise.all(
        this.#backends().map(async ({ url }) => {
          const isReady = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(CHECK_MS) }).then(
            async (answer) => {
              await answer.arrayBuffer();
              return answer.status === 200;
            },
            () => false,
          );
          if (isReady) this.#unready.delete(url);
          else this.#unready.add(url);
        }),
      );
      await delay(CHECK_EVERY_MS);
    }
  }
}

const exchange = ({ url, key }: Backend, { method, path, headers, body }: BalancedRequest): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const outgoing = request(url + path, {
      method,
      agent: false,
      headers: { 'X-Api-Key': key, ...headers },
      signal: AbortSignal.timeout(CALL_MS),
    });
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.end(body);
  });
