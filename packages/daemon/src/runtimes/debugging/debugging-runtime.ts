import type { Socket } from 'node:net';
import type { StoredDeclaration } from '../../database/index.ts';
import { sessionError } from '../../errors/index.ts';
import type { Log } from '../../telemetry/index.ts';
import type { PluginBudgets } from '../plugin-budgets.ts';
import { cancelLine, endedSessionLines, LineChannel, LineWriter, PluginOutput } from '../protocol/index.ts';
import type { PluginRuntime, RuntimeSession, SessionSink } from '../runtime.ts';
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
  readonly #channel: LineChannel;
  readonly #writer: LineWriter;
  readonly #log: Log;
  #closed = false;

  constructor({ socket, tenantId, plugin, maxMessageBytes, budgets, log }: DebuggingRuntimeOptions) {
    this.tenantId = tenantId;
    this.pluginId = plugin.pluginId;
    this.identifier = plugin.identifier;
    this.declaration = plugin.declaration;
    this.#log = log;
    this.#writer = new LineWriter(socket, budgets?.input.room(`tenant ${tenantId}`));
    const output = new PluginOutput(log, { plugin: plugin.identifier, tenant_id: tenantId });
    this.#channel = new LineChannel({
      maxMessageBytes,
      maxMessageSetting: 'PLUGIN_MAX_MESSAGE_BYTES',
      ...(budgets && { room: budgets.unfinishedLines.room(`tenant ${tenantId}`) }),
      events: {
        heartbeat: () => undefined,
        log: (level, message) => output.event(level, message),
        pluginError: (data) => output.error(data),
        stray: (text) => output.stdout(text),
        fault: (error) => output.fault(error),
        lateInvoke: (sessionId, id) => {
          if (this.#writer.isBehind) return;
          for (const line of endedSessionLines(sessionId, id)) this.#tell(line);
        },
      },
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
    this.#channel.open(sessionId, sink);
    return {
      send: (line) => this.#writer.send(line),
      close: () => void this.#channel.close(sessionId),
      cancel: () => {
        if (this.#channel.close(sessionId)) this.#tell(cancelLine(sessionId));
      },
    };
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

  /** Best effort: if the plugin is gone, so is the need. */
  #tell(line: string): void {
    try {
      void this.#writer.send(line);
    } catch (error) {
      this.#log.debug({ plugin: this.identifier, error }, 'a debugging plugin could not be told');
    }
  }
}
