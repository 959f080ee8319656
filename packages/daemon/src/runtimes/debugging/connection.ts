import type { Socket } from 'node:net';
import { toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import { readFairly } from '@plugin-daemon/plugin-host/runtimes/protocol';
import type { Log } from '../../telemetry/index.ts';
import { DebuggingRuntime } from './debugging-runtime.ts';
import { LineSplitter } from './line-splitter.ts';
import { Refusal, refusalLine, refusals } from './refusal.ts';
import { handshakeKey, parseMessage, type RegisteredPlugin, Registration } from './registration.ts';

/** Times in ms, sizes in bytes. */
export interface ConnectionLimits {
  /** From the connection to a good handshake. */
  readonly handshakeMs: number;
  /** Longest silence, before and after the registration. */
  readonly silenceMs: number;
  /** The handshake line. */
  readonly handshakeBytes: number;
  /** One line of the registration. */
  readonly lineBytes: number;
  /** The whole registration. */
  readonly registrationBytes: number;
  readonly maxMessageBytes: number;
}

/** What a connection asks of its server. */
export interface ConnectionHost {
  readonly limits: ConnectionLimits;
  readonly budgets: PluginBudgets | undefined;
  readonly log: Log;
  /** Whose key it is; undefined for nobody's. */
  tenantOf(key: string): Promise<string | undefined>;
  /** Takes room for bytes of a registration. @returns false when all registrations together have none left */
  reserve(bytes: number): boolean;
  /** Gives that room back. */
  release(bytes: number): void;
  /** @throws Refusal when the tenant, or the server, has enough connections */
  admit(tenantId: string): void;
  handshakeFailed(): void;
  /** Makes icons available before anybody is told of them. */
  storeMedia(plugin: RegisteredPlugin): Promise<void>;
  /** Makes the plugin reachable; rejects when it cannot be installed. */
  connected(runtime: DebuggingRuntime): Promise<void>;
  /** A registered plugin is no longer to be used. Called once for each that connected. */
  disconnected(runtime: DebuggingRuntime): void;
  /** The socket is closed. Called once. */
  closed(): void;
}

/** How long a refused client may take to read why, in ms. */
const farewellMs = 1_000;
/** Messages of one registration; the SDK needs some 6,400 for 50 MB. */
const maxMessages = 100_000;

/**
 * One debugging connection: handshake, registration, then the line protocol until it closes (docs/wire/runtime-protocol.md#registration).
 * Nothing but a handshake is heard before a good key (docs/wire/runtime-protocol.md#debugging-connection); everything before the
 * registration is bounded in size and time.
 */
export class DebuggingConnection {
  readonly #socket: Socket;
  readonly #host: ConnectionHost;
  readonly #splitter = new LineSplitter();
  readonly #silence: NodeJS.Timeout;
  readonly #handshake: NodeJS.Timeout;
  readonly #closed = Promise.withResolvers<void>();
  #registration: Registration | undefined;
  #tenantId = '';
  #runtime: DebuggingRuntime | undefined;
  #received = 0;
  #reserved = 0;
  #messages = 0;
  #reading = false;
  #refused = false;

  constructor(socket: Socket, host: ConnectionHost) {
    this.#socket = socket;
    this.#host = host;
    const { handshakeMs, silenceMs } = host.limits;
    this.#handshake = setTimeout(() => socket.destroy(), handshakeMs);
    this.#silence = setTimeout(() => this.#fellSilent(), silenceMs);
    readFairly(socket, (bytes) => {
      try {
        this.#onData(bytes);
      } catch (error) {
        this.#failed(error);
      }
    });
    // The reason is of no use to anybody; what matters is that it is over.
    socket.on('error', () => socket.destroy());
    socket.on('end', () => this.#onEnd());
    socket.once('close', () => this.#onClose());
  }

  /** Ends the connection from our side; `text` is the developer's line. */
  refuse(text: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#stopUse();
    this.#host.log.info(
      { tenant_id: this.#tenantId || undefined, peer: this.#socket.remoteAddress, reason: text },
      'debugging connection refused',
    );
    const socket = this.#socket;
    socket.end(refusalLine(text));
    // What still comes is thrown away, so that the line is not lost to a reset.
    socket.resume();
    const farewell = setTimeout(() => socket.destroy(), farewellMs);
    socket.once('close', () => clearTimeout(farewell));
  }

  /** Closes the connection; resolves when that is done and said. */
  async destroy(): Promise<void> {
    this.#socket.destroy();
    await this.#closed.promise;
  }

  #onData(bytes: Buffer): void {
    if (this.#refused) return;
    this.#silence.refresh();
    if (this.#runtime !== undefined) return this.#runtime.push(bytes);
    this.#received += bytes.length;
    if (!this.#host.reserve(bytes.length)) return this.refuse(refusals.busy);
    this.#reserved += bytes.length;
    this.#splitter.push(bytes);
    if (!this.#reading) void this.#read();
  }

  /** Reads lines while there are any. Never rejects: what goes wrong is told to the developer. */
  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#runtime === undefined && !this.#refused) {
        const line = this.#splitter.next();
        this.#checkSizes(line);
        if (line === undefined) break;
        await this.#line(line);
      }
    } catch (error) {
      if (error instanceof Refusal) this.refuse(error.message);
      else this.#failed(error);
    } finally {
      this.#reading = false;
    }
  }

  /** Whatever broke, it ends this connection and nothing else. */
  #failed(error: unknown): void {
    this.#host.log.error({ tenant_id: this.#tenantId || undefined, error }, 'a debugging connection failed');
    this.refuse(`the daemon failed: ${toDaemonError(error).wireMessage}`);
  }

  #checkSizes(line: Buffer | undefined): void {
    const { handshakeBytes, lineBytes, registrationBytes } = this.#host.limits;
    const size = line?.length ?? this.#splitter.begunBytes;
    if (this.#registration === undefined) {
      if (size > handshakeBytes) throw new Refusal(refusals.badMessage);
    } else if (size > lineBytes || this.#received > registrationBytes || ++this.#messages > maxMessages) {
      throw new Refusal(
        `registration too large, at most ${registrationBytes} bytes in ${maxMessages} messages of ${lineBytes} bytes`,
      );
    }
  }

  async #line(line: Buffer): Promise<void> {
    let message: ReturnType<typeof parseMessage>;
    try {
      message = parseMessage(line);
    } catch (error) {
      if (this.#registration === undefined) this.#host.handshakeFailed();
      throw error;
    }
    if (message === 'blank' || message === 'event') return;
    if (this.#registration === undefined) return this.#shakeHands(message);
    const plugin = this.#registration.accept(message);
    if (plugin !== undefined) await this.#begin(plugin);
  }

  async #shakeHands(message: { readonly type: string; readonly data: unknown }): Promise<void> {
    const host = this.#host;
    let tenantId: string | undefined;
    try {
      const key = handshakeKey(message);
      tenantId = await this.#paused(() => host.tenantOf(key));
      if (tenantId === undefined) throw new Refusal(refusals.badKey);
    } catch (error) {
      if (!(error instanceof Refusal))
        throw new Refusal(`failed to get connection info: ${toDaemonError(error).wireMessage}`);
      host.handshakeFailed();
      throw error;
    }
    host.admit(tenantId);
    clearTimeout(this.#handshake);
    this.#tenantId = tenantId;
    this.#registration = new Registration(tenantId);
  }

  async #begin(plugin: RegisteredPlugin): Promise<void> {
    const { limits, log } = this.#host;
    this.#host.admit(this.#tenantId);
    await this.#paused(() => this.#host.storeMedia(plugin));
    if (this.#refused || this.#socket.destroyed) return;
    const runtime = new DebuggingRuntime({
      socket: this.#socket,
      tenantId: this.#tenantId,
      plugin,
      maxMessageBytes: limits.maxMessageBytes,
      budgets: this.#host.budgets,
      log,
    });
    this.#runtime = runtime;
    this.#giveBack();
    const connected = this.#host.connected(runtime);
    const rest = this.#splitter.rest();
    if (rest.length > 0) runtime.push(rest);
    await connected;
    log.info({ tenant_id: this.#tenantId, plugin: plugin.identifier }, 'debugging plugin connected');
  }

  /** While the daemon is busy with a connection nothing is read from it, so nothing can pile up. */
  async #paused<T>(run: () => Promise<T>): Promise<T> {
    this.#socket.pause();
    try {
      return await run();
    } finally {
      this.#socket.resume();
    }
  }

  #fellSilent(): void {
    this.#host.log.info(
      {
        tenant_id: this.#tenantId || undefined,
        plugin: this.#runtime?.identifier,
        silent_ms: this.#host.limits.silenceMs,
      },
      'debugging connection fell silent and was closed',
    );
    this.#socket.destroy();
  }

  /** The plugin will say nothing more. What it was told to read may still be on its way if it never registered. */
  #onEnd(): void {
    if (this.#runtime === undefined) this.#socket.end();
    else this.#socket.destroy();
  }

  #onClose(): void {
    this.#refused = true;
    this.#stopUse();
    this.#host.closed();
    this.#closed.resolve();
  }

  #stopUse(): void {
    clearTimeout(this.#handshake);
    clearTimeout(this.#silence);
    this.#giveBack();
    if (this.#runtime === undefined || this.#runtime.closed) return;
    this.#runtime.close();
    this.#host.disconnected(this.#runtime);
  }

  #giveBack(): void {
    this.#host.release(this.#reserved);
    this.#reserved = 0;
  }
}
