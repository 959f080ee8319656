/** What the fakes of the stores have in common. Nothing here is shared with what signs: requests are judged as they came over the wire. */
import { createHash, createHmac } from 'node:crypto';

export interface WireRequest {
  readonly method: string;
  /** As sent, escaped. */
  readonly rawPath: string;
  /** As sent, in order. */
  readonly rawQuery: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** How a store sees requests; written after its public documentation. */
export interface FakeVendor {
  /** `b` is the bucket. What `Host` has to be. */
  readonly host: (port: number) => string;
  /** What the path begins with. */
  readonly base: string;
  /** Why the signature is wrong; undefined when it is right. */
  readonly refuse: (request: WireRequest) => string | undefined;
  /** The key in the copy header, or undefined when that is malformed. */
  readonly copySource: { readonly header: string; readonly key: (value: string) => string | undefined };
  readonly requestIdHeader: string;
  readonly format: 'xml' | 'json' | 'json-lower';
  readonly paging: {
    readonly limit: string;
    readonly after: string;
    readonly fixed?: Readonly<Record<string, string>>;
  };
}

export const keyId = 'the-id';
export const keySecret = 'the-secret';

export const macHex = (algorithm: string, key: string | Buffer, text: string) =>
  createHmac(algorithm, key).update(text, 'utf8').digest('hex');
export const macBase64 = (algorithm: string, key: string, text: string) =>
  createHmac(algorithm, key).update(text, 'utf8').digest('base64');
export const mac = (algorithm: string, key: string | Buffer, text: string) =>
  createHmac(algorithm, key).update(text, 'utf8').digest();
export const hashHex = (algorithm: string, text: string) => createHash(algorithm).update(text, 'utf8').digest('hex');

/** The parameters as sent, still escaped. */
export const rawParameters = (rawQuery: string): (readonly [string, string])[] =>
  rawQuery === ''
    ? []
    : rawQuery.split('&').map((part) => {
        const at = part.indexOf('=');
        return at < 0 ? ([part, ''] as const) : ([part.slice(0, at), part.slice(at + 1)] as const);
      });

const QUARTER_MS = 15 * 60_000;
/** As the stores do: clocks may differ by a quarter of an hour. */
export const isNow = (date: string | undefined): boolean =>
  date !== undefined && Math.abs(Date.now() - Date.parse(date)) < QUARTER_MS;
/** `20260102T030405Z` */
export const isNowCompact = (time: string): boolean =>
  /^\d{8}T\d{6}Z$/.test(time) && isNow(time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** RFC 3986 escaping, byte by byte. */
export function escapeBytes(text: string): string {
  let made = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    made += /[A-Za-z0-9._~-]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0').toUpperCase()}`;
  }
  return made;
}
