/**
 * The kinds of backwards invocations, as data: what is sent where, how errors begin; who may stands in plugin-host.
 * A new kind is a new row. Pure values; only the dispatcher beside this folder reads them.
 */
import { appKinds } from './apps.ts';
import { fileKinds } from './files.ts';
import type { Kind } from './kind.ts';
import { languageModelKinds } from './language-models.ts';
import { nodeKinds } from './nodes.ts';
import { otherModelKinds } from './other-models.ts';
import { storageKind } from './storage.ts';
import { toolKinds } from './tools.ts';

export type { DifyKind, Kind } from './kind.ts';
export { StorageRequest } from './storage.ts';

const rows: readonly Kind[] = [
  ...toolKinds,
  ...languageModelKinds,
  ...otherModelKinds,
  ...appKinds,
  ...nodeKinds,
  ...fileKinds,
  storageKind,
];

/** All kinds by their type. */
export const kinds: ReadonlyMap<string, Kind> = new Map(rows.map((kind) => [kind.type, kind]));
