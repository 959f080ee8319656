import type { ServerResponse } from 'node:http';
import type { ByteBudget, Room } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, type SessionError, sessionError, sessionErrorJson } from '@plugin-daemon/plugin-host/errors';
import type { SessionFailure, SessionOutput } from '../../invocation/index.ts';
import { type AnswerPart, type Head, HeadBuilder, MAX_HEAD_BYTES, parsePart } from './answer.ts';
import { PluginFailure } from './failure.ts';
import { confined, type OriginPolicy, safeguards } from './shared-origin.ts';
import { sniffContentType } from './sniff.ts';

export interface WebhookResponseOptions {
  readonly response: ServerResponse;
  readonly method: string;
  /** What may wait for a slow client, in bytes; beyond it this call fails alone. */
  readonly maxBufferedBytes: number;
  /** The setting of that limit, for the log. */
  readonly bufferSetting: string;
  /** What may wait for all slow clients together, and whose share this is. */
  readonly waiting: ByteBudget;
  readonly owner: string;
  readonly origin: OriginPolicy;
  /** The path of the hook as browsers see it. */
  readonly hookPath: string;
  readonly log: { warn(fields: object, message: string): void };
}

/** Parts without a body are kept until the first one with it. */
const headTooLarge = (): SessionError =>
  sessionError(
    'PluginMessageTooLargeError',
    `the headers of the answer have more than ${MAX_HEAD_BYTES} bytes, the limit for one answer`,
    { limit_bytes: MAX_HEAD_BYTES },
  );

const SLOW = 'the client reads more slowly than the plugin writes';

/**
 * Writes what a plugin answers as an HTTP response. Status and headers are collected up to the first body part; then the head goes
 * out and the parts follow as they come, what arrived together in one write. A failure before the head rejects `done` with the error
 * to answer; one after it cuts the connection, so that nobody takes half an answer for a whole one (docs/wire/http-api.md#webhooks).
 */
export class WebhookResponse implements SessionOutput {
  readonly #options: WebhookResponseOptions;
  readonly #head = new HeadBuilder();
  readonly #done = Promise.withResolvers<void>();
  #parts: Buffer[] = [];
  #next: AnswerPart | undefined;
  #bodyBegun = false;
  #headSent = false;
  /** Nothing more is taken from the plugin. */
  #settled = false;
  /** The answer is out, or cut off. */
  #over = false;

  /** What the socket has not taken yet. */
  readonly #unsent: Room;

  constructor(options: WebhookResponseOptions) {
    this.#options = options;
    this.#unsent = options.waiting.room(options.owner);
    options.response.on('drain', () => this.#unsent.release()).once('close', () => this.#unsent.release());
    this.#done.promise.catch(() => undefined);
  }

  /** Settles when the answer is out or the call is over for another reason. Rejects with a DaemonError while nothing has been sent. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /**
   * Reads one message for the session, which hands it to `chunk` next. Parsed once: a message may be megabytes of digits.
   * @returns undefined for what is no JSON, an error for what is no part of an answer.
   */
  readonly read = (json: string): string | SessionError | undefined => {
    const part = parsePart(json);
    if (part === undefined) return undefined;
    if ('problem' in part) return sessionError('unmarshal_error', `unmarshal json failed: ${part.problem}`);
    if (!this.#bodyBegun && !this.#head.add(part)) return headTooLarge();
    this.#next = part;
    return json;
  };

  chunk(): void {
    const part = this.#next;
    this.#next = undefined;
    if (part !== undefined && !this.#settled) this.#add(part);
  }

  #add(part: AnswerPart): void {
    if (part.result === undefined) return;
    this.#bodyBegun = true;
    if (part.result.length > 0) this.#parts.push(part.result);
  }

  flush(): void {
    if (this.#settled || !this.#bodyBegun) return;
    const body = this.#takeBody();
    if (!this.#headSent && !this.#sendHead(body, undefined)) return;
    this.#write(body);
  }

  end(): void {
    if (this.#settled) return;
    const { response } = this.#options;
    const body = this.#takeBody();
    // All is known: the length is exact, whatever the plugin thought it would be.
    if (!this.#headSent && !this.#sendHead(body, body.length)) return;
    this.#settled = true;
    const over = (): void => {
      this.#over = true;
      this.#done.resolve();
    };
    if (response.destroyed) return over();
    response.once('close', over);
    response.end(this.#hasBody && body.length > 0 ? body : undefined, over);
    this.#countUnsent();
  }

  fail(failure: SessionFailure): void {
    if (this.#settled) return;
    this.abandon(failure.from === 'daemon' ? failure.error : new PluginFailure(sessionErrorJson(failure.error)));
  }

  /** Ends the call for a reason outside the plugin: time is up, the client left. */
  abandon(error: DaemonError): void {
    if (this.#over) return;
    this.#over = true;
    this.#settled = true;
    this.#parts = [];
    if (!this.#headSent) return this.#done.reject(error);
    this.#options.log.warn({ error: error.message }, 'a webhook answer was cut off');
    this.#options.response.destroy();
    this.#done.resolve();
  }

  get #hasBody(): boolean {
    const status = this.#options.response.statusCode;
    return this.#options.method !== 'HEAD' && status !== 204 && status !== 304;
  }

  #takeBody(): Buffer {
    const parts = this.#parts;
    this.#parts = [];
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }

  /** @param length of the whole body, when it is known. @returns false when the head is unusable; the call has then failed. */
  #sendHead(firstBytes: Buffer, length: number | undefined): boolean {
    const head: Head | DaemonError = this.#head.build();
    if (head instanceof DaemonError) {
      this.abandon(head);
      return false;
    }
    const { response, method, origin, hookPath } = this.#options;
    response.statusCode = head.status;
    for (const [name, value] of confined(head.headers, origin, hookPath)) response.setHeader(name, value);
    if (firstBytes.length > 0 && !response.hasHeader('content-type') && !response.hasHeader('content-encoding')) {
      response.setHeader('Content-Type', sniffContentType(firstBytes));
    }
    const policies = [response.getHeader('content-security-policy') ?? []].flat().map(String);
    const type = response.getHeader('content-type');
    for (const [name, value] of safeguards(origin, typeof type === 'number' ? String(type) : type, policies))
      response.setHeader(name, value);
    if (method === 'HEAD') {
      if (head.declaredLength !== undefined) response.setHeader('Content-Length', head.declaredLength);
    } else if (length !== undefined && this.#hasBody) response.setHeader('Content-Length', length);
    this.#headSent = true;
    // Otherwise the head leaves together with the first bytes.
    if (firstBytes.length === 0 && length === undefined) response.flushHeaders();
    return true;
  }

  #write(body: Buffer): void {
    const { response, maxBufferedBytes, bufferSetting } = this.#options;
    if (body.length === 0 || !this.#hasBody) return;
    if (response.write(body)) return;
    if (response.writableLength <= maxBufferedBytes) return this.#countUnsent();
    const text = `${SLOW} and ${maxBufferedBytes} bytes wait for it, the limit for one call (${bufferSetting})`;
    this.abandon(new DaemonError('internal', text));
  }

  #countUnsent(): void {
    const more = this.#options.response.writableLength - this.#unsent.held;
    if (more < 0) return this.#unsent.shrink(-more);
    const exceeded = this.#unsent.grow(more);
    if (exceeded !== undefined) this.abandon(new DaemonError('internal', `${SLOW}: ${exceeded.text}`));
  }
}
