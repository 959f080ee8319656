/**
 * What a kind of backwards invocation is made of; the tables of this folder are such rows
 * (docs/wire/runtime-protocol.md#kinds-and-permissions).
 */
import type { Permission } from '@plugin-daemon/plugin-package';
import type { RecordType } from '@plugin-daemon/wire-schema';

/** What a manifest must ask for. */
export interface Right {
  /** The word in the denial. */
  readonly word: string;
  readonly granted: (permission: Permission | undefined) => boolean;
}

interface KindBase {
  readonly type: string;
  /** Absent: every plugin may. */
  readonly right?: Right;
  /** The fields that are sent on, with the names that validation messages use. */
  readonly request: RecordType;
}

/** A kind that Dify serves. */
export interface DifyKind extends KindBase {
  readonly target: 'dify';
  /** Below `/inner/api/`. */
  readonly path: string;
  /** `frames`: any number of results, each a `stream` message. `json`: one result, a `struct` message. */
  readonly answer: 'frames' | 'json';
  /** In front of what went wrong. */
  readonly failure: string;
  /** The same once the answer has begun; `failure` when absent. */
  readonly readFailure?: string;
  /** Makes the plugin's `data` from Dify's, both JSON text of objects. Throws with the reason. */
  readonly adapt?: (data: string) => string;
}

/** A kind that the daemon serves from its own storage. */
export interface StorageKind extends KindBase {
  readonly target: 'storage';
}

export type Kind = DifyKind | StorageKind;

/** A row of a kind that Dify serves. */
export const difyKind = (row: Omit<DifyKind, 'target'>): DifyKind => ({ target: 'dify', ...row });
