import type { ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { type NodeMarks, REFUSED_HEADER, type Refusal } from './mark.ts';
import { passedHeaders } from './passed-headers.ts';

/** How a call that was handed over came to its end. */
export type ForwardEnd =
  | { readonly end: 'answered' }
  /** The other node has provably not begun with it. */
  | { readonly end: 'not-started'; readonly reason: string; readonly refusal?: Refusal }
  /** It may have begun; what came of its answer was passed on. */
  | { readonly end: 'lost'; readonly reason: string; readonly takesEvent: boolean }
  /** The client has gone. */
  | { readonly end: 'left' };

export interface ExchangeParts {
  readonly response: ServerResponse;
  readonly marks: NodeMarks;
  /** Of this call's mark. */
  readonly proof: string;
  /** Something came from the other node. */
  readonly onHeard: () => void;
}

/** One call at another node: its answer goes to the client as it comes, no faster than that takes it. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly done: Promise<ForwardEnd>;
  /** The other node takes the call: a long body may flow. false: it does not, or has answered already. */
  readonly sign: Promise<boolean>;
  readonly #settle: (end: ForwardEnd) => void;
  readonly #giveSign: (takes: boolean) => void;
  readonly #parts: ExchangeParts;
  #controller: Dispatcher.DispatchController | undefined;
  /** The request was written to a connection, at least in part. */
  #begun = false;
  #over = false;
  #refusal: Refusal | undefined;
  /** Ends of the answer so far: whether an event is whole. */
  #tail = '';
  #events = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
    const { promise, resolve } = Promise.withResolvers<ForwardEnd>();
    this.done = promise;
    this.#settle = resolve;
    const sign = Promise.withResolvers<boolean>();
    this.sign = sign.promise;
    this.#giveSign = sign.resolve;
    parts.response.once('close', this.#onClose);
    parts.response.on('drain', this.#onDrain);
  }

  /** Gives the call up: the other node does not answer any more. */
  lose(reason: string): void {
    // The answer is a stream of events, the last one is whole, and there is room for another.
    const takesEvent = this.#events && (this.#tail === '' || this.#tail === '\n\n');
    this.#end(this.#begun ? { end: 'lost', reason, takesEvent } : { end: 'not-started', reason });
    this.#controller?.abort(new Error(reason));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) return controller.abort(new Error('the client left'));
    this.#begun = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
    statusText?: string,
  ): void {
    this.#parts.onHeard();
    if (status < 200) return this.#giveSign(true);
    if (this.#over) return;
    const { response, marks, proof } = this.#parts;
    this.#refusal = marks.readRefusal(headers[REFUSED_HEADER], proof);
    if (this.#refusal !== undefined) return;
    this.#events =
      String(headers['content-type'] ?? '').startsWith('text/event-stream') && headers['content-length'] === undefined;
    response.writeHead(status, statusText ?? '', passedHeaders(textsOf(controller.rawHeaders), [REFUSED_HEADER]));
    // A head that comes alone must not wait for its body.
    setImmediate(() => {
      if (!this.#over) response.flushHeaders();
    });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#parts.onHeard();
    if (this.#over || this.#refusal !== undefined) return;
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - 2))).slice(-2);
    if (!this.#parts.response.write(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    if (this.#refusal !== undefined)
      return this.#end({ end: 'not-started', reason: `it refused: ${this.#refusal}`, refusal: this.#refusal });
    if (!this.#over) this.#parts.response.end();
    this.#end({ end: 'answered' });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#controller = undefined;
    this.lose(error.message);
  }

  readonly #onClose = (): void => {
    if (this.#over) return;
    // The other node sees its connection close, and stops the plugin.
    this.#end({ end: 'left' });
    this.#controller?.abort(new Error('the client left'));
  };

  readonly #onDrain = (): void => {
    if (this.#controller?.paused === true) this.#controller.resume();
  };

  #end(end: ForwardEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#giveSign(false);
    this.#parts.response.off('close', this.#onClose).off('drain', this.#onDrain);
    this.#settle(end);
  }
}

/** Header lines as undici hands them on. */
function textsOf(raw: Dispatcher.DispatchController['rawHeaders']): readonly string[] {
  if (!Array.isArray(raw)) return [];
  return raw.map((each) => (typeof each === 'string' ? each : each.toString('latin1')));
}
