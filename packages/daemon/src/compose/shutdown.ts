/** How a daemon stops: step by step, so that nobody who calls it notices. */
import { setTimeout as pause } from 'node:timers/promises';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { HttpServer } from '../http/index.ts';
import type { Invocations } from '../invocation/index.ts';
import type { Log } from '../telemetry/index.ts';
import type { Nodes } from './nodes.ts';

export interface ShutdownParts {
  readonly nodes: Nodes | undefined;
  readonly http: { readonly main: Pick<HttpServer, 'close' | 'narrow'> };
  /** Plugins call back over HTTP: their way in stays open until the last call has ended. */
  readonly callsBackOverHttp: boolean;
  readonly invocations: Invocations;
  /** Resolves when the clients of all workers of this daemon have been served; undefined for one alone. */
  readonly siblingsServed: (() => Promise<void>) | undefined;
  /** SHUTDOWN_BALANCER_SECONDS. */
  readonly balancerMs: number;
  /** Ends plugins and closes everything. */
  readonly closeAll: () => Promise<void>;
  readonly log: Log;
}

/** How long clients may take to read why their calls ended before their connections are cut. */
const LAST_WORDS_MS = 1000;

export class Shutdown {
  #begun = false;

  /** For those who ask whether we are ready. */
  get begun(): boolean {
    return this.#begun;
  }

  /**
   * Not ready any more; the other nodes hand nothing over, and get what still comes; after the balancer's time nobody is let in; open calls
   * come to their end; plugins stop, debugging clients with them, which connect elsewhere; the node signs off.
   * @param signal ends the waiting, and what is open
   */
  async run(parts: ShutdownParts, signal: AbortSignal): Promise<void> {
    this.#begun = true;
    const { nodes, http, callsBackOverHttp, invocations, siblingsServed, balancerMs, log } = parts;
    await nodes?.drain();
    if (balancerMs > 0) {
      log.info({ seconds: balancerMs / 1000 }, 'not ready any more: calls are still taken while balancers find out');
      await pause(balancerMs, undefined, { signal }).catch(() => undefined);
    }
    if (callsBackOverHttp) {
      http.main.narrow();
      await invocations.drained(signal);
    }
    // New connections are refused from here on; open calls may finish.
    const cut = new AbortController();
    const closed = http.main.close(cut.signal, siblingsServed && (() => siblingsServed()));
    await invocations.drained(signal);
    const end = () => {
      invocations.abortAll(new DaemonError('runtime-unavailable', 'the daemon is stopping: plugin runtime not found'));
      setTimeout(() => cut.abort(), LAST_WORDS_MS).unref();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
    await closed;
    await parts.closeAll();
  }
}
