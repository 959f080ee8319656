import { randomBytes } from 'node:crypto';
import { DaemonError, type SessionError } from '@plugin-daemon/plugin-host/errors';
import type { Line, RuntimeSession, SessionContext, SessionSink } from '@plugin-daemon/plugin-host/runtimes';
import { AnswerChannel } from './answer-channel.ts';
import { FunctionExchange } from './function-exchange.ts';
import { type Headers, innerError, transportReason } from './function-failure.ts';
import type { FunctionRuntimeOptions } from './function-options.ts';
import type { FunctionTarget } from './function-target.ts';
import { mayExceed, requestBytes, textOf } from './request-bytes.ts';

/** Pause before the second attempt, doubled with each further one, in ms. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Smaller requests are not counted. */
const UNCOUNTED_BYTES = 256 * 1024;
const SECRET_BYTES = 24;

export interface FunctionCallParts {
  readonly target: FunctionTarget;
  readonly options: FunctionRuntimeOptions;
  readonly sessionId: string;
  readonly sink: SessionSink;
  readonly context: SessionContext;
}

/** One session: one request to the function, tried again where nothing has come back, and its answer. */
export class FunctionCall implements RuntimeSession {
  readonly callBackSecret = randomBytes(SECRET_BYTES).toString('base64url');
  readonly #parts: FunctionCallParts;
  #body: Buffer | undefined;
  #attempt = 0;
  #exchange: FunctionExchange | undefined;
  #channel: AnswerChannel | undefined;
  #pause: NodeJS.Timeout | undefined;
  #taken: PromiseWithResolvers<void> | undefined;
  #room: { release(): void } | undefined;
  #closed = false;

  constructor(parts: FunctionCallParts) {
    this.#parts = parts;
  }

  send(line: Line): Promise<void> | undefined {
    if (this.#closed) throw new Error('the session is over');
    if (this.#taken !== undefined)
      throw new Error('a function is sent one request; what it calls back is answered where it calls');
    const text = textOf(line);
    this.#admit(text);
    this.#body = Buffer.from(text);
    this.#hold(this.#body.length);
    this.#taken = Promise.withResolvers();
    this.#try();
    return this.#taken.promise;
  }

  close(): void {
    if (!this.#over()) return;
    this.#exchange?.forgetRest();
  }

  cancel(): void {
    if (!this.#over()) return;
    this.#exchange?.abort();
  }

  #admit(text: string): void {
    const { maxRequestBytes } = this.#parts.options;
    if (!mayExceed(text, maxRequestBytes)) return;
    const size = requestBytes(text);
    if (size <= maxRequestBytes) return;
    const { message } = requestTooLarge(this.#parts.context.action, size, maxRequestBytes);
    throw new DaemonError('internal', `${message}\nfailed to write request`);
  }

  #hold(bytes: number): void {
    const { budgets, pluginId } = this.#parts.options;
    if (budgets === undefined || bytes < UNCOUNTED_BYTES) return;
    const room = budgets.input.room(pluginId);
    const exceeded = room.grow(bytes);
    if (exceeded !== undefined)
      throw new DaemonError('over-budget', `there is no room for a request to the function: ${exceeded.text}`, {
        remedy: 'Try again when other calls have been answered',
        args: { limit_bytes: exceeded.limitBytes },
      });
    this.#room = room;
  }

  #try(): void {
    this.#attempt++;
    const exchange = new FunctionExchange({
      answer: (status, headers) => this.#answered(status, headers),
      failed: (error) => this.#failed(error, 'function-failed'),
      unanswered: (reason) => this.#unanswered(reason),
      over: () => {
        if (this.#exchange === exchange) this.#exchange = undefined;
      },
    });
    this.#exchange = exchange;
    const { client } = this.#parts.options;
    const { ready } = client;
    if (ready !== undefined) return this.#dispatch(ready, exchange);
    client.load().then(
      (dispatcher) => this.#dispatch(dispatcher, exchange),
      (error: Error) => exchange.couldNotStart(error),
    );
  }

  #dispatch(dispatcher: NonNullable<FunctionRuntimeOptions['client']['ready']>, exchange: FunctionExchange): void {
    const { target, sessionId, context } = this.#parts;
    if (this.#closed) return;
    if (target.origin === undefined) {
      queueMicrotask(() => exchange.couldNotStart(new Error(`unsupported protocol scheme "${target.scheme}"`)));
      return;
    }
    try {
      dispatcher.dispatch(
        {
          origin: target.origin,
          method: 'POST',
          path: target.pathFor(context.action),
          headers: {
            'content-type': 'application/json',
            accept: 'text/event-stream',
            'accept-encoding': 'gzip',
            'dify-plugin-session-id': sessionId,
            'dify-plugin-session-secret': this.callBackSecret,
            traceparent: context.traceparent(),
          },
          body: this.#body ?? null,
        },
        exchange,
      );
    } catch (error) {
      // Addresses that undici does not take.
      const known = error instanceof Error ? error : new Error(String(error));
      queueMicrotask(() => exchange.couldNotStart(known));
    }
  }

  #answered(status: number, headers: Headers): AnswerChannel {
    this.#settleTaken();
    const { options, sessionId, sink } = this.#parts;
    const { budgets, pluginId, said, maxMessageBytes } = options;
    this.#channel = new AnswerChannel({
      sessionId,
      sink,
      status,
      headers,
      maxMessageBytes,
      room: budgets?.unfinishedLines.room(pluginId),
      said,
      onOver: () => this.close(),
    });
    options.onAttempt('answered');
    return this.#channel;
  }

  #unanswered(reason: { readonly status: 502 } | { readonly error: Error }): void {
    if (this.#closed) return;
    const { attempts, onAttempt } = this.#parts.options;
    this.#exchange?.forgetRest();
    this.#exchange = undefined;
    if (this.#attempt < attempts) {
      onAttempt('tried-again');
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#attempt - 1), LONGEST_PAUSE_MS);
      this.#pause = setTimeout(() => this.#try(), pauseMs);
      return;
    }
    const last = `attempt ${this.#attempt}/${attempts} failed`;
    const text =
      'status' in reason ? `${last} with status code: ${reason.status}` : `${last}: ${this.#reasonOf(reason.error)}`;
    this.#failed(
      innerError(`Error sending request to serverless: all ${attempts} attempts failed, last error: ${text}`),
      'unanswered',
    );
  }

  #reasonOf(error: Error): string {
    const { target, context } = this.#parts;
    return `Post ${JSON.stringify(target.urlFor(context.action))}: ${transportReason(error, target.host)}`;
  }

  #failed(error: SessionError, outcome: 'function-failed' | 'unanswered'): void {
    if (this.#closed) return;
    this.#parts.options.onAttempt(outcome);
    this.#over();
    this.#exchange?.forgetRest();
    this.#parts.sink.fail(error);
  }

  /** @returns false if it was over already */
  #over(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#channel?.close();
    this.#settleTaken();
    return true;
  }

  #settleTaken(): void {
    this.#body = undefined;
    this.#room?.release();
    this.#room = undefined;
    this.#taken?.resolve();
  }
}

/** The texts are upstream's (docs/wire/runtime-protocol.md#functions). @param item the text of a batch that alone is too large */
export const requestTooLarge = (action: string, size: number, limit: number, item?: number): DaemonError =>
  new DaemonError(
    'internal',
    `ServerlessPayloadTooLarge: action=${action} payload_bytes=${size} max_request_bytes=${limit}${item === undefined ? '' : ` item_index=${item}`}`,
  );
