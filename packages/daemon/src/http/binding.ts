/**
 * Binds requests to their records as upstream's framework does (docs/wire/http-api.md#binding): the body counts by its media type, what
 * cannot be read is as if it had not been sent, and only the validation of the result decides.
 */

import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { jsonProblemText, parseForeign, skipSpace, skipValue } from '@plugin-daemon/plugin-host/json';
import {
  bindQuery,
  decode,
  decodeExactly,
  formatViolations,
  type RecordOf,
  type RecordType,
  validate,
} from '@plugin-daemon/wire-schema';

/** Throws the 400 of a failed validation. */
export function assertValid(type: RecordType, value: unknown, prefix?: string): void {
  const violations = prefix === undefined ? validate(type, value) : validate(type, value, prefix);
  if (violations.length > 0) throw new DaemonError('bad-request', formatViolations(violations));
}

/** Whether a body of this content type is read as JSON; the media type is case-sensitive, parameters do not matter. */
export const isJson = (contentType: string | undefined): boolean =>
  /^application\/json(?:$|[; ])/.test(contentType ?? '');

/**
 * The first JSON value of a text; undefined for what is not JSON. Anything after the value is ignored, as upstream does.
 * @throws DaemonError `bad-request` for what is nested too deeply to be worked on
 */
export function parseJsonBody(text: string): unknown {
  const whole = parseForeign(text);
  if (whole.ok) return whole.value;
  if (whole.problem !== 'syntax')
    throw new DaemonError('bad-request', `the request body is refused, because ${jsonProblemText[whole.problem]}`);
  // Perhaps a value with something behind it.
  const at = skipSpace(text, 0);
  const end = skipValue(text, at);
  if (end < 0 || skipSpace(text, end) === text.length) return undefined;
  try {
    return JSON.parse(text.slice(at, end));
  } catch {
    return undefined;
  }
}

/** The parameters of a query; of one that is not well-formed nothing counts, as upstream has it. */
export const readQuery = (text: string): URLSearchParams =>
  new URLSearchParams(/;|%(?![0-9a-fA-F]{2})/.test(text) ? '' : text);

/** Binds a request body; the query counts where the body is not JSON. */
export function bindBody<T>(
  type: RecordOf<T>,
  contentType: string | undefined,
  body: Buffer | undefined,
  query: URLSearchParams = new URLSearchParams(),
): T {
  const text = body?.toString('utf8') ?? '';
  const value = isJson(contentType) ? parseJsonBody(text) : formValues(type, contentType, text, query);
  const bound = decode(type, value).value;
  assertValid(type, bound);
  if (value === undefined && text.trim() !== '') {
    throw new DaemonError('bad-request', 'the request body is not valid JSON', {
      remedy: 'Send one JSON object with Content-Type: application/json',
    });
  }
  return bound;
}

/**
 * Binds the body of a request that is not upstream's: JSON, whatever the media type says, with declared fields of their types alone.
 * @throws DaemonError `bad-request` with what does not fit
 */
export function bindExactly<T>(type: RecordOf<T>, body: Buffer | undefined): T {
  const text = body?.toString('utf8') ?? '';
  const parsed = text.trim() === '' ? ({ ok: true, value: {} } as const) : parseForeign(text);
  if (!parsed.ok) {
    const problem =
      parsed.problem === 'syntax' ? 'is not valid JSON' : `is refused, because ${jsonProblemText[parsed.problem]}`;
    throw new DaemonError('bad-request', `the request body ${problem}`, { remedy: 'Send one JSON object' });
  }
  const decoded = decodeExactly(type, parsed.value);
  if (!decoded.ok) throw new DaemonError('bad-request', decoded.problem);
  assertValid(type, decoded.value);
  return decoded.value;
}

/** In a form, fields go by the names of their messages (docs/wire/http-api.md#binding). */
function formValues(
  type: RecordType,
  contentType: string | undefined,
  text: string,
  query: URLSearchParams,
): Record<string, unknown> {
  const isForm = /^application\/x-www-form-urlencoded(?:$|[; ])/.test(contentType ?? '');
  const form = new URLSearchParams(isForm ? text : '');
  for (const [name, value] of query) form.append(name, value);
  const out: Record<string, unknown> = {};
  for (const { key, field } of type.fields) {
    if (!form.has(field.name)) continue;
    if (field.type.kind === 'array') out[key] = form.getAll(field.name);
    else if (field.type.kind === 'int') out[key] = Number(form.get(field.name));
    else out[key] = form.get(field.name);
  }
  return out;
}

/**
 * Binds the query of a GET. A JSON body fills what the query lacks: Dify versions have sent parameters both ways
 * (docs/wire/http-api.md#lists-and-packages).
 * @param aliases other names, `alias → name`
 */
export function bindGet<T>(
  type: RecordOf<T>,
  query: URLSearchParams,
  aliases: Readonly<Record<string, string>>,
  contentType: string | undefined,
  body: Buffer | undefined,
): T {
  for (const [alias, name] of Object.entries(aliases)) {
    const given = query.get(alias);
    if (given !== null && !query.has(name)) query.set(name, given);
  }
  if (isJson(contentType) && body !== undefined && body.length > 0)
    addFromBody(type, query, parseJsonBody(body.toString('utf8')));
  const bound = bindQuery(type, query);
  assertValid(type, bound);
  return bound;
}

function addFromBody(type: RecordType, query: URLSearchParams, body: unknown): void {
  if (typeof body !== 'object' || body === null) return;
  const values = new Map(Object.entries(body));
  for (const { key, field } of type.fields) {
    if (query.has(key)) continue;
    const given = values.get(key) ?? values.get(field.name);
    const items: readonly unknown[] = Array.isArray(given) ? given : [given];
    for (const item of items) if (typeof item === 'string' || typeof item === 'number') query.append(key, String(item));
  }
}
