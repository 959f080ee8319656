/**
 * What a kind of backwards invocation is made of; the tables of this folder are such rows
 * (docs/wire/runtime-protocol.md#kinds-and-permissions).
 */
import { type BackwardsKind, type BackwardsKindRow, backwardsKinds } from '@plugin-daemon/plugin-host/backwards-kinds';
import type { RecordType } from '@plugin-daemon/wire-schema';

interface KindBase {
  readonly type: BackwardsKind;
  /** The fields that are sent on, with the names that validation messages use. */
  readonly request: RecordType;
}

/** A kind that Dify serves. */
export interface DifyKind extends KindBase, BackwardsKindRow {
  readonly target: 'dify';
  /** Below `/inner/api/`. */
  readonly path: string;
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

/** A row of a kind that Dify serves; who may, and how the answer is framed, is in the table of kinds. */
export const difyKind = (row: Omit<DifyKind, 'target' | keyof BackwardsKindRow>): DifyKind => ({
  target: 'dify',
  ...backwardsKinds[row.type],
  ...row,
});
