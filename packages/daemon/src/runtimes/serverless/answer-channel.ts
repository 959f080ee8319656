import type { Room } from '@plugin-daemon/plugin-host/budget';
import { type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import type { SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { LineChannel, type PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { type Headers, innerError, reportIn, runtimeFailure } from './function-failure.ts';

export interface AnswerChannelOptions {
  readonly sessionId: string;
  readonly sink: SessionSink;
  readonly status: number;
  readonly headers: Headers;
  readonly maxMessageBytes: number;
  readonly room: Room | undefined;
  readonly said: PluginOutput;
  /** The session is over by what the function said, or did not say. Called once. */
  readonly onOver: () => void;
}

/**
 * The body of a good answer of a function: the lines that plugins write, of one session alone (docs/wire/runtime-protocol.md#functions).
 * What is no message is logged, as from any plugin, except for what says that the function has failed.
 */
export class AnswerChannel implements SessionSink {
  readonly #options: AnswerChannelOptions;
  readonly #lines: LineChannel;
  #heard = false;
  /** Bytes since the last message. */
  #unsaid = 0;
  #over = false;

  constructor(options: AnswerChannelOptions) {
    this.#options = options;
    const { said, sessionId, maxMessageBytes, room } = options;
    this.#lines = new LineChannel({
      maxMessageBytes,
      maxMessageSetting: 'PLUGIN_MAX_MESSAGE_BYTES',
      ...(room && { room }),
      events: {
        heartbeat: () => this.#sign(),
        log: (level, message) => {
          this.#sign();
          said.event(level, message);
        },
        pluginError: (data) => this.#fail(innerError(`encountered an error: ${data}`)),
        stray: (text) => this.#stray(text),
        fault: (error) => said.fault(error),
        // It calls back by a way of its own, where it is refused.
        lateInvoke: () => undefined,
      },
    });
    this.#lines.open(sessionId, this);
  }

  push(bytes: Buffer): void {
    if (this.#over) return;
    this.#unsaid += bytes.length;
    this.#lines.push(bytes);
    const { maxMessageBytes } = this.#options;
    if (this.#unsaid > NOISE * maxMessageBytes) this.#fail(noise(maxMessageBytes));
  }

  /** The body has ended; its last line needs no end of its own. */
  ended(): void {
    if (this.#over) return;
    this.#lines.push(LINE_END);
    if (this.#over) return;
    const { status, headers } = this.#options;
    this.#fail(
      this.#heard
        ? sessionError(
            'PluginRuntimeError',
            'Plugin runtime request failed: the response ended before its end message; the function was stopped, or its time limit is too short',
            { status_code: status },
          )
        : runtimeFailure({ status, headers, report: undefined, otherwise: 'no valid session response' }),
    );
  }

  /** The body broke off, or cannot be read. */
  broke(reason: string): void {
    this.#fail(innerError(`failed to read response body: ${reason}`));
  }

  /** Nobody listens any more. */
  close(): void {
    this.#over = true;
    this.#lines.close(this.#options.sessionId);
    this.#options.room?.release();
  }

  chunk(json: string): boolean {
    this.#heard = true;
    this.#unsaid = 0;
    return this.#options.sink.chunk(json);
  }

  flush(): void {
    if (!this.#over) this.#options.sink.flush();
  }

  invoke(): void {
    this.#fail(sessionError('serverless_event_not_supported', 'serverless event is not supported by full duplex'));
  }

  end(): void {
    this.#finish(() => this.#options.sink.end());
  }

  fail(error: SessionError): void {
    this.#fail(error);
  }

  #fail(error: SessionError): void {
    // What it said before that error counts.
    this.flush();
    this.#finish(() => this.#options.sink.fail(error));
  }

  #finish(tell: () => void): void {
    if (this.#over) return;
    this.close();
    tell();
    this.#options.onOver();
  }

  /** It says something, if no message. */
  #sign(): void {
    this.#unsaid = 0;
  }

  #stray(text: string): void {
    const report = reportIn(text);
    if (report === undefined || report.errorType === '') return this.#options.said.stdout(text);
    this.#fail(runtimeFailure({ status: this.#options.status, headers: {}, report }));
  }
}

const LINE_END = Buffer.from('\n');

/** A message may be as long as the limit; so many times that without one, and it is something else that comes. */
const NOISE = 2;

const noise = (limit: number): SessionError =>
  sessionError(
    'PluginMessageTooLargeError',
    `the function answers with something that is no message, and goes on for more than ${NOISE * limit} bytes; a message may have ${limit} (PLUGIN_MAX_MESSAGE_BYTES)`,
    { limit_bytes: limit, setting: 'PLUGIN_MAX_MESSAGE_BYTES' },
  );
