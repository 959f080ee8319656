import { isObject } from '@plugin-daemon/values';
import { valueText } from '@plugin-daemon/wire-schema';
import { type SessionError, sessionError } from '../../errors/index.ts';
import { type JsonProblem, jsonProblemText, parseForeign, sliceMember } from '../../json/index.ts';
import { toLatin1 } from '../../text/index.ts';
import type { SessionSink } from '../runtime.ts';
import { eventsInLine } from './events-in-line.ts';
import type { LineChannelEvents } from './line-events.ts';
import { HEAD_BYTES, pluginError } from './plugin-error.ts';

/** The sessions of a channel, as far as a line can touch them. */
export interface SessionsOfLines {
  find(id: string): SessionSink | undefined;
  /** It has got something in this read. */
  touch(sink: SessionSink): void;
  /** It is over; to be called before it is told. */
  forget(id: string, sink: SessionSink): void;
  /** Fails the session that the head of a line names; where there is none, the line counts as stray. */
  failNamed(head: string, error: SessionError, stray: () => string): void;
}

const STRAY_CHARACTERS = 1024;
/** Of a message that the plugin logs. */
const LOG_CHARACTERS = 4096;
/** Ids of sessions and of calls back are UUIDs. */
const MAX_ID_LENGTH = 256;

/** A longer line may be refused for its depth, which fails the session that it names. */
const SHORT_CHARACTERS = 1024;
/** A short line without the word, which may be written with escapes, is no event and holds none. */
const saysNothing = (text: string): boolean =>
  text.length <= SHORT_CHARACTERS && !text.includes('"event"') && !text.includes('\\');
/** What the text of a JSON value begins with. */
const mayBeJson = /^[ \t\r]*[{["\-\dtfn]/;

/**
 * Lines that are not of the usual shape: any JSON, any spelling, several events on one line
 * (docs/wire/runtime-protocol.md#from-the-plugin), text around them. May throw only what a sink throws.
 */
export class OrdinaryLines {
  readonly #events: LineChannelEvents;
  readonly #sessions: SessionsOfLines;

  constructor(events: LineChannelEvents, sessions: SessionsOfLines) {
    this.#events = events;
    this.#sessions = sessions;
  }

  read(latin1: string, plain: boolean): void {
    const text = plain ? latin1 : Buffer.from(latin1, 'latin1').toString('utf8');
    // Plugins print short lines by the hundred thousand; finding out by an exception that each is no JSON would stall everybody.
    if (saysNothing(text)) return this.#events.stray(text.slice(0, STRAY_CHARACTERS));
    if (mayBeJson.test(text)) {
      const whole = parseForeign(text);
      if (whole.ok) return this.#event(whole.value, text);
      if (whole.problem !== 'syntax') return this.#refused(text, whole.problem);
    }
    const { events, stray, damaged } = eventsInLine(text, (id) => this.#sessions.find(id) !== undefined);
    for (const part of stray) this.#events.stray(part.slice(0, STRAY_CHARACTERS));
    for (const event of events) this.#event(event.value, event.text);
    for (const id of damaged) this.#damaged(id);
  }

  #refused(text: string, problem: Exclude<JsonProblem, 'syntax'>): void {
    const reason = `a message of the plugin is refused, because ${jsonProblemText[problem]}`;
    const error = sessionError('PluginMessageRefusedError', reason, {});
    this.#sessions.failNamed(text.slice(0, HEAD_BYTES), error, () => text.slice(0, STRAY_CHARACTERS));
  }

  /** Other output came into the middle of a message: it is lost, and waiting for what it said would be in vain. */
  #damaged(id: string): void {
    const sink = this.#sessions.find(id);
    if (sink === undefined) return;
    this.#sessions.forget(id, sink);
    sink.fail(
      sessionError(
        'PluginMessageDamagedError',
        'a message of the plugin is broken: something else wrote into the middle of its line on standard output; the plugin must write to standard error instead',
        {},
      ),
    );
  }

  #event(value: unknown, text: string): void {
    const events = this.#events;
    if (!isObject(value)) return events.stray(text.slice(0, STRAY_CHARACTERS));
    switch (value.event) {
      case 'session':
        return this.#message(typeof value.session_id === 'string' ? value.session_id : '', value.data, text);
      case 'heartbeat':
        return events.heartbeat();
      case 'log':
        return this.#log(value.data, text);
      case 'error':
        return events.pluginError((sliceMember(text, 'data') ?? 'null').slice(0, STRAY_CHARACTERS));
      default:
        return events.stray(text.slice(0, STRAY_CHARACTERS));
    }
  }

  /** Only texts are taken at their word. */
  #log(data: unknown, text: string): void {
    const { level, message, daemon } = isObject(data) ? data : {};
    if (daemon !== undefined) this.#events.addition?.(daemon);
    if (typeof message !== 'string') return this.#events.stray(text.slice(0, STRAY_CHARACTERS));
    this.#events.log(typeof level === 'string' ? level : 'info', message.slice(0, LOG_CHARACTERS));
  }

  #message(id: string, message: unknown, text: string): void {
    const sink = this.#sessions.find(id);
    if (!isObject(message) || typeof message.type !== 'string' || message.type === '' || message.data === undefined) {
      return this.#events.stray(text.slice(0, STRAY_CHARACTERS));
    }
    const { type, data } = message;
    if (sink === undefined) {
      const back = type === 'invoke' && isObject(data) ? data.backwards_request_id : undefined;
      if (typeof back === 'string' && back.length <= MAX_ID_LENGTH && id.length <= MAX_ID_LENGTH)
        this.#events.lateInvoke(id, back);
      return;
    }
    this.#sessions.touch(sink);
    switch (type) {
      case 'stream':
        // The payload's own text: re-encoding the parsed value would lose digits.
        sink.chunk(toLatin1(sliceMember(sliceMember(text, 'data') ?? '', 'data') ?? JSON.stringify(data)));
        return;
      case 'invoke':
        sink.invoke(data);
        return;
      case 'end':
        this.#sessions.forget(id, sink);
        sink.end();
        return;
      case 'error':
        this.#sessions.forget(id, sink);
        sink.fail(pluginError(data));
        return;
      default:
        this.#sessions.forget(id, sink);
        sink.fail(sessionError('unknown_stream_message_type', `unknown stream message type: ${valueText(type)}`));
    }
  }
}
