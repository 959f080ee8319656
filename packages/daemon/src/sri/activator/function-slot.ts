import type { Pool as Connections } from 'undici';
import type { FunctionInstance } from '../backends/index.ts';
import { isHealthy } from '../backends/index.ts';

const HEALTH_TIMEOUT_MS = 10_000;
/** After so many health checks in a row without an answer an instance gets no more calls. */
const SUSPECT_AFTER = 3;

/** Opens connections to an instance; loaded with the first call: the HTTP client is a large part of an idle server's memory. */
export async function connectTo({ address }: FunctionInstance): Promise<Connections> {
  const { Pool } = await import('undici');
  return new Pool(address.origin, {
    connections: null,
    // A connection for each call: the SDK's server writes an answer in small pieces and leaves Nagle's algorithm on, so that on a connection
    // that was used before the second piece waits 40 ms for our acknowledgement of the first.
    pipelining: 0,
    // The limits of a call are those of the one who forwards it.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: 5000, ...(address.socketPath !== undefined && { socketPath: address.socketPath }) },
  });
}

/** A running instance in the pool of its function. */
export class FunctionSlot {
  readonly instance: FunctionInstance;
  readonly connections: Connections;
  /** Gets no more calls: it is to end when its last one has. */
  retiring = false;
  #open = 0;
  #missed = 0;
  #looking = false;
  #idle: (() => void) | undefined;

  constructor(instance: FunctionInstance, connections: Connections) {
    this.instance = instance;
    this.connections = connections;
  }

  get open(): number {
    return this.#open;
  }

  /** It has not answered health checks for a while: it may be computing, or stuck. */
  get suspect(): boolean {
    return this.#missed >= SUSPECT_AFTER;
  }

  /** It broke off a call, or could not be reached: no more calls until it has answered a health check, which it is asked for now. */
  doubt(): void {
    this.#missed = SUSPECT_AFTER;
    // Never rejects.
    void this.look();
  }

  /** @returns gives the place back; calling it again does nothing */
  enter(): () => void {
    this.#open++;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.#open--;
      if (this.#open === 0) this.#idle?.();
    };
  }

  /** One health check. @returns whether the instance has become suspect, or is no longer */
  async look(): Promise<boolean> {
    if (this.#looking) return false;
    this.#looking = true;
    const before = this.suspect;
    this.#missed = (await isHealthy(this.instance.address, HEALTH_TIMEOUT_MS)) ? 0 : this.#missed + 1;
    this.#looking = false;
    return before !== this.suspect;
  }

  /** Lets open calls finish until `signal` aborts, then ends the instance. */
  async drain(signal: AbortSignal, reason: string): Promise<void> {
    this.retiring = true;
    const enough = Promise.withResolvers<void>();
    const hurry = () => enough.resolve();
    if (this.#open > 0 && !signal.aborted) {
      this.#idle = hurry;
      signal.addEventListener('abort', hurry, { once: true });
      await Promise.race([enough.promise, this.instance.ended]);
      signal.removeEventListener('abort', hurry);
    }
    await this.instance.stop(reason);
    await this.connections.destroy().catch(() => undefined);
  }
}
