/** The body of a transaction: one line of a plugin, an `invoke` message (docs/wire/runtime-protocol.md#transactions). */
import { jsonProblemText, MAX_JSON_PARTS, parseForeign } from '@plugin-daemon/plugin-host/json';
import { isObject } from '@plugin-daemon/values';

/** What a plugin asks for, as far as it can be said before its session is known. */
export interface ReadTransaction {
  readonly sessionId: string;
  /** The `data` of the session message, of any form. */
  readonly message: unknown;
  /** For an answer to what is refused; empty where it has none. */
  readonly backwardsRequestId: string;
}

/** Ids of calls back are UUIDs; they stand in every answer. */
const LONGEST_ID = 256;

/** Of a body whose sender has not shown that it was called: reading more would hold everybody up for whoever sends it. */
const STRANGERS_PARTS = 100_000;

/** @returns why it is none, as a text */
export function readTransaction(text: string, isKnown: boolean): ReadTransaction | string {
  const parsed = parseForeign(text, isKnown ? MAX_JSON_PARTS : STRANGERS_PARTS);
  if (!parsed.ok) {
    if (parsed.problem === 'parts' && !isKnown)
      return `the body has more than ${STRANGERS_PARTS} lists, objects and members, and comes without the headers Dify-Plugin-Session-ID and Dify-Plugin-Session-Secret of an open session`;
    return `the body is refused, because ${jsonProblemText[parsed.problem]}; one JSON object is expected`;
  }
  if (!isObject(parsed.value)) return 'the body is no JSON object';
  const { event, session_id: sessionId, data } = parsed.value;
  if (event !== 'session') return 'the body is no session message: its event must be `session`';
  if (typeof sessionId !== 'string' || sessionId === '') return 'the body names no session';
  const invoke = isObject(data) && isObject(data.data) ? data.data : {};
  const id = invoke.backwards_request_id;
  return {
    sessionId: sessionId.slice(0, LONGEST_ID),
    message: data,
    backwardsRequestId: typeof id === 'string' ? id.slice(0, LONGEST_ID) : '',
  };
}

const required = (field: string): string =>
  `Key: 'SessionMessage.${field}' Error:Field validation for '${field}' failed on the 'required' tag`;

/** What is wrong with a session message, in upstream's words; undefined when nothing is. What its type says is not looked at. */
export function messageProblem(message: unknown): string | undefined {
  if (message === undefined) return 'unexpected end of JSON input';
  if (message !== null && !isObject(message)) {
    const kind = Array.isArray(message) ? 'array' : typeof message === 'boolean' ? 'bool' : typeof message;
    return `json: cannot unmarshal ${kind} into Go value of type plugin_entities.SessionMessage`;
  }
  const { type, data } = message ?? {};
  if (type !== undefined && type !== null && typeof type !== 'string')
    return 'json: cannot unmarshal a value that is no text into Go struct field SessionMessage.type of type plugin_entities.SESSION_MESSAGE_TYPE';
  const missing = [
    ...(type === undefined || type === null || type === '' ? ['Type'] : []),
    ...(data === undefined ? ['Data'] : []),
  ];
  return missing.length === 0 ? undefined : missing.map(required).join('\n');
}
