import { timingSafeEqual } from 'node:crypto';
import type { ByteBudget, Room } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, type SessionError, sessionError } from '@plugin-daemon/plugin-host/errors';
import type { Line, PluginRuntime, RuntimeSession, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import type { BackwardsCaller, BackwardsEvent, BackwardsInvocations } from '../backwards-invocation/index.ts';
import type { ActionSpec } from './actions.ts';
import type { AnswerReader } from './answers/answer.ts';
import { CallsBack } from './calls-back.ts';
import { readInvoke } from './invoke-message.ts';
import { requestLine, type SessionEnvelope } from './request-message.ts';
import type { SessionLimits, SessionOutcome, SessionOutput, SessionStart } from './session-contract.ts';

export interface SessionParts {
  readonly backwards: BackwardsInvocations;
  readonly limits: SessionLimits;
  /** What readers keep of answers, for all sessions together; absent in tests that keep nothing. */
  readonly kept?: ByteBudget | undefined;
  /** The session is over; called once. */
  readonly onClosed: (session: Session, outcome: SessionOutcome) => void;
  /** The plugin ended and provably never read the request: the session waits for `resend`, or to be failed with this error. */
  readonly onUnread: (session: Session, error: SessionError) => void;
  /** A backwards invocation broke in a way that is nobody's request: belongs into the log. */
  readonly onFault: (error: unknown, session: Session) => void;
}

/** A request is sent again this often; a plugin that always ends before it reads has another problem. */
const MAX_RESENT = 5;

/** Of what is kept for all sessions together, one may have so much. */
const KEPT_SHARE_OF_SESSION = 0.25;

/** One call of one plugin, from request to end. Owned by `Invocations`. */
export class Session implements SessionSink {
  readonly id: string;
  readonly action: ActionSpec;
  readonly startedAt = performance.now();
  readonly #start: SessionStart;
  readonly #parts: SessionParts;
  readonly #output: SessionOutput;
  readonly #read: AnswerReader;
  readonly #kept: Room | undefined;
  #runtime: PluginRuntime;
  #channel: RuntimeSession | undefined;
  #resent = 0;
  #closed = false;
  #taken: Promise<void> | undefined;
  #answered = false;
  /** The plugin has shown the secret of its calls back. */
  #showsSecret = false;
  #total: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  // Made when the plugin first calls back: most sessions never do.
  #abort: AbortController | undefined;
  #back: CallsBack | undefined;

  constructor(start: SessionStart, output: SessionOutput, parts: SessionParts) {
    this.id = start.id;
    this.action = start.action;
    this.#runtime = start.runtime;
    this.#start = start;
    this.#parts = parts;
    this.#output = output;
    this.#kept = parts.kept?.room(start.runtime.pluginId, KEPT_SHARE_OF_SESSION * parts.kept.total);
    this.#read = start.action.answer.reader(this.#kept);
  }

  /** Who works on it now. */
  get runtime(): PluginRuntime {
    return this.#runtime;
  }

  /** Aborts when the session is over. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    return this.#abort.signal;
  }

  get #callsBack(): CallsBack {
    this.#back ??= new CallsBack(this.id, this.envelope, {
      backwards: this.#parts.backwards,
      onFault: (error) => this.#parts.onFault(error, this),
    });
    return this.#back;
  }

  get envelope(): SessionEnvelope {
    return this.#start.envelope;
  }

  /** Settles when the plugin has taken the request; undefined if it did at once. */
  get taken(): Promise<void> | undefined {
    return this.#taken;
  }

  /** Opens the runtime's channel and sends the request. Throws if the plugin cannot take it; nothing is open then. */
  begin(): void {
    this.#ask();
    const { totalSeconds, idleSeconds } = this.#parts.limits;
    this.#total = setTimeout(
      () => this.#timeout('killed by timeout', totalSeconds, 'PLUGIN_MAX_EXECUTION_TIMEOUT'),
      totalSeconds * 1000,
    );
    if (idleSeconds > 0) {
      const text = `killed by timeout: the plugin sent nothing for ${idleSeconds} s`;
      this.#idle = setTimeout(() => this.#timeout(text, idleSeconds, 'PLUGIN_IDLE_TIMEOUT'), idleSeconds * 1000);
    }
  }

  #ask(): void {
    const { action, traceparent } = this.#start;
    const channel = this.#runtime.open(this.id, this, { action: action.action, traceparent });
    try {
      // A plugin that reads slowly delays only this session: the line is queued in its own pipe buffer.
      this.#taken = channel.send(requestLine(this.id, this.#start.envelope, this.#start.data));
    } catch (error) {
      channel.close();
      throw error;
    }
    this.#channel = channel;
  }

  /** The process ended before it had read the request: another one may. */
  unread(error: SessionError): void {
    if (this.#closed) return;
    this.#channel = undefined;
    if (this.#resent++ < MAX_RESENT) this.#parts.onUnread(this, error);
    else this.fail(error);
  }

  /** Sends the request to another runtime, after it was not read; its time limits go on. Throws if that cannot take it. */
  resend(runtime: PluginRuntime): void {
    if (this.#closed) return;
    this.#runtime = runtime;
    this.#ask();
  }

  /** Whatever throws in here ends the session: the channel fails it. */
  chunk(json: string): boolean {
    if (this.#closed) return true;
    const read = this.#read(json);
    if (read === undefined) return false;
    this.#idle?.refresh();
    if (typeof read !== 'string') {
      this.fail(read);
      return true;
    }
    if (read !== '') {
      if (!this.#answered) {
        this.#answered = true;
        this.runtime.answered?.(this.action.action, performance.now() - this.startedAt);
      }
      this.#output.chunk(read);
    }
    return true;
  }

  flush(): void {
    if (!this.#closed) this.#output.flush();
  }

  end(): void {
    if (this.#close('success', false)) this.#finish(() => this.#output.end());
  }

  fail(error: SessionError): void {
    if (this.#close('error', false)) this.#finish(() => this.#output.fail({ from: 'plugin', error }));
  }

  /** Ends the session from our side with an error for the caller; the plugin is told to stop. */
  abort(error: DaemonError): void {
    if (this.#close('error', true)) this.#finish(() => this.#output.fail({ from: 'daemon', error }));
  }

  /** Somebody who may has ended it: like a client that leaves, it says nothing about the plugin. The caller is told. */
  cancel(error: DaemonError): void {
    if (this.#close('client_disconnect', true)) this.#finish(() => this.#output.fail({ from: 'daemon', error }));
  }

  /** The caller has gone. Leaving after the one answer of a single-answer action is how Dify ends such calls. */
  leave(): void {
    const served = this.action.reply === 'one' && this.#answered;
    this.#close(served ? 'success' : 'client_disconnect', !served);
  }

  invoke(data: unknown): void {
    if (this.#closed) return;
    this.#idle?.refresh();
    const invoke = readInvoke(data);
    if (typeof invoke === 'string')
      return this.fail(sessionError('invoke_dify_error', `invoke dify failed: ${invoke}`));
    void this.#callsBack.serve(this.#caller(), invoke, (event) => this.#reply(invoke.id, event));
  }

  /**
   * Serves a call back that came in beside the session: the plugin is answered through `send`, which may be waited for and does not throw.
   * @param signal aborts it alone
   * @returns what is wrong with the form of the call, or a promise that settles when the last answer was sent
   */
  transact(
    data: unknown,
    send: (line: Line) => Promise<void> | undefined,
    signal: AbortSignal,
  ): string | Promise<void> {
    const invoke = readInvoke(data);
    if (typeof invoke === 'string') return invoke;
    this.#idle?.refresh();
    const reply = (event: BackwardsEvent): Promise<void> | undefined => {
      this.#idle?.refresh();
      return this.#closed ? undefined : send(this.#callsBack.line(invoke.id, event));
    };
    return this.#callsBack.serve(this.#caller(signal), invoke, reply);
  }

  /** Whether a call back comes from this session's plugin, as far as can be told from what it shows. */
  admits(secret: string | undefined, required: boolean): boolean {
    const expected = this.#channel?.callBackSecret;
    if (this.#closed || expected === undefined) return false;
    if (secret === undefined) return !required && !this.#showsSecret;
    const [given, own] = [Buffer.from(secret), Buffer.from(expected)];
    if (given.length !== own.length || !timingSafeEqual(given, own)) return false;
    // From now on somebody without it is somebody else.
    this.#showsSecret = true;
    return true;
  }

  #reply(id: string, event: BackwardsEvent): Promise<void> | undefined {
    if (this.#closed || this.#channel === undefined) return undefined;
    this.#idle?.refresh();
    try {
      return this.#channel.send(this.#callsBack.line(id, event));
    } catch (error) {
      // No room for the answer: the plugin would wait for it in vain.
      if (error instanceof DaemonError) this.abort(error);
      // Else the plugin is gone; its runtime fails the session with the reason.
      return undefined;
    }
  }

  #caller(signal?: AbortSignal): BackwardsCaller {
    return {
      sessionId: this.id,
      tenantId: this.envelope.tenantId,
      userId: this.envelope.userId,
      pluginId: this.runtime.pluginId,
      identifier: this.runtime.identifier,
      accessType: this.action.type,
      declaration: this.#start.declaration,
      traceparent: this.#start.traceparent(),
      signal: signal === undefined ? this.signal : AbortSignal.any([this.signal, signal]),
    };
  }

  #timeout(text: string, seconds: number, setting: string): void {
    const args = { limit_seconds: seconds, setting };
    const error = new DaemonError(
      'internal',
      text,
      text === 'killed by timeout' ? {} : { remedy: `Raise ${setting} if the plugin needs longer`, args },
    );
    if (this.#close('timeout', true)) this.#finish(() => this.#output.fail({ from: 'daemon', error }));
  }

  /** The last word to the caller. If it cannot be said, another one is: nobody is left waiting. */
  #finish(say: () => void): void {
    try {
      say();
    } catch (error) {
      this.#parts.onFault(error, this);
      try {
        this.#output.fail({
          from: 'daemon',
          error: new DaemonError('internal', 'the end of the answer could not be written', { cause: error }),
        });
      } catch (second) {
        this.#parts.onFault(second, this);
      }
    }
  }

  /** @returns false if the session was over already. */
  #close(outcome: SessionOutcome, cancel: boolean): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    clearTimeout(this.#total);
    clearTimeout(this.#idle);
    this.#kept?.release();
    if (cancel) this.#channel?.cancel();
    else this.#channel?.close();
    this.#abort?.abort(new Error(`the session ended: ${outcome}`));
    this.#parts.onClosed(this, outcome);
    return true;
  }
}
