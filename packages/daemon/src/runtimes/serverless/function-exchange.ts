/** One request to a function with the answer to it: status, body, what is broken off. Attempts and sessions are its owner's. */
import { constants, createGunzip, type Gunzip, gunzipSync } from 'node:zlib';
import type { SessionError } from '@plugin-daemon/plugin-host/errors';
import type { Dispatcher } from 'undici';
import type { AnswerChannel } from './answer-channel.ts';
import { announcedError, type Headers, MAX_FAILURE_BYTES, reportIn, runtimeFailure } from './function-failure.ts';

/** What an exchange tells its owner. Called synchronously, never before `dispatch` has returned to the owner. */
export interface ExchangeEvents {
  /** A good answer begins: who reads its lines. */
  answer(status: number, headers: Headers): AnswerChannel;
  /** The function answered that it failed. */
  failed(error: SessionError): void;
  /** There was no answer, or one of a gateway that found no function: status 502. */
  unanswered(reason: { readonly status: 502 } | { readonly error: Error }): void;
  /** The exchange is over, however it ended; nothing follows. */
  over(): void;
}

/** Of an answer whose session is over, so much is waited for, so that its connection can serve the next call. */
const REST_BYTES = 64 * 1024;
const REST_MS = 2000;
/** For what a failure says of itself to come: that it is one is known without it. */
const FAILURE_MS = 3000;

export class FunctionExchange implements Dispatcher.DispatchHandler {
  readonly #events: ExchangeEvents;
  #controller: Dispatcher.DispatchController | undefined;
  /** `aborted`: by us; what comes after that is of no interest. */
  #state: 'waiting' | 'answer' | 'failure' | 'unanswered' | 'rest' | 'aborted' | 'over' = 'waiting';
  #channel: AnswerChannel | undefined;
  #gunzip: Gunzip | undefined;
  #failure: { readonly status: number; readonly headers: Headers; readonly body: Buffer[]; size: number } | undefined;
  #rest = 0;
  #restTimer: NodeJS.Timeout | undefined;

  constructor(events: ExchangeEvents) {
    this.#events = events;
  }

  /** Breaks it off: the function sees its connection close. */
  abort(): void {
    if (this.#state === 'aborted' || this.#state === 'over') return;
    this.#state = 'aborted';
    this.#controller?.abort(new Error('the call was cancelled'));
  }

  /** The session is over: the rest of the answer is waited for a moment, unread, to keep the connection. */
  forgetRest(): void {
    if (this.#state === 'aborted' || this.#state === 'over' || this.#state === 'rest') return;
    this.#state = 'rest';
    this.#gunzip?.destroy();
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => this.abort(), REST_MS).unref();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#state === 'aborted') controller.abort(new Error('the call was cancelled'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status < 200 || this.#state !== 'waiting') return;
    if (status === 502) {
      this.#state = 'unanswered';
      this.#events.unanswered({ status });
      return;
    }
    if (status >= 300 || announcedError(headers) !== '') {
      this.#state = 'failure';
      this.#failure = { status, headers, body: [], size: 0 };
      this.#restTimer = setTimeout(() => {
        this.#refuse();
        this.abort();
      }, FAILURE_MS).unref();
      return;
    }
    this.#state = 'answer';
    this.#channel = this.#events.answer(status, headers);
    if (isGzipped(headers)) this.#gunzip = this.#unzip(this.#channel);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    switch (this.#state) {
      case 'answer':
        if (this.#gunzip === undefined) this.#channel?.push(chunk);
        else if (!this.#gunzip.write(chunk)) {
          controller.pause();
          this.#gunzip.once('drain', () => controller.resume());
        }
        return;
      case 'failure':
        return this.#collect(chunk);
      case 'unanswered':
      case 'rest':
        this.#rest += chunk.length;
        if (this.#rest > REST_BYTES) this.abort();
        return;
      case 'waiting':
      case 'aborted':
      case 'over':
        return;
    }
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    if (this.#gunzip !== undefined && this.#state === 'answer') {
      this.#gunzip.end();
      return;
    }
    this.#ended();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#controller = undefined;
    if (this.#state === 'waiting') this.#events.unanswered({ error });
    else if (this.#state === 'failure') this.#refuse();
    else if (this.#state === 'answer') this.#channel?.broke('unexpected EOF');
    this.#finish();
  }

  /** For what `dispatch` itself throws, as for an address that is none. */
  couldNotStart(error: Error): void {
    if (this.#state === 'waiting') this.#events.unanswered({ error });
    this.#finish();
  }

  #ended(): void {
    if (this.#state === 'answer') this.#channel?.ended();
    else if (this.#state === 'failure') this.#refuse();
    this.#finish();
  }

  #collect(chunk: Buffer): void {
    const failure = this.#failure;
    if (failure === undefined) return;
    failure.body.push(chunk);
    failure.size += chunk.length;
    if (failure.size <= MAX_FAILURE_BYTES) return;
    this.#refuse();
    this.abort();
  }

  #refuse(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure === undefined) return;
    const { status, headers, body } = failure;
    // A longer one is cut, and then no JSON any more.
    const bytes = Buffer.concat(body).subarray(0, MAX_FAILURE_BYTES);
    const text = isGzipped(headers) ? unzippedText(bytes) : bytes.toString('utf8');
    const isReport = status >= 300 || announcedError(headers) !== '';
    this.#events.failed(runtimeFailure({ status, headers, report: isReport ? reportIn(text) : undefined }));
  }

  #unzip(channel: AnswerChannel): Gunzip {
    const gunzip = createGunzip();
    gunzip.on('data', (bytes: Buffer) => {
      if (this.#state === 'answer') channel.push(bytes);
    });
    gunzip.on('end', () => this.#ended());
    gunzip.on('error', (error: Error) => {
      if (this.#state !== 'answer') return this.#finish();
      channel.broke(error.message);
      this.abort();
      this.#finish();
    });
    return gunzip;
  }

  #finish(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#restTimer);
    this.#gunzip?.destroy();
    this.#events.over();
  }
}

const isGzipped = (headers: Headers): boolean => String(headers['content-encoding'] ?? '').toLowerCase() === 'gzip';

/** The text of a short body that was compressed; '' for one that is damaged, or longer than is read of any. */
function unzippedText(bytes: Buffer): string {
  try {
    const options = { maxOutputLength: MAX_FAILURE_BYTES, finishFlush: constants.Z_SYNC_FLUSH };
    return gunzipSync(bytes, options).toString('utf8');
  } catch {
    // The status says that it failed; what the body would have said is lost.
    return '';
  }
}
