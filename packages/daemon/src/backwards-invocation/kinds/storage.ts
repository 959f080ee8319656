import { type Infer, oneOf, record, required, string } from '@plugin-daemon/wire-schema';
import type { StorageKind } from './kind.ts';

export const storageOperations = ['get', 'set', 'del', 'exist'] as const;

/** `value` is hex, for `set`. */
export const StorageRequest = record('InvokeStorageRequest', {
  opt: string('Opt').called('dify_invocation.StorageOpt').check(required, oneOf(storageOperations, 'storage_opt')),
  key: string('Key').check(required),
  value: string('Value'),
});

export type StorageRequest = Infer<typeof StorageRequest>;

export const storageKind: StorageKind = {
  target: 'storage',
  type: 'storage',
  request: StorageRequest,
};
