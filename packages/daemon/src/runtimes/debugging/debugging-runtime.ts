import type { Socket } from 'node:net';
import { sessionError } from '@plugin-daemon/plugin-host/errors';
import type { PluginBudgets, PluginRuntime, RuntimeSession, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { PluginChannel } from '@plugin-daemon/plugin-host/runtimes/protocol';
import type { StoredDeclaration } from '../../database/index.ts';
import type { Log } from '../../telemetry/index.ts';
import type { RegisteredPlugin } from './registration.ts';

export interface DebuggingRuntimeOptions {
  readonly socket: Socket;
  readonly tenantId: string;
  readonly plugin: RegisteredPlugin;
  readonly maxMessageBytes: number;
  /** Absent: one message is the only limit. Debugging plugins of one tenant share what one plugin may hold. */
  readonly budgets?: PluginBudgets | undefined;
  readonly log: Log;
}

/** A plugin behind one debugging connection. It lives exactly as long as the connection, which alone ends it. */
export class DebuggingRuntime implements PluginRuntime {
  readonly type = 'remote';
  readonly tenantId: string;
  readonly pluginId: string;
  readonly identifier: string;
  readonly declaration: StoredDeclaration;
  readonly #channel: PluginChannel;
  #closed = false;

  constructor({ socket, tenantId, plugin, maxMessageBytes, budgets, log }: DebuggingRuntimeOptions) {
    this.tenantId = tenantId;
    this.pluginId = plugin.pluginId;
    this.identifier = plugin.identifier;
    this.declaration = plugin.declaration;
    this.#channel = new PluginChannel({
      output: socket,
      maxMessageBytes,
      budgets,
      owner: `tenant ${tenantId}`,
      log,
      fields: { plugin: plugin.identifier, tenant_id: tenantId },
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#channel.sessions;
  }

  open(sessionId: string, sink: SessionSink): RuntimeSession {
    if (this.#closed) throw new Error('the debugging connection is closed');
    return this.#channel.open(sessionId, sink);
  }

  /** Bytes from the connection. */
  push(bytes: Buffer): void {
    this.#channel.push(bytes);
  }

  /** The connection is gone: every open session ends at once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.fail(sessionError('ConnectionClosedError', 'Connection closed unexpectedly', {}));
  }
}
