import type { Readable } from 'node:stream';

export interface ObjectStat {
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
}

/**
 * A flat space of keys with bytes behind them. Absence is an answer (undefined, false), never an error; every rejection
 * is a `DaemonError` that says what the backend could not do, or the reason of the signal. A malformed key (`objectKey` tells
 * which) is `bad-request`. A backend that cannot be reached is `unavailable`, never absence.
 */
export interface ObjectStorage {
  /** Canonical name of the backend, as in PLUGIN_STORAGE_TYPE: `local`, `aws_s3`, … */
  readonly type: string;
  read(key: string, signal?: AbortSignal): Promise<Buffer | undefined>;
  /** The bytes as they come from the backend; the caller consumes or destroys the stream. */
  readStream(key: string, signal?: AbortSignal): Promise<ObjectStream | undefined>;
  /**
   * Creates or replaces the object, all or nothing: readers and a crash see the old or the new bytes, never a part.
   * A source that fails leaves the old object.
   */
  write(key: string, data: Uint8Array | AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>;
  /** The same bytes under another key; false when there is no such object. */
  copy(from: string, to: string, signal?: AbortSignal): Promise<boolean>;
  /** false only when the object is definitely absent; anything unknown rejects. */
  exists(key: string, signal?: AbortSignal): Promise<boolean>;
  stat(key: string, signal?: AbortSignal): Promise<ObjectStat | undefined>;
  /** Keys below `prefix/`, relative to it, in no particular order; empty when there is nothing. */
  list(prefix: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** Deletes this one object, nothing below it; false when there was none. */
  delete(key: string, signal?: AbortSignal): Promise<boolean>;
  /** What keeps the backend from working now, with a remedy; undefined when it works. Asks it, at most every few seconds. */
  problem(): Promise<string | undefined>;
  /** Ends connections. */
  close(): Promise<void>;
}

export interface ObjectStream {
  /** Bytes. */
  readonly size: number;
  readonly stream: Readable;
}
