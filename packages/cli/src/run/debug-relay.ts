/**
 * Stands between a plugin under development and the debugging port of a Dify: plugins come and go behind it while the
 * connection stays (docs/wire/runtime-protocol.md#debugging-connection). A plugin that registers the same declarations takes over without
 * Dify noticing; with other declarations the connection is made anew. Calls are seen as they pass.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { isObject } from '@plugin-daemon/values';
import { CliError } from '../errors.ts';
import { linesOf } from './protocol.ts';

export interface RelayEvents {
  /** State of the connection to Dify. */
  state(text: string, ok: boolean): void;
  call(
    event: 'start' | 'end' | 'error',
    call: { session: string; type: string; action: string; milliseconds: number; message?: string },
  ): void;
  /** A plugin finished its registration and gets all new calls. */
  registered(): void;
}

interface Attached {
  socket: Socket;
  /** Lines of its registration, in order. */
  registration: string[];
  ready: boolean;
}

interface OpenCall {
  plugin: Attached;
  type: string;
  action: string;
  startedAt: number;
}

const MAX_LINE = 64 * 1024 * 1024;
const RETRY_MS = [1000, 2000, 5000, 10_000];
const MAX_WAITING = 1000;
const STABLE_MS = 5000;

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export class DebugRelay {
  readonly #target: { host: string; port: number };
  readonly #key: string;
  readonly #events: RelayEvents;
  readonly #server: Server;
  readonly #plugins = new Set<Attached>();
  readonly #calls = new Map<string, OpenCall>();
  /** Requests that arrived while no plugin was there. */
  #waiting: string[] = [];
  #active: Attached | undefined;
  /** Set while connected. */
  #dify: Socket | undefined;
  /** The socket that counts, connecting or connected; others are on their way out. */
  #current: Socket | undefined;
  #sent = '';
  #attempts = 0;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(target: { host: string; port: number }, key: string, events: RelayEvents) {
    this.#target = target;
    this.#key = key;
    this.#events = events;
    this.#server = createServer((socket) => this.#attach(socket));
  }

  /** @returns the port plugins connect to, on the loopback address */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    const address = this.#server.address();
    if (address === null || typeof address === 'string')
      throw new CliError('listen', 'no local port for the debugging relay');
    return address.port;
  }

  /** Calls still running on plugins that are no longer the active one. */
  get callsOnOthers(): number {
    return [...this.#calls.values()].filter((call) => call.plugin !== this.#active).length;
  }

  #attach(socket: Socket): void {
    const plugin: Attached = { socket, registration: [], ready: false };
    this.#plugins.add(plugin);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#detach(plugin));
    void this.#readPlugin(plugin).catch(() => socket.destroy());
  }

  async #readPlugin(plugin: Attached): Promise<void> {
    for await (const line of linesOf(plugin.socket, MAX_LINE)) {
      if (line === undefined || line === '') continue;
      if (!plugin.ready) this.#register(plugin, line);
      else this.#fromPlugin(line);
    }
  }

  #register(plugin: Attached, line: string): void {
    const message = parse(line);
    if (message?.type === 'handshake') {
      plugin.registration.push(JSON.stringify({ type: 'handshake', data: { key: this.#key } }));
      return;
    }
    plugin.registration.push(line);
    if (message?.type !== 'end') return;
    plugin.ready = true;
    this.#active = plugin;
    const registration = `${plugin.registration.join('\n')}\n`;
    if (this.#dify === undefined || this.#sent !== registration) this.#connect();
    else this.#events.state('took over, the connection stayed', true);
    for (const waiting of this.#waiting.splice(0)) this.#deliver(waiting);
    this.#events.registered();
  }

  #detach(plugin: Attached): void {
    this.#plugins.delete(plugin);
    if (this.#active === plugin) this.#active = [...this.#plugins].findLast((other) => other.ready);
    for (const [session, call] of this.#calls) {
      if (call.plugin !== plugin) continue;
      const event = (data: unknown): string => `${JSON.stringify({ event: 'session', session_id: session, data })}\n`;
      this.#dify?.write(
        event({
          type: 'error',
          data: { error_type: 'PluginExitError', message: 'the plugin was restarted during the call', args: {} },
        }),
      );
      this.#dify?.write(event({ type: 'end', data: {} }));
      this.#finish(session, 'the plugin was restarted during the call');
    }
  }

  #fromPlugin(line: string): void {
    const message = parse(line);
    if (message?.event === 'session' && typeof message.session_id === 'string' && isObject(message.data)) {
      const { type, data } = message.data;
      if (type === 'error')
        this.#events.call('error', {
          ...this.#describe(message.session_id),
          message: isObject(data) ? `${String(data.error_type)}: ${String(data.message)}` : String(data),
        });
      if (type === 'end') this.#finish(message.session_id);
    }
    this.#dify?.write(`${line}\n`);
  }

  #describe(session: string): { session: string; type: string; action: string; milliseconds: number } {
    const call = this.#calls.get(session);
    return {
      session,
      type: call?.type ?? '',
      action: call?.action ?? '',
      milliseconds: call === undefined ? 0 : Math.round(performance.now() - call.startedAt),
    };
  }

  #finish(session: string, message?: string): void {
    if (!this.#calls.has(session)) return;
    this.#events.call('end', { ...this.#describe(session), ...(message === undefined ? {} : { message }) });
    this.#calls.delete(session);
  }

  #deliver(line: string): void {
    const message = parse(line);
    const session = typeof message?.session_id === 'string' ? message.session_id : '';
    if (message?.event === 'request') {
      const plugin = this.#active;
      if (plugin === undefined) {
        if (this.#waiting.length < MAX_WAITING) this.#waiting.push(line);
        return;
      }
      const data = isObject(message.data) ? message.data : {};
      this.#calls.set(session, {
        plugin,
        type: String(data.type ?? ''),
        action: String(data.action ?? ''),
        startedAt: performance.now(),
      });
      this.#events.call('start', this.#describe(session));
    }
    const target = this.#calls.get(session)?.plugin ?? this.#active;
    target?.socket.write(`${line}\n`);
    // Nobody waits for it any more, and a call that was ended says nothing.
    if (message?.event === 'cancel') this.#finish(session, 'the caller left');
  }

  #connect(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const plugin = this.#active;
    if (this.#closed || plugin === undefined) return;
    const old = this.#current;
    this.#dify = undefined;
    this.#current = undefined;
    old?.destroy();
    const { host, port } = this.#target;
    const socket = connect({ host, port, keepAlive: true, noDelay: true });
    const registration = `${plugin.registration.join('\n')}\n`;
    this.#current = socket;
    let connectedAt: number | undefined;
    socket.on('connect', () => {
      connectedAt = performance.now();
      this.#dify = socket;
      this.#sent = registration;
      socket.write(registration);
      this.#events.state(`connected to ${host}:${port}`, true);
    });
    socket.on('error', (error) => {
      if (this.#current === socket) this.#events.state(`${host}:${port}: ${error.message}`, false);
      socket.destroy();
    });
    socket.on('close', () => {
      if (this.#current !== socket) return;
      if (this.#dify === socket) this.#events.state(`the connection to ${host}:${port} was closed`, false);
      this.#dify = undefined;
      this.#sent = '';
      // A refusal closes at once: only a connection that held counts as a success.
      if (connectedAt !== undefined && performance.now() - connectedAt > STABLE_MS) this.#attempts = 0;
      if (this.#closed || this.#retry !== undefined) return;
      const pause = RETRY_MS[Math.min(this.#attempts++, RETRY_MS.length - 1)] ?? 10_000;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#connect();
      }, pause);
    });
    void this.#readDify(socket).catch(() => socket.destroy());
  }

  async #readDify(socket: Socket): Promise<void> {
    for await (const line of linesOf(socket, MAX_LINE)) {
      if (line === undefined || line === '') continue;
      // Refusals come as plain text, before the connection is closed.
      if (parse(line) === undefined) this.#events.state(line, false);
      else this.#deliver(line);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#current?.destroy();
    for (const plugin of this.#plugins) plugin.socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
