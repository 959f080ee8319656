import type { Writable } from 'node:stream';
import type { SessionError } from '../../errors/index.ts';
import type { Log } from '../../log/index.ts';
import type { PluginBudgets } from '../plugin-budgets.ts';
import type { RuntimeSession, SessionSink } from '../runtime.ts';
import { Cancellation, type CancellationOptions } from './cancellation.ts';
import { LineChannel } from './line-channel.ts';
import { LineWriter } from './line-writer.ts';
import { cancelLine, endedSessionLines } from './outgoing.ts';
import { PluginOutput } from './plugin-output.ts';

export interface PluginChannelOptions {
  /** Where the plugin reads. */
  readonly output: Writable;
  readonly maxMessageBytes: number;
  /** Default: the daemon's setting. */
  readonly maxMessageSetting?: string | undefined;
  /** Absent: one message is the only limit. */
  readonly budgets?: PluginBudgets | undefined;
  /** Whose share of the budgets it is. */
  readonly owner: string;
  readonly log: Log;
  /** Of what the plugin says for the log. */
  readonly logLinesPerSecond?: number | undefined;
  /** What lines of the log say of the plugin. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly onHeartbeat?: () => void;
  /** Absent: nobody looks after calls that were cancelled. */
  readonly cancellation?: CancellationOptions | undefined;
  /** A session is over. */
  readonly onClosed?: () => void;
}

/**
 * A plugin at the other end of two streams of bytes, whatever carries them: sessions, their lines in both directions, and what the plugin
 * says for the log. Owned by a runtime, which feeds it what it reads and fails it when the plugin is gone.
 */
export class PluginChannel {
  readonly #lines: LineChannel;
  readonly #writer: LineWriter;
  readonly #said: PluginOutput;
  /** For each open session, the number of bytes that were written when its request had been. */
  readonly #asked = new Map<string, number>();
  readonly #options: PluginChannelOptions;
  readonly #cancellation: Cancellation | undefined;

  constructor(options: PluginChannelOptions) {
    const { output, budgets, owner, log, fields, maxMessageBytes } = options;
    this.#options = options;
    const said = new PluginOutput(log, fields, options.logLinesPerSecond);
    this.#said = said;
    const cancellation = options.cancellation && new Cancellation(options.cancellation);
    this.#cancellation = cancellation;
    this.#writer = new LineWriter(output, budgets?.input.room(owner));
    this.#lines = new LineChannel({
      maxMessageBytes,
      maxMessageSetting: options.maxMessageSetting ?? 'PLUGIN_MAX_MESSAGE_BYTES',
      ...(budgets && { room: budgets.unfinishedLines.room(owner) }),
      events: {
        heartbeat: () => options.onHeartbeat?.(),
        closed: (id) => {
          this.#asked.delete(id);
          options.onClosed?.();
        },
        log: (level, message) => said.event(level, message),
        addition: (about) => cancellation?.hear(about),
        pluginError: (data) => said.error(data),
        stray: (text) => said.stdout(text),
        fault: (error) => said.fault(error),
        lateInvoke: (sessionId, id) => {
          if (this.#writer.isBehind) return;
          for (const line of endedSessionLines(sessionId, id)) this.#tell(line);
        },
      },
    });
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#lines.sessions;
  }

  /** Whether a cancelled call ends inside the plugin; undefined where it has not said so. */
  get cancels(): boolean | undefined {
    return this.#cancellation?.possible;
  }

  /** Settles when no session is open; at once if none is. */
  idle(): Promise<void> {
    return this.#lines.idle();
  }

  open(sessionId: string, sink: SessionSink): RuntimeSession {
    this.#lines.open(sessionId, sink);
    return {
      send: (line) => {
        const taken = this.#writer.send(line);
        // The request is what a session sends first.
        if (!this.#asked.has(sessionId)) this.#asked.set(sessionId, this.#writer.written);
        return taken;
      },
      close: () => void this.#lines.close(sessionId),
      cancel: () => {
        if (!this.#lines.close(sessionId)) return;
        this.#tell(cancelLine(sessionId));
        this.#cancellation?.begin(sessionId);
      },
    };
  }

  /** Bytes that the plugin wrote. */
  push(bytes: Buffer): void {
    this.#lines.push(bytes);
  }

  /** A line that the plugin wrote beside the protocol. */
  stderr(line: string): void {
    this.#said.stderr(line);
  }

  /**
   * The plugin is gone: every open session ends at once.
   * @param unreadBytes of all that was written to it, how many it never read; undefined if nobody knows
   */
  fail(error: SessionError, unreadBytes?: number): void {
    this.#cancellation?.stop();
    const readBytes = unreadBytes === undefined ? Number.POSITIVE_INFINITY : this.#writer.written - unreadBytes;
    // Whoever has not got the end of a line cannot have begun with it.
    this.#lines.fail(error, (id) => (this.#asked.get(id) ?? 0) > readBytes);
  }

  /** Best effort: if the plugin is gone, so is the need. */
  #tell(line: string): void {
    try {
      void this.#writer.send(line);
    } catch (error) {
      this.#options.log.debug({ ...this.#options.fields, error }, 'plugin could not be told');
    }
  }
}
