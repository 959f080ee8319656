import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DaemonError, isFault, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { ConnectionLimits, drainRefused, FailedAttempts, type HttpLimits, keyCheck } from '../../http/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { FunctionError, sendFunctionError } from '../function-error.ts';
import { matchRoute, type SriRoute, sendJson } from './routes.ts';

export interface SriServerOptions {
  readonly host: string;
  readonly port: number;
  /** SRI_API_KEY, and the former one. */
  readonly keys: readonly (string | undefined)[];
  /** Whether metrics and reasons are shown without a key. */
  readonly detailsOpen: boolean;
  readonly limits: HttpLimits;
  readonly routes: readonly SriRoute[];
  readonly log: Log;
  /** Called when an answer is over, with the route's pattern (`''` for unknown routes). */
  readonly onFinished: (method: string, pattern: string, status: number, seconds: number) => void;
}

const IDLE_LOOK_MS = 100;
const FORMER_KEY_TOLD_EVERY_MS = 60 * 60_000;

/** The HTTP server of the interface: keys, limits, routes. Bare, because most of what passes is streams that it does not look into. */
export class SriServer {
  readonly #options: SriServerOptions;
  readonly #server: Server;
  readonly #connections: ConnectionLimits;
  readonly #failures: FailedAttempts;
  readonly #keyOf: ReturnType<typeof keyCheck>;
  #formerKeyTold = Number.NEGATIVE_INFINITY;

  constructor(options: SriServerOptions) {
    const { limits, log } = options;
    this.#options = options;
    this.#keyOf = keyCheck(options.keys);
    this.#connections = new ConnectionLimits({
      total: limits.connections,
      strangersOfAddress: limits.strangersOfAddress,
      publicRequestsOfAddress: limits.publicRequestsOfAddress,
      isProxy: () => false,
      onRefused: (reason, client_ip) => log.warn({ client_ip, reason }, 'connections are refused: too many are open'),
    });
    this.#failures = new FailedAttempts({
      perMinute: limits.failedAttemptsPerMinute,
      onBlocked: (client_ip) =>
        log.warn({ client_ip }, 'too many requests with a wrong key: this address is not listened to for a minute'),
    });
    this.#server = createServer(
      {
        maxHeaderSize: limits.headBytes,
        headersTimeout: limits.headMs,
        requestTimeout: Math.max(limits.requestMs, limits.headMs),
        connectionsCheckingInterval: Math.min(5000, limits.headMs),
        // Daemons keep idle connections for two minutes; ours must outlive theirs.
        keepAliveTimeout: 130_000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#connections.watch(this.#server);
  }

  async listen(): Promise<AddressInfo> {
    const { host, port } = this.#options;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject);
        this.#server.listen(port, host, () => {
          this.#server.off('error', reject);
          resolve();
        });
      });
    } catch (cause) {
      throw new DaemonError('internal', `cannot listen on ${host}:${port}: ${String(cause)}`, {
        cause,
        remedy: 'Free the port, or choose another address with SRI_HOST and SRI_PORT',
      });
    }
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the HTTP server has no address');
    return address;
  }

  /** Stops accepting, lets open requests finish until `signal` aborts, then cuts them. */
  async close(signal: AbortSignal): Promise<void> {
    if (!this.#server.listening) return;
    const cut = () => this.#server.closeAllConnections();
    const idle = setInterval(() => this.#server.closeIdleConnections(), IDLE_LOOK_MS);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    if (signal.aborted) cut();
    else signal.addEventListener('abort', cut, { once: true });
    try {
      await closed;
    } finally {
      clearInterval(idle);
      signal.removeEventListener('abort', cut);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const method = request.method ?? '';
    const left = new AbortController();
    let pattern = '';
    response.once('close', () => {
      if (!response.writableFinished) left.abort(new Error('the caller left'));
      this.#options.onFinished(method, pattern, response.statusCode, (performance.now() - startedAt) / 1000);
    });
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    try {
      const url = URL.parse(request.url ?? '/', 'http://sri');
      const found =
        url === null ? undefined : matchRoute(this.#options.routes, method === 'HEAD' ? 'GET' : method, url.pathname);
      if (url === null || found === undefined) {
        sendJson(response, 404, { error: 'no such route' });
        return drainRefused(request);
      }
      pattern = found.route.path;
      if (!this.#admits(found.route, request, response)) return drainRefused(request);
      await found.route.handle({ request, response, url, params: found.params, signal: left.signal });
    } catch (error) {
      this.#failed(error, { method, path: pattern }, request, response);
    }
  }

  #admits({ access }: SriRoute, request: IncomingMessage, response: ServerResponse): boolean {
    const { detailsOpen, log } = this.#options;
    if (access === 'open' || (access === 'details' && detailsOpen)) return true;
    const address = request.socket.remoteAddress ?? '';
    const wait = this.#failures.waitOf(address);
    const listened = wait === undefined || this.#failures.isKnown(address);
    // Daemons send the key bare; collectors of metrics with a scheme.
    const admission = listened ? this.#keyOf(request.headers.authorization?.replace(/^Bearer /i, '')) : undefined;
    if (admission !== undefined) {
      this.#failures.succeeded(address);
      this.#connections.admit(request.socket);
      const now = performance.now();
      if (admission === 'former-key' && now - this.#formerKeyTold > FORMER_KEY_TOLD_EVERY_MS) {
        this.#formerKeyTold = now;
        const remedy = 'give it the new one before SRI_API_KEY_PREVIOUS is unset';
        log.warn({ client_ip: address, remedy }, 'a daemon still uses the former key');
      }
      return true;
    }
    if (wait !== undefined) {
      sendJson(
        response,
        429,
        { error: `too many requests with a wrong key: wait ${wait} s` },
        { 'Retry-After': String(wait) },
      );
      return false;
    }
    this.#failures.failed(address);
    sendJson(response, 401, { error: 'the key is missing or wrong: Authorization must be SRI_API_KEY' });
    return false;
  }

  #failed(error: unknown, fields: object, request: IncomingMessage, response: ServerResponse): void {
    if (response.destroyed) return;
    if (error instanceof FunctionError) {
      if (response.headersSent) response.destroy();
      else sendFunctionError(response, error);
      return drainRefused(request);
    }
    const known = toDaemonError(error);
    if (isFault(error)) this.#options.log.error({ ...fields, error }, 'a request failed');
    if (response.headersSent) response.destroy();
    else sendJson(response, known.status, { error: known.wireMessage });
    drainRefused(request);
  }
}
