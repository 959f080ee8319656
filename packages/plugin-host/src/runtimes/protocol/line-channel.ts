import { isAscii } from 'node:buffer';
import type { Room } from '../../budget/index.ts';
import { PassingMap } from '../../collections/index.ts';
import { type SessionError, sessionError } from '../../errors/index.ts';
import { safeLatin1, standsAt } from '../../text/index.ts';
import type { SessionSink } from '../runtime.ts';
import type { LineChannelEvents } from './line-events.ts';
import { OrdinaryLines } from './ordinary-lines.ts';
import { HEAD_BYTES, sessionNamedIn } from './plugin-error.ts';
import { type LineLimit, UnfinishedLine } from './unfinished-line.ts';

export interface LineChannelOptions {
  /** Longest message in bytes. A longer one fails its session, not the plugin. */
  readonly maxMessageBytes: number;
  /** The setting to name in that failure. */
  readonly maxMessageSetting: string;
  /** Where begun lines count; absent where one plugin is all there is. */
  readonly room?: Room;
  readonly events: LineChannelEvents;
}

/** The SDK writes exactly this head (key order and all); other spellings take the ordinary parser. */
const HEAD = '{"event":"session","session_id":"';
const STREAM = '","data":{"type":"stream","data":';
const END = '","data":{"type":"end","data":{}}}';
const ID_LENGTH = 36;

/**
 * Reads what a plugin writes and hands each message to its session.
 *
 * Text is kept with one character per byte (latin1): splitting and comparing are then native operations, payloads go out as they
 * came in, and a character cut in two by a read does no harm. Only lines of an unusual shape are decoded.
 *
 * Nothing that a plugin says makes it throw: what breaks while a line is dealt with ends the session of that line.
 */
export class LineChannel {
  readonly #sinks = new PassingMap<string, SessionSink>();
  readonly #options: LineChannelOptions;
  readonly #unfinished: UnfinishedLine;
  /** Head of a line that is too long; the rest is skipped up to the next line end. */
  #skipping = false;
  /** Those that have got something in this read; a new set for each, for the reason that `PassingMap` tells. */
  #touched = new Set<SessionSink>();
  /** The session of the last usual line, with the text its next line starts with. */
  #recentPrefix = '';
  #recentSink: SessionSink | undefined;
  /** Somebody waits until no session is open. */
  #idle: PromiseWithResolvers<void> | undefined;
  readonly #ordinary: OrdinaryLines;

  constructor(options: LineChannelOptions) {
    this.#options = options;
    this.#unfinished = new UnfinishedLine(options.maxMessageBytes, options.room);
    this.#ordinary = new OrdinaryLines(options.events, {
      find: (id) => this.#sinks.get(id),
      touch: (sink) => this.#touched.add(sink),
      forget: (id, sink) => this.#forget(id, sink),
      failNamed: (head, error, stray) => this.#failNamed(head, error, stray),
    });
  }

  /** Open sessions. */
  get sessions(): number {
    return this.#sinks.size;
  }

  /** Settles when no session is open; at once if none is. */
  idle(): Promise<void> {
    if (this.#sinks.size === 0) return Promise.resolve();
    this.#idle ??= Promise.withResolvers<void>();
    return this.#idle.promise;
  }

  open(sessionId: string, sink: SessionSink): void {
    this.#sinks.set(sessionId, sink);
  }

  /** @returns whether the session was open. */
  close(sessionId: string): boolean {
    const sink = this.#sinks.get(sessionId);
    if (sink === undefined) return false;
    this.#forget(sessionId, sink);
    return true;
  }

  /**
   * Ends every session with the same error: the plugin is gone. What it had begun to say is forgotten.
   * @param isUnread whether the plugin never read what a session asked it
   */
  fail(error: SessionError, isUnread: (sessionId: string) => boolean = () => false): void {
    this.#unfinished.clear();
    for (const [id, sink] of this.#sinks.entries()) {
      const unread = sink.unread !== undefined && isUnread(id);
      this.#forget(id, sink);
      if (unread) sink.unread?.(error);
      else sink.fail(error);
    }
  }

  /** Takes bytes as they were read. Everything they complete is delivered before this returns. */
  push(bytes: Buffer): void {
    const text = bytes.toString('latin1');
    // Nothing in it has to be made safe for readers.
    const plain = isAscii(bytes) && !bytes.includes(0x0d);
    let at = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', at)) {
      if (this.#skipping) this.#skipping = false;
      else if (this.#unfinished.bytes > 0) this.#finishPending(text.slice(at, end), plain);
      else if (end > at) this.#guardedLine(text, at, end, plain);
      at = end + 1;
    }
    if (at < text.length && !this.#skipping) this.#keep(at === 0 ? text : text.slice(at), plain);
    if (this.#touched.size === 0) return;
    for (const sink of this.#touched) this.#flush(sink);
    this.#touched = new Set();
  }

  #flush(sink: SessionSink): void {
    try {
      sink.flush();
    } catch (error) {
      for (const [id, open] of this.#sinks.entries()) if (open === sink) this.#broke(error, id);
    }
  }

  /** One guard for each line: whatever throws ends the session that the line names, or nothing. */
  #guardedLine(text: string, start: number, end: number, plain: boolean): void {
    try {
      this.#line(text, start, end, plain);
    } catch (error) {
      this.#broke(error, sessionNamedIn(text.slice(start, Math.min(end, start + HEAD_BYTES))));
    }
  }

  #broke(error: unknown, id: string | undefined): void {
    const { events } = this.#options;
    const sink = id === undefined ? undefined : this.#sinks.get(id);
    try {
      events.fault(error);
      if (id === undefined || sink === undefined) return;
      this.#forget(id, sink);
      const reason = error instanceof Error ? error.message : 'for an unknown reason';
      sink.fail(sessionError('PluginMessageError', `a message of the plugin could not be dealt with: ${reason}`, {}));
    } catch (second) {
      // Telling it broke as well: the log is all that is left.
      events.fault(second);
    }
  }

  #keep(piece: string, plain: boolean): void {
    const limit = this.#unfinished.add(piece, plain);
    if (limit === undefined) return;
    this.#tooLong(limit);
    this.#skipping = true;
  }

  #finishPending(piece: string, plain: boolean): void {
    const limit = this.#unfinished.add(piece, plain);
    if (limit !== undefined) return this.#tooLong(limit);
    const isPlain = this.#unfinished.isPlain;
    const line = this.#unfinished.take();
    this.#guardedLine(line, 0, line.length, isPlain);
  }

  #tooLong(limit: LineLimit): void {
    const head = this.#unfinished.head(HEAD_BYTES);
    this.#unfinished.clear();
    const { maxMessageBytes, maxMessageSetting, events } = this.#options;
    try {
      const error =
        limit.by === 'message'
          ? sessionError(
              'PluginMessageTooLargeError',
              `the plugin sent a message of more than ${maxMessageBytes} bytes, the limit for one message; split it, or raise ${maxMessageSetting}`,
              { limit_bytes: maxMessageBytes, setting: maxMessageSetting },
            )
          : sessionError(
              'PluginMessageTooLargeError',
              `there is no room for a message of the plugin: ${limit.exceeded.text}; send less at a time, or raise the setting`,
              { limit_bytes: limit.exceeded.limitBytes },
            );
      this.#failNamed(head, error, () =>
        limit.by === 'message'
          ? `a line of more than ${maxMessageBytes} bytes was skipped: ${head.slice(0, 200)}…`
          : `a line was skipped, as ${limit.exceeded.text}: ${head.slice(0, 200)}…`,
      );
    } catch (error) {
      events.fault(error);
    }
  }

  /** Fails the session that the head of a line names; where there is none, the line counts as stray. */
  #failNamed(head: string, error: SessionError, stray: () => string): void {
    const id = sessionNamedIn(head);
    const sink = id === undefined ? undefined : this.#sinks.get(id);
    if (id === undefined || sink === undefined) return this.#options.events.stray(stray());
    this.#forget(id, sink);
    sink.fail(error);
  }

  #line(text: string, start: number, lineEnd: number, plain: boolean): void {
    const end = text.charCodeAt(lineEnd - 1) === 0x0d ? lineEnd - 1 : lineEnd;
    if (end <= start) return;
    const payloadAt = this.#usualSession(text, start);
    if (
      payloadAt > 0 &&
      this.#recentSink !== undefined &&
      text.charCodeAt(end - 1) === 0x7d &&
      text.charCodeAt(end - 2) === 0x7d
    ) {
      const payload = text.slice(payloadAt, end - 2);
      const sink = this.#recentSink;
      this.#touched.add(sink);
      if (sink.chunk(plain ? payload : safeLatin1(payload))) return;
    }
    if (!this.#usualEnd(text, start, end)) this.#ordinary.read(text.slice(start, end), plain);
  }

  /** Ends the session if the line is the usual end of an open one. */
  #usualEnd(text: string, start: number, end: number): boolean {
    const idEnd = start + HEAD.length + ID_LENGTH;
    if (end - idEnd !== END.length || !standsAt(text, HEAD, start) || !standsAt(text, END, idEnd)) return false;
    const id = text.slice(idEnd - ID_LENGTH, idEnd);
    const sink = this.#sinks.get(id);
    if (sink === undefined) return false;
    this.#forget(id, sink);
    sink.end();
    return true;
  }

  /** Index of the payload if the line is a stream message of an open session in the usual shape, else 0. Sets the recent session. */
  #usualSession(text: string, start: number): number {
    if (this.#recentSink !== undefined && standsAt(text, this.#recentPrefix, start))
      return start + this.#recentPrefix.length;
    if (!standsAt(text, HEAD, start)) return 0;
    const idAt = start + HEAD.length;
    if (!standsAt(text, STREAM, idAt + ID_LENGTH)) return 0;
    const id = text.slice(idAt, idAt + ID_LENGTH);
    const sink = this.#sinks.get(id);
    if (sink === undefined) return 0;
    this.#recentSink = sink;
    this.#recentPrefix = HEAD + id + STREAM;
    return start + this.#recentPrefix.length;
  }

  #forget(id: string, sink: SessionSink): void {
    this.#sinks.delete(id);
    this.#options.events.closed?.(id);
    if (this.#recentSink === sink) this.#recentSink = undefined;
    if (this.#idle === undefined || this.#sinks.size > 0) return;
    this.#idle.resolve();
    this.#idle = undefined;
  }
}
