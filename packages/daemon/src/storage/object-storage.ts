import type { Readable } from 'node:stream';

export interface ObjectStat {
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
}

/**
 * A flat space of keys with bytes behind them. Absence is an answer (undefined, false), never an error; every rejection
 * is a `DaemonError` that says what the backend could not do. A malformed key (`objectKey` tells which) is `bad-request`.
 */
export interface ObjectStorage {
  /** Canonical name of the backend: `local`. */
  readonly type: string;
  read(key: string): Promise<Buffer | undefined>;
  /** The bytes as they come from the backend; the caller consumes or destroys the stream. */
  readStream(key: string): Promise<{ readonly size: number; readonly stream: Readable } | undefined>;
  /**
   * Creates or replaces the object, all or nothing: readers and a crash see the old or the new bytes, never a part.
   * A source that fails leaves the old object.
   */
  write(key: string, data: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** The same bytes under another key; false when there is no such object. */
  copy(from: string, to: string): Promise<boolean>;
  /** false only when the object is definitely absent; anything unknown rejects. */
  exists(key: string): Promise<boolean>;
  stat(key: string): Promise<ObjectStat | undefined>;
  /** Keys below `prefix/`, relative to it, in no particular order; empty when there is nothing. */
  list(prefix: string): Promise<readonly string[]>;
  /** Deletes this one object, nothing below it; false when there was none. */
  delete(key: string): Promise<boolean>;
}
