import type { Readable } from 'node:stream';
import type { ObjectStat } from '../object-storage.ts';

/** Some keys below a prefix, and how to ask for the next ones. */
export interface KeyPage {
  /** Whole keys. */
  readonly keys: readonly string[];
  readonly next: string | undefined;
}

/**
 * What a driver of a store does: one request each, with the store's own words for it. Time limits and repeated attempts of one request
 * are the driver's; what answers mean to the daemon is `RemoteStorage`'s.
 *
 * Absence is undefined or false, when the store said 404 of what was asked for; whether it meant the object or the bucket is made sure of
 * by `RemoteStorage`. Everything else is thrown as it came.
 */
export interface ObjectClient {
  /** The canonical name, as in PLUGIN_STORAGE_TYPE. */
  readonly type: string;
  /** What a person calls it, with bucket and address: for messages. No credentials. */
  readonly name: string;
  get(key: string, signal: AbortSignal | undefined): Promise<{ size: number; stream: Readable } | undefined>;
  head(key: string, signal: AbortSignal | undefined): Promise<ObjectStat | undefined>;
  /** All or nothing. A source that fails must leave the old object, and no parts. */
  put(key: string, body: Uint8Array | AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): Promise<void>;
  copy(from: string, to: string, signal: AbortSignal | undefined): Promise<boolean>;
  /** Nothing is said of whether there was one. */
  remove(key: string, signal: AbortSignal | undefined): Promise<void>;
  /** @param prefix a beginning of keys, as it is */
  page(prefix: string, after: string | undefined, signal: AbortSignal | undefined): Promise<KeyPage>;
  /** Whether bucket and credentials are right; some make the bucket where there is none. @throws why not */
  check(signal: AbortSignal): Promise<void>;
  /** What an error of this driver says of its cause. */
  describe(error: unknown): RemoteFailure;
  close(): void;
}

export interface RemoteFailure {
  readonly cause: /** No answer, or one that says "later": asked again, it may work. */
    | 'unreachable'
    /** Credentials or rights. */
    | 'refused'
    /** There is no such bucket or container. */
    | 'no-bucket'
    | 'other';
  /** One line, without credentials. */
  readonly text: string;
}
