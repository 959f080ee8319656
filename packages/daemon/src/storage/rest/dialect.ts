import type { LookupFunction } from 'node:net';
import type { KeyPage } from '../remote/index.ts';

/** What a signature is made over. */
export interface SignedRequest {
  readonly method: string;
  /** As in the header `Host`. */
  readonly host: string;
  /** Of the object, as it is; empty when the bucket is asked. */
  readonly key: string;
  /** The path that is sent, not escaped. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Under lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The headers that prove who asks, with those they need (dates). */
export type Signer = (request: SignedRequest, now: Date) => Record<string, string>;

/** What is particular to a store. */
export interface RestStore {
  /** As in PLUGIN_STORAGE_TYPE. */
  readonly type: string;
  /** What a person calls it, for messages. */
  readonly name: string;
  readonly bucket: string;
  /** Scheme and host that are asked for this bucket. */
  readonly origin: string;
  /** Before every key, with a slash at its end: `/`, or `/BUCKET/` where the bucket stands in the path. */
  readonly basePath: string;
  readonly sign: Signer;
  /** The header that makes of a PUT a copy of another object in the bucket. */
  readonly copySource: (key: string) => Readonly<Record<string, string>>;
  /** The question for a page of keys. */
  readonly listQuery: (prefix: string, after: string | undefined, limit: number) => Record<string, string>;
  /** @throws when the answer is no list */
  readonly readList: (document: unknown) => KeyPage;
  /** How names become addresses; undefined: as the machine does it. */
  readonly lookup?: LookupFunction;
}
