import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Log } from '@plugin-daemon/plugin-host/log';
import { messageOf } from '@plugin-daemon/values';
import { SESSION_ID, SESSION_SECRET, type SessionSecrets } from '../session-secrets.ts';
import { type EgressPolicy, isAllowed } from './policy.ts';

export interface WayOutOptions {
  /** Where it listens: a Unix socket, the one end of a function's network; or a port that functions reach. */
  readonly at: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly policy: EgressPolicy;
  /** Where calls back go; always allowed. */
  readonly daemonUrl: string;
  /** Of the function; undefined where it is that of several. */
  readonly identifier: string | undefined;
  /** Those of the sessions that functions are called for. */
  readonly secrets: SessionSecrets;
  readonly log: Log;
}

const CONNECT_MS = 10_000;
/** What a function has open to the outside at once. */
const MAX_CONNECTIONS = 1024;
/** Refusals are told once a minute, by the host they were for. */
const TOLD_EVERY_MS = 60_000;
const MAX_TOLD = 1000;
const TRANSACTION = '/backwards-invocation/transaction';

/**
 * The only way out of an instance without a network: an HTTP proxy that lets through what the policy allows, and the calls back to the
 * daemon, of whose routes it opens this one alone.
 */
export class WayOut {
  readonly #options: WayOutOptions;
  readonly #server: Server;
  readonly #daemon: URL;
  readonly #tunnels = new Set<Duplex>();
  readonly #told = new Map<string, number>();

  constructor(options: WayOutOptions) {
    this.#options = options;
    this.#daemon = new URL(options.daemonUrl);
    this.#server = createServer({ requestTimeout: 0, headersTimeout: 15_000 }, (request, response) =>
      this.#request(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#tunnel(request, socket, head),
    );
    // What is no HTTP is ended by the server.
    this.#server.on('clientError', (_error, socket) => void socket.destroy());
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.at, resolve);
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    for (const socket of this.#tunnels) socket.destroy();
    await closed;
  }

  /** `CONNECT host:port`: bytes both ways. */
  #tunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    this.#tunnels.add(socket);
    socket.once('close', () => this.#tunnels.delete(socket));
    const target = URL.parse(`http://${request.url ?? ''}`);
    const port = Number(/:(\d{1,5})$/.exec(request.url ?? '')?.[1] ?? 443);
    if (target === null || !this.#allows(target.hostname, port))
      return void socket.end(refusal('HTTP/1.1 403 Forbidden'));
    const outside: Socket = connect({ host: bare(target.hostname), port, timeout: CONNECT_MS });
    const end = () => {
      outside.destroy();
      socket.destroy();
    };
    outside.once('timeout', () => outside.destroy(new Error('it took too long')));
    let connected = false;
    outside.once('error', (error) => {
      if (!connected) socket.end(refusal('HTTP/1.1 502 Bad Gateway', messageOf(error)));
      else end();
    });
    outside.once('connect', () => {
      connected = true;
      outside.setTimeout(0);
      outside.setNoDelay(true);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      if (head.length > 0) outside.write(head);
      outside.pipe(socket);
      socket.pipe(outside);
    });
    outside.once('close', () => socket.end());
    socket.once('close', () => outside.destroy());
  }

  /** A request with a whole URL is one for the outside; one with a path alone is a call back. */
  #request(request: IncomingMessage, response: ServerResponse): void {
    const given = request.url ?? '';
    const outside = /^http:\/\//i.test(given) ? URL.parse(given) : undefined;
    if (outside === null) return forbid(response, 400, 'no such address');
    if (outside === undefined) return this.#callBack(request, response, given);
    const port = Number(outside.port || 80);
    const isDaemon = outside.origin === this.#daemon.origin;
    if (isDaemon) return this.#callBack(request, response, outside.pathname + outside.search);
    if (!this.#allows(outside.hostname, port))
      return forbid(response, 403, `${outside.host} is not allowed (SRI_EGRESS)`);
    pass(request, response, outside);
  }

  #callBack(request: IncomingMessage, response: ServerResponse, path: string): void {
    const base = this.#daemon.pathname.replace(/\/$/, '');
    const [plain = ''] = path.split('?');
    const within = base !== '' && plain.startsWith(`${base}/`) ? plain.slice(base.length) : plain;
    if (within !== TRANSACTION)
      return forbid(response, 403, 'functions may call the daemon back, and nothing else of it');
    const { secrets, identifier } = this.#options;
    // Whatever a function says of secrets, it does not know them.
    const secret = secrets.of(request.headers[SESSION_ID], identifier);
    delete request.headers[SESSION_SECRET];
    if (secret !== undefined) request.headers[SESSION_SECRET] = secret;
    pass(request, response, new URL(`${this.#daemon.origin}${base}${TRANSACTION}`));
  }

  #allows(host: string, port: number): boolean {
    const { policy, identifier, log } = this.#options;
    if (isAllowed(policy, host, port)) return true;
    const target = `${host}:${port}`.slice(0, 300);
    const now = performance.now();
    if (now - (this.#told.get(target) ?? Number.NEGATIVE_INFINITY) > TOLD_EVERY_MS) {
      if (this.#told.size >= MAX_TOLD) this.#told.clear();
      this.#told.set(target, now);
      log.warn(
        {
          ...(identifier !== undefined && { plugin: identifier }),
          target,
          remedy: 'add it to SRI_EGRESS if it is meant',
        },
        'a function was kept from connecting',
      );
    }
    return false;
  }
}

const bare = (host: string): string => host.replace(/^\[|\]$/g, '');

const refusal = (line: string, detail = ''): string =>
  `${line}\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(detail)}\r\n\r\n${detail}`;

function forbid(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', Connection: 'close' }).end(text);
}

/** Of one connection alone: neither what a function nor what the other side says of it is handed on (RFC 9110, 7.6.1). */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

type Headers = Record<string, string | string[]>;

function passedOn(headers: IncomingHttpHeaders): Headers {
  const passed: Headers = {};
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !HOP_BY_HOP.has(name)) passed[name] = value;
  return passed;
}

/** Both sides are strangers: what Node will not send on of either ends this exchange, and nothing else. */
function pass(request: IncomingMessage, response: ServerResponse, target: URL): void {
  let outgoing: ClientRequest | undefined;
  const broke = (error: unknown): void => {
    outgoing?.destroy();
    if (response.headersSent) response.destroy();
    else forbid(response, 502, messageOf(error));
  };
  try {
    const method = request.method ?? 'GET';
    const headers: Headers = { ...passedOn(request.headers), host: target.host };
    // A body is announced as it was announced to us; without either there is none.
    if (request.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
    else if (method !== 'GET' && method !== 'HEAD') headers['content-length'] ??= '0';
    outgoing = httpRequest(target, { method, headers, agent: false, timeout: 0 }, (answer) => {
      answer.on('error', () => response.destroy());
      try {
        response.writeHead(answer.statusCode ?? 502, passedOn(answer.headers));
        response.flushHeaders();
      } catch (error) {
        return broke(error);
      }
      answer.pipe(response);
    });
    outgoing.once('error', broke);
    outgoing.once('upgrade', (_answer, socket) => {
      socket.destroy();
      broke(new Error('the other side speaks another protocol than it was asked for'));
    });
    request.on('error', () => outgoing?.destroy());
    response.once('close', () => outgoing?.destroy());
    request.pipe(outgoing);
  } catch (error) {
    broke(error);
  }
}
