/**
 * From the body of a dispatch request to the line a plugin reads (docs/wire/http-api.md#dispatch-body,
 * docs/wire/runtime-protocol.md#to-the-plugin).
 *
 * The caller's own text of `data` travels on wherever it can: unknown fields and the digits of numbers survive
 * (docs/wire/http-api.md#dispatch). Missing fields are added with their zero values, which SDK models need; only what has to change is
 * encoded anew.
 */

import { sliceMember, wellFormedJson } from '@plugin-daemon/plugin-host/json';
import { isObject } from '@plugin-daemon/values';
import {
  type Decoded,
  decode,
  embed,
  nested,
  nullable,
  object,
  type RecordType,
  record,
  required,
  string,
  zeroOf,
} from '@plugin-daemon/wire-schema';
import type { ActionSpec } from './actions.ts';

/** What a session is about, apart from its data; null stands for absent. */
export interface SessionEnvelope {
  readonly tenantId: string;
  readonly userId: string;
  readonly conversationId: string | null;
  readonly messageId: string | null;
  readonly appId: string | null;
  readonly endpointId: string | null;
  /** JSON text of an object, or `null`. */
  readonly context: string;
}

export interface DispatchRequest {
  readonly envelope: SessionEnvelope;
  /** JSON text of the plugin's `data`, routing keys included. */
  readonly data: string;
}

const GO_PACKAGE = 'github.com/langgenius/dify-plugin-daemon/pkg/entities/requests';

/** Name of the whole request in validation messages (docs/wire/http-api.md#validation-messages). */
const requestName = (type: RecordType): string => `InvokePluginRequest[${GO_PACKAGE}.${type.name}]`;

const envelopeFields = {
  conversation_id: nullable(string('ConversationID')),
  message_id: nullable(string('MessageID')),
  app_id: nullable(string('AppID')),
  endpoint_id: nullable(string('EndpointID')),
  context: object('Context'),
};

const identity = () =>
  embed('InvokePluginUserIdentity', { tenant_id: string('TenantId').check(required), user_id: string('UserId') });

/** The body of a dispatch route, for validation and description. */
export function dispatchBody(action: ActionSpec): RecordType {
  return record(requestName(action.request), identity(), { ...envelopeFields, data: nested('Data', action.request) });
}

const envelopeOnly = record('', identity(), envelopeFields);

/** The decoded body, ready to be validated against `dispatchBody`. */
export interface ReadBody {
  /** What validation looks at. */
  readonly value: { readonly tenant_id: string; readonly data: unknown };
  /** Encodes the request; call only after validation. */
  readonly finish: () => DispatchRequest;
}

/**
 * Decodes a body as upstream binds it.
 * @param parsed the body as JSON.parse gave it, undefined when it is none
 * @param text the same body as text
 * @param tenantFromPath overrides the body's tenant
 */
export function readDispatchBody(
  action: ActionSpec,
  parsed: unknown,
  text: string,
  tenantFromPath: string | undefined,
): ReadBody {
  const { value } = decode(envelopeOnly, parsed);
  const given = dataOf(parsed);
  const data = decode(action.request, given.value);
  const tenantId = tenantFromPath ?? value.tenant_id;
  return {
    value: { tenant_id: tenantId, data: data.value },
    finish: () => ({
      envelope: {
        tenantId,
        userId: value.user_id,
        conversationId: value.conversation_id,
        messageId: value.message_id,
        appId: value.app_id,
        endpointId: value.endpoint_id,
        context: value.context === null ? 'null' : (ownText(text, 'context') ?? wellFormedJson(value.context)),
      },
      data: encodeData(action, value.user_id, data, given.exact ? ownText(text, 'data') : undefined, given.value),
    }),
  };
}

function dataOf(parsed: unknown): { readonly value: unknown; readonly exact: boolean } {
  if (!isObject(parsed)) return { value: undefined, exact: false };
  if (Object.hasOwn(parsed, 'data')) return { value: parsed.data, exact: true };
  const key = Object.keys(parsed).find((k) => k.toLowerCase() === 'data');
  return { value: key === undefined ? undefined : parsed[key], exact: false };
}

/** Keys that route the request; a caller's keys of these names must not get in their way. */
const ROUTING = ['user_id', 'type', 'action'];

function encodeData(
  action: ActionSpec,
  userId: string,
  { value, missing, altered, changed }: Pick<Decoded<unknown>, 'value' | 'missing' | 'altered' | 'changed'>,
  own: string | undefined,
  given: unknown,
): string {
  const routing = `"user_id":${JSON.stringify(userId)},"type":${JSON.stringify(action.type)},"action":${JSON.stringify(action.action)}`;
  const asGiven = own !== undefined && !altered && isObject(given);
  if (asGiven && !ROUTING.some((key) => Object.hasOwn(given, key)) && !lacksLists(action.request, given)) {
    const inner = own.slice(1, -1).trim();
    return `{${routing}${defaults(action.request, missing)}${inner === '' ? '' : `,${inner}`}}`;
  }
  const decoded = new Map(Object.entries(Object.assign({}, value)));
  const whole = isObject(given) ? withoutSpellings(action.request, given) : {};
  for (const { key } of action.request.fields) {
    if (Object.hasOwn(whole, key) && !changed.includes(key)) continue;
    // Left out where it is empty; else as it was read.
    if (decoded.has(key)) whole[key] = decoded.get(key);
    else delete whole[key];
  }
  for (const key of ROUTING) delete whole[key];
  const encoded = wellFormedJson(completeNumTokens(action, whole)).slice(1, -1);
  return `{${routing}${encoded === '' ? '' : `,${encoded}`}}`;
}

/** Declared keys count in any case; what was taken from another spelling is not sent twice. */
function withoutSpellings(type: RecordType, given: Record<string, unknown>): Record<string, unknown> {
  const declared = new Set(type.fields.map(({ key }) => key));
  return Object.fromEntries(
    Object.entries(given).filter(([key]) => declared.has(key) || !declared.has(key.toLowerCase())),
  );
}

function defaults(type: RecordType, missing: readonly string[]): string {
  if (missing.length === 0) return '';
  let text = '';
  for (const { key, field } of type.fields) {
    if (missing.includes(key))
      text += `,${JSON.stringify(key)}:${LISTS_NOT_NULL.has(`${type.name}.${key}`) ? '[]' : JSON.stringify(zeroOf(field.type))}`;
  }
  return text;
}

/** Upstream sends these two as empty lists instead of null; the SDK's counting needs lists. */
const LISTS_NOT_NULL = new Set(['RequestGetLLMNumTokens.prompt_messages', 'RequestGetLLMNumTokens.tools']);

const lacksLists = (type: RecordType, data: Readonly<Record<string, unknown>>): boolean =>
  type.fields.some(({ key }) => data[key] === null && LISTS_NOT_NULL.has(`${type.name}.${key}`));

function completeNumTokens(action: ActionSpec, data: Record<string, unknown>): Record<string, unknown> {
  for (const { key } of action.request.fields) {
    if (data[key] === null && LISTS_NOT_NULL.has(`${action.request.name}.${key}`)) data[key] = [];
  }
  return data;
}

/** The text of a member as the caller wrote it; undefined where it cannot travel on one line or has lone surrogates. */
function ownText(text: string, key: string): string | undefined {
  const own = sliceMember(text, key);
  if (own === undefined || loneSurrogate.test(own)) return undefined;
  return own.includes('\n') || own.includes('\r') ? own.replace(/[\r\n]/g, ' ') : own;
}

/**
 * Escaped surrogates: rare, and parsers in plugins refuse lone ones, so such text is encoded anew
 * (docs/wire/runtime-protocol.md#json-rules).
 */
const loneSurrogate = /\\u[dD][89abAB]/;

/** The line for the plugin. */
export function requestLine(sessionId: string, envelope: SessionEnvelope, data: string): string {
  return `${lineHead(sessionId, envelope)}"event":"request","data":${data}}`;
}

/** What every line of a session begins with. */
export function lineHead(sessionId: string, envelope: SessionEnvelope): string {
  const { conversationId, messageId, appId, endpointId, context } = envelope;
  return `{"session_id":"${sessionId}","conversation_id":${JSON.stringify(conversationId)},"message_id":${JSON.stringify(messageId)},"app_id":${JSON.stringify(appId)},"endpoint_id":${JSON.stringify(endpointId)},"context":${context},`;
}
