/**
 * What a plugin says about its answer: parts as they come, and the head they add up to (docs/wire/http-api.md#webhooks,
 * docs/wire/runtime-protocol.md#endpoint-messages).
 */

import { validateHeaderName } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject } from '@plugin-daemon/values';

export interface AnswerPart {
  readonly status: number | undefined;
  /** Lists as values are accepted where a header repeats. */
  readonly headers: ReadonlyMap<string, readonly string[]> | undefined;
  readonly result: Buffer | undefined;
}

export interface Head {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string | string[]])[];
  /** A usable Content-Length of the plugin; only an answer to HEAD may repeat it unchecked. */
  readonly declaredLength: number | undefined;
}

/** The usual later part, as the SDK writes it. */
const bodyOnly = '{"result":"';

/**
 * One `stream` payload, latin1 as the runtime delivers it.
 * @returns undefined if it is no JSON at all, `problem` if it is JSON of another form.
 */
export function parsePart(json: string): AnswerPart | { readonly problem: string } | undefined {
  if (json.startsWith(bodyOnly) && json.endsWith('"}')) {
    const result = fromHex(json.slice(bodyOnly.length, -2));
    if (result !== undefined) return { status: undefined, headers: undefined, result };
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(json, 'latin1').toString('utf8'));
  } catch {
    // Told to the caller, who reads the line in the ordinary way.
    return undefined;
  }
  if (value === null) return partOf({});
  if (!isObject(value))
    return { problem: `json: cannot unmarshal ${kindOf(value)} into Go value of type endpoint_entities.${CHUNK}` };
  return partOf(value);
}

function partOf({ status, headers, result }: Record<string, unknown>): AnswerPart | { readonly problem: string } {
  if (!absent(status) && !(Number.isInteger(status) && Number(status) >= 0 && Number(status) <= 65_535)) {
    return mismatch(typeof status === 'number' ? `number ${status}` : kindOf(status), 'status', 'uint16');
  }
  const fields = absent(headers) ? undefined : headerMap(headers);
  if (fields !== undefined && 'problem' in fields) return fields;
  if (!absent(result) && typeof result !== 'string') return mismatch(kindOf(result), 'result', 'string');
  const bytes = typeof result === 'string' ? fromHex(result) : undefined;
  if (typeof result === 'string' && bytes === undefined) return { problem: 'result is not hexadecimal' };
  return { status: absent(status) ? undefined : Number(status), headers: fields, result: bytes };
}

const CHUNK = 'EndpointResponseChunk';

/** In the words that plugin authors know. */
const mismatch = (what: string, field: string, type: string): { readonly problem: string } => ({
  problem: `json: cannot unmarshal ${what} into Go struct field ${CHUNK}.${field} of type ${type}`,
});

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;

function headerMap(value: unknown): ReadonlyMap<string, readonly string[]> | { readonly problem: string } {
  if (!isObject(value)) return mismatch(kindOf(value), 'headers', 'map[string]string');
  const fields = new Map<string, readonly string[]>();
  for (const [name, given] of Object.entries(value)) {
    const values: string[] = [];
    for (const item of Array.isArray(given) ? given : [given]) {
      if (typeof item !== 'string' && item !== null) return mismatch(kindOf(item), 'headers', 'string');
      values.push(item ?? '');
    }
    fields.set(name, values);
  }
  return fields;
}

function fromHex(text: string): Buffer | undefined {
  if (text.length % 2 !== 0) return undefined;
  const bytes = Buffer.from(text, 'hex');
  return bytes.length * 2 === text.length ? bytes : undefined;
}

/** Belong to a connection, not to an answer: ours are set by the server. */
const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Status line and headers of one answer, in bytes; no proxy and no client takes as much. */
export const MAX_HEAD_BYTES = 256 * 1024;
/** What a header costs besides its text. */
const HEADER_COST_BYTES = 64;

/** Adds up status and headers: the last status counts, of a repeated header the first, names in any case. */
export class HeadBuilder {
  #status: number | undefined;
  readonly #headers = new Map<string, { readonly name: string; readonly values: readonly string[] }>();
  #bytes = 0;

  /** @returns false when the head has become larger than `MAX_HEAD_BYTES` */
  add({ status, headers }: AnswerPart): boolean {
    if (status !== undefined) this.#status = status;
    for (const [name, values] of headers ?? []) {
      const key = name.toLowerCase();
      if (values.length === 0 || this.#headers.has(key) || !isName(name)) continue;
      for (const value of values) this.#bytes += name.length + Buffer.byteLength(value) + HEADER_COST_BYTES;
      if (this.#bytes > MAX_HEAD_BYTES) return false;
      this.#headers.set(key, { name, values });
    }
    return true;
  }

  /** @returns an error (502) for a status that no HTTP client could read. */
  build(): Head | DaemonError {
    // 100 is how the protocol itself says "no status yet".
    const status = this.#status === undefined || this.#status === 100 ? 200 : this.#status;
    if (status < 200 || status > 999) {
      return new DaemonError(
        'internal',
        `the plugin answered with status ${status}, which is none that HTTP can carry`,
        {
          status: 502,
        },
      );
    }
    const named = (this.#headers.get('connection')?.values ?? [])
      .flatMap((value) => value.split(','))
      .map((token) => token.trim().toLowerCase());
    const dropped = new Set([...hopByHop, ...named, 'content-length']);
    const length = Number(this.#headers.get('content-length')?.values[0]?.trim() || Number.NaN);
    return {
      status,
      headers: [...this.#headers]
        .filter(([key]) => !dropped.has(key))
        .map(([, { name, values }]) => {
          const texts = values.map(headerText);
          return [name, texts.length === 1 && texts[0] !== undefined ? texts[0] : texts] as const;
        }),
      declaredLength: Number.isSafeInteger(length) && length >= 0 ? length : undefined,
    };
  }
}

/** UTF-8 bytes as HTTP carries them, line breaks and other controls as blanks. */
const headerText = (value: string): string =>
  Buffer.from(value, 'utf8')
    .toString('latin1')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not stand in a header
    .replace(/[\x00-\x08\x0a-\x1f\x7f]/g, ' ')
    .trim();

function isName(name: string): boolean {
  try {
    validateHeaderName(name);
    return true;
  } catch {
    // The plugin's header has no name that HTTP allows: left out, as callers know it.
    return false;
  }
}

const absent = (value: unknown): value is undefined | null => value === undefined || value === null;
