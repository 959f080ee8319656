import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { PluginBudgets } from '@plugin-daemon/plugin-host/runtimes';
import { messageOf } from '@plugin-daemon/values';
import type { Database } from '../../database/index.ts';
import type { Log } from '../../telemetry/index.ts';
import { Admission } from './admission.ts';
import { type ConnectionLimits, DebuggingConnection } from './connection.ts';
import type { DebuggingRuntime } from './debugging-runtime.ts';
import { DebuggedInstallations, removeAbandoned } from './installations.ts';
import type { DebuggingKeys } from './keys.ts';
import { Refusal, refusalLine, refusals } from './refusal.ts';
import type { DebuggingRuntimes } from './runtimes.ts';

export interface DebuggingServerOptions {
  /** PLUGIN_REMOTE_INSTALLING_HOST. */
  readonly host: string;
  /** PLUGIN_REMOTE_INSTALLING_PORT; 0 takes a free one. */
  readonly port: number;
  /** PLUGIN_REMOTE_INSTALLING_MAX_CONN: registered connections in all. */
  readonly maxConnections: number;
  /** PLUGIN_REMOTE_INSTALLING_MAX_SINGLE_TENANT_CONN; 0 sets no limit. */
  readonly maxConnectionsOfTenant: number;
  /** PLUGIN_MAX_MESSAGE_BYTES. */
  readonly maxMessageBytes: number;
  /** What the plugins' channels may hold together. */
  readonly budgets?: PluginBudgets;
  /** The server key is one that public compose files print: then nobody outside this machine is let in. */
  readonly serverKeyIsPublished: boolean;
  readonly keys: DebuggingKeys;
  readonly runtimes: DebuggingRuntimes;
  readonly database: Pick<Database, 'installations' | 'lifecycle' | 'debuggingLeases'>;
  /** This process, for the installations it serves. */
  readonly nodeId: string;
  /** Keeps an icon under its asset id. */
  readonly storeMedia: (assetId: string, content: Uint8Array) => Promise<void>;
  readonly log: Log;
  /** For tests: other times and sizes. */
  readonly limits?: Partial<ConnectionLimits & ServerLimits>;
}

interface ServerLimits {
  readonly unregisteredPerAddress: number;
  readonly unregistered: number;
  readonly failuresPerMinute: number;
  /** Bytes that all registrations under way may hold together. */
  readonly registrationsBytes: number;
  readonly renewMs: number;
  /** How long the rows of a node that died are believed. */
  readonly leaseMs: number;
}

const MIB = 1024 * 1024;
const defaults: Omit<ConnectionLimits, 'maxMessageBytes'> & ServerLimits = {
  handshakeMs: 10_000,
  silenceMs: 60_000,
  handshakeBytes: 4096,
  lineBytes: 16 * MIB,
  registrationBytes: 96 * MIB,
  unregisteredPerAddress: 64,
  unregistered: 512,
  failuresPerMinute: 120,
  registrationsBytes: 256 * MIB,
  renewMs: 10 * 60_000,
  leaseMs: 30_000,
};

/** The TCP server of the debugging runtime. */
export class DebuggingServer {
  readonly #options: DebuggingServerOptions;
  readonly #limits: typeof defaults & ConnectionLimits;
  readonly #admission: Admission;
  readonly #installations: DebuggedInstallations;
  readonly #connections = new Set<DebuggingConnection>();
  readonly #server: Server;
  #registrationsBytes = 0;
  #renewal: NodeJS.Timeout | undefined;
  #tending: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: DebuggingServerOptions) {
    this.#options = options;
    this.#limits = { ...defaults, maxMessageBytes: options.maxMessageBytes, ...options.limits };
    this.#admission = new Admission(this.#limits);
    this.#installations = new DebuggedInstallations({ ...options, leaseMs: this.#limits.leaseMs });
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000, allowHalfOpen: true },
      (socket) => this.#accept(socket),
    );
    // Beyond this the operating system's queue waits; the rest of the daemon needs descriptors too.
    this.#server.maxConnections = options.maxConnections + this.#limits.unregistered + 64;
  }

  /**
   * Removes what an earlier run left behind and starts listening.
   * @throws DaemonError when the address cannot be bound, or must not be with a key that everybody knows
   */
  async start(): Promise<AddressInfo> {
    const { host, port, serverKeyIsPublished } = this.#options;
    if (serverKeyIsPublished && !isLoopback(host)) {
      throw new DaemonError(
        'internal',
        `the debugging server would listen on ${host} although SERVER_KEY is a default key that public compose files print`,
        {
          remedy:
            'Generate a SERVER_KEY of your own (openssl rand -base64 42), or set PLUGIN_REMOTE_INSTALLING_HOST=127.0.0.1, or PLUGIN_REMOTE_INSTALLING_ENABLED=false',
        },
      );
    }
    await removeAbandoned(this.#options);
    this.#server.listen(port, host);
    try {
      await once(this.#server, 'listening');
    } catch (error) {
      throw new DaemonError('internal', `the debugging server cannot listen on ${host}:${port}: ${messageOf(error)}`, {
        cause: error,
        remedy:
          'Free the port, or choose another with PLUGIN_REMOTE_INSTALLING_PORT, or set PLUGIN_REMOTE_INSTALLING_ENABLED=false',
      });
    }
    this.#server.on('error', (error) => this.#options.log.error({ error }, 'debugging server'));
    this.#renewal = setInterval(() => void this.#renewKeys(), this.#limits.renewMs);
    this.#renewal.unref();
    this.#tending = setInterval(() => void this.#tendInstallations(), this.#limits.leaseMs / 3);
    this.#tending.unref();
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the debugging server has no address');
    return address;
  }

  /** Stops listening, ends every connection with its sessions, and waits until their rows are put right. */
  async close(): Promise<void> {
    this.#closing = true;
    clearInterval(this.#renewal);
    clearInterval(this.#tending);
    const closed = this.#server.listening ? once(this.#server, 'close') : undefined;
    this.#server.close();
    await Promise.all([...this.#connections].map((connection) => connection.destroy()));
    this.#options.runtimes.stopWaiting();
    await closed;
    await this.#installations.settled();
  }

  #accept(socket: Socket): void {
    const address = socket.remoteAddress ?? '';
    const leave = this.#closing ? undefined : this.#admission.enter(address);
    if (leave === undefined) {
      socket.on('error', () => socket.destroy());
      socket.end(refusalLine(refusals.busy), () => socket.destroy());
      return;
    }
    const { keys, runtimes, log } = this.#options;
    const connection = new DebuggingConnection(socket, {
      limits: this.#limits,
      budgets: this.#options.budgets,
      log,
      tenantOf: (key) => keys.tenantOf(key),
      reserve: (bytes) => {
        this.#registrationsBytes += bytes;
        if (this.#registrationsBytes <= this.#limits.registrationsBytes) return true;
        this.#registrationsBytes -= bytes;
        return false;
      },
      release: (bytes) => {
        this.#registrationsBytes -= bytes;
      },
      admit: (tenantId) => this.#admit(tenantId),
      handshakeFailed: () => this.#admission.failed(address),
      storeMedia: async ({ media }) => {
        for (const [id, content] of media) await this.#options.storeMedia(id, content);
      },
      connected: (runtime) => {
        leave();
        runtimes.add(runtime);
        return this.#install(runtime);
      },
      disconnected: (runtime) => {
        runtimes.remove(runtime);
        log.info({ tenant_id: runtime.tenantId, plugin: runtime.identifier }, 'debugging plugin disconnected');
        void this.#settleAfter(runtime);
      },
      closed: () => {
        leave();
        this.#connections.delete(connection);
      },
    });
    this.#connections.add(connection);
  }

  #admit(tenantId: string): void {
    const { runtimes, maxConnections, maxConnectionsOfTenant } = this.#options;
    const full =
      runtimes.size >= maxConnections ||
      (maxConnectionsOfTenant > 0 && runtimes.countOf(tenantId) >= maxConnectionsOfTenant);
    if (full) throw new Refusal(refusals.busy);
  }

  async #install(runtime: DebuggingRuntime): Promise<void> {
    try {
      await this.#installations.settle(runtime.tenantId, runtime.pluginId);
    } catch (error) {
      throw new Refusal(`the plugin could not be installed: ${messageOf(error)}`);
    }
  }

  /** Never rejects: nobody is left to be told. */
  async #settleAfter({ tenantId, pluginId, identifier }: DebuggingRuntime): Promise<void> {
    try {
      await this.#installations.settle(tenantId, pluginId);
    } catch (error) {
      this.#options.log.error(
        { tenant_id: tenantId, plugin: identifier, error },
        'the row of a debugged plugin could not be removed; the next start does it',
      );
    }
  }

  /** Never rejects. */
  async #tendInstallations(): Promise<void> {
    try {
      await this.#installations.renewLeases();
    } catch (error) {
      this.#options.log.warn({ error }, 'the installations of debugged plugins could not be kept up');
    }
  }

  async #renewKeys(): Promise<void> {
    const { keys, runtimes, log } = this.#options;
    for (const tenantId of runtimes.tenants()) {
      try {
        await keys.renew(tenantId);
      } catch (error) {
        log.warn({ tenant_id: tenantId, error }, 'a debugging key could not be prolonged');
      }
    }
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
