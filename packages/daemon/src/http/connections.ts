import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { countedUpTo } from '@plugin-daemon/plugin-host/collections';
import { LRUCache } from 'lru-cache';
import { countedAddress } from './addresses.ts';

export interface ConnectionLimitsOptions {
  /** Connections open at once, of everybody. */
  readonly total: number;
  /** Connections of one address that have not brought a key yet. */
  readonly strangersOfAddress: number;
  /** Requests of one address, on routes that need no key, open at once. */
  readonly publicRequestsOfAddress: number;
  /** Proxies: many clients stand behind their address, so only their requests are counted, by the client's. */
  readonly isProxy: (address: string) => boolean;
  /** Called when connections are refused, at most once in ten seconds for each reason. */
  readonly onRefused?: (reason: 'total' | 'address', address: string) => void;
}

const REFUSED =
  'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\nContent-Type: text/plain\r\nContent-Length: 21\r\n\r\ntoo many connections\n';
const TOLD_EVERY_MS = 10_000;
/** Addresses that had a key are remembered for a day, so many of them. */
const KNOWN = { ...countedUpTo(10_000), ttl: 24 * 60 * 60_000 };

/**
 * Limits on connections: what one stranger can hold open is little, however slowly it sends. A connection that brought a key is
 * counted in the total alone, and so are the further ones of its address: who calls plugins opens a thousand at once, before the
 * key of the first has been read.
 */
export class ConnectionLimits {
  readonly #options: ConnectionLimitsOptions;
  readonly #strangers = new Map<string, number>();
  /** Forgets a connection among the strangers; only those that are counted there have one. */
  readonly #counted = new WeakMap<Socket, () => void>();
  readonly #known = new LRUCache<string, true>(KNOWN);
  readonly #requests = new Map<string, number>();
  readonly #told = new Map<string, number>();

  constructor(options: ConnectionLimitsOptions) {
    this.#options = options;
  }

  watch(server: Server): void {
    server.maxConnections = this.#options.total;
    server.on('drop', (data) => this.#tell('total', data?.remoteAddress ?? ''));
    server.on('connection', (socket: Socket) => this.#add(socket));
  }

  /** A request on this connection had a key. */
  admit(socket: Socket): void {
    const forget = this.#counted.get(socket);
    if (forget === undefined) return;
    forget();
    if (socket.remoteAddress !== undefined) this.#known.set(countedAddress(socket.remoteAddress), true);
  }

  /** Takes a place for a request without a key; undefined when this address has none left. @returns gives it back, once */
  enter(address: string): (() => void) | undefined {
    const counted = countedAddress(address);
    const open = this.#requests.get(counted) ?? 0;
    if (open >= this.#options.publicRequestsOfAddress) return undefined;
    this.#requests.set(counted, open + 1);
    let left = false;
    return () => {
      if (!left) less(this.#requests, counted);
      left = true;
    };
  }

  #add(socket: Socket): void {
    const address = socket.remoteAddress;
    if (address === undefined || this.#options.isProxy(address)) return;
    const counted = countedAddress(address);
    const open = this.#strangers.get(counted) ?? 0;
    if (open >= this.#options.strangersOfAddress && !this.#known.has(counted)) {
      this.#tell('address', address);
      socket.end(REFUSED);
      socket.destroySoon();
      return;
    }
    this.#strangers.set(counted, open + 1);
    const forget = (): void => {
      socket.off('close', forget);
      this.#counted.delete(socket);
      less(this.#strangers, counted);
    };
    this.#counted.set(socket, forget);
    socket.once('close', forget);
  }

  #tell(reason: 'total' | 'address', address: string): void {
    const now = Date.now();
    if (now - (this.#told.get(reason) ?? 0) < TOLD_EVERY_MS) return;
    this.#told.set(reason, now);
    this.#options.onRefused?.(reason, address);
  }
}

function less(counts: Map<string, number>, key: string): void {
  const left = (counts.get(key) ?? 1) - 1;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}
