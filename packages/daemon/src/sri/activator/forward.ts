import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '@plugin-daemon/values';
import type { Dispatcher } from 'undici';
import { FunctionError, sendFunctionError } from '../function-error.ts';
import type { FunctionSlot } from './function-slot.ts';

export interface ForwardOptions {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly slot: FunctionSlot;
  /** Path at the instance, with its query. */
  readonly path: string;
  /** Read before where its length was not announced: instances read bodies by their length. */
  readonly body: IncomingMessage | Buffer;
  /** A header, in lower case, that the instance is not to see. */
  readonly without?: string | undefined;
  /** Longest time from here to the last byte of the answer. */
  readonly timeoutMs: number;
}

/** How a call ended, for metrics. */
export type Outcome = 'success' | 'error' | 'client_disconnect' | 'timeout';

/** The instance could not be reached and nothing was sent: another one may be asked. The caller has heard nothing. */
export const NOT_REACHED = 'not-reached';

/** Of the connection, not of the call; the length is set anew. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'host',
  'content-length',
  'expect',
]);

/** Passes one call on to an instance and its answer back, piece by piece as it comes. Never rejects. */
export function forward(options: ForwardOptions): Promise<Outcome | typeof NOT_REACHED> {
  const { request, slot, path, body } = options;
  const exchange = new ForwardedExchange(options);
  const length = Buffer.isBuffer(body) ? String(body.length) : request.headers['content-length'];
  try {
    slot.connections.dispatch(
      {
        path,
        method: 'POST',
        headers: [...passedOn(request.rawHeaders, options.without), 'content-length', length ?? '0'],
        body,
      },
      exchange,
    );
  } catch (error) {
    exchange.onResponseError(undefined, error instanceof Error ? error : new Error(messageOf(error)));
  }
  return exchange.done;
}

function passedOn(rawHeaders: readonly string[], without: string | undefined): string[] {
  const passed: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const known = name.toLowerCase();
    if (!HOP_BY_HOP.has(known) && known !== without) passed.push(name, value);
  }
  return passed;
}

class ForwardedExchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<Outcome | typeof NOT_REACHED>;
  readonly #settle: (outcome: Outcome | typeof NOT_REACHED) => void;
  readonly #mayBeAskedAgain: boolean;
  readonly #response: ServerResponse;
  readonly #slot: FunctionSlot;
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;
  #status = 0;

  constructor({ response, slot, timeoutMs, body }: ForwardOptions) {
    this.#slot = slot;
    const { promise, resolve } = Promise.withResolvers<Outcome | typeof NOT_REACHED>();
    // A body that streams is spent with the attempt.
    this.#mayBeAskedAgain = Buffer.isBuffer(body);
    this.done = promise;
    this.#settle = resolve;
    this.#response = response;
    response.once('close', this.#onClose);
    response.on('drain', this.#onDrain);
    this.#timer = setTimeout(
      () =>
        this.#end(
          'timeout',
          new FunctionError(
            'FunctionTimeout',
            `the call took longer than ${timeoutMs / 1000} s (PLUGIN_MAX_EXECUTION_TIMEOUT)`,
          ),
        ),
      timeoutMs,
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over || this.#response.destroyed) {
      controller.abort(new Error('the caller left'));
      this.#end('client_disconnect');
    }
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200 || this.#over) return;
    this.#status = status;
    const passed: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined && (!HOP_BY_HOP.has(name) || name === 'content-length')) passed[name] = value;
    try {
      this.#response.writeHead(status, passed);
      this.#response.flushHeaders();
    } catch (error) {
      // Headers of a function that cannot be sent on.
      this.#end('error', unavailable(error));
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    if (this.#over) return;
    this.#response.end();
    this.#finish(this.#status < 400 ? 'success' : 'error');
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#controller = undefined;
    if (this.#over) return;
    // Most likely it has ended, which is told in a moment: until it has answered a health check nobody else is sent to it.
    if (!this.#response.headersSent) this.#slot.doubt();
    if (this.#mayBeAskedAgain && wasNotReached(error)) this.#finish(NOT_REACHED);
    else this.#end('error', unavailable(error));
  }

  readonly #onDrain = (): void => {
    this.#controller?.resume();
  };

  readonly #onClose = (): void => this.#end('client_disconnect');

  /** Ends both sides; the caller is told if it has heard nothing yet, and cut off otherwise, so that it takes no part for the whole. */
  #end(outcome: Outcome, error?: FunctionError): void {
    if (this.#over) return;
    this.#finish(outcome);
    this.#controller?.abort(error ?? new Error('the caller left'));
    if (this.#response.headersSent || error === undefined) this.#response.destroy();
    else sendFunctionError(this.#response, error);
  }

  #finish(outcome: Outcome | typeof NOT_REACHED): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#response.off('close', this.#onClose).off('drain', this.#onDrain);
    this.#settle(outcome);
  }
}

const CONNECT_FAILURES = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_DESTROYED',
]);

const wasNotReached = (error: Error): boolean =>
  'code' in error && typeof error.code === 'string' && CONNECT_FAILURES.has(error.code);

const unavailable = (error: unknown): FunctionError =>
  new FunctionError('FunctionUnavailable', `the function broke off: ${messageOf(error)}`, {
    cause: error,
  });
