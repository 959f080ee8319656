/**
 * What plugins can ask of Dify, and who may. Pure data and the one decision on it, used by the daemon's backwards-invocation/, which adds
 * what is sent where, and by the command line, which stands in for Dify.
 */
import type { Permission } from '@plugin-daemon/plugin-package';
import { valueText } from '@plugin-daemon/wire-schema';
import { type BackwardsKind, type BackwardsKindRow, backwardsKinds } from './table.ts';

export { type Right, rights } from './rights.ts';
export { type BackwardsKind, type BackwardsKindRow, backwardsKinds } from './table.ts';

const isBackwardsKind = (type: string): type is BackwardsKind => Object.hasOwn(backwardsKinds, type);

/** The row of a kind that somebody named; undefined when there is none. */
export const backwardsKindRow = (type: string): BackwardsKindRow | undefined =>
  isBackwardsKind(type) ? backwardsKinds[type] : undefined;

/** Who calls back. */
export interface BackwardsAsker {
  /** Access type of the session that calls back; models may not. */
  readonly accessType: string;
  /** What the manifest asks for. */
  readonly permission: Permission | undefined;
}

/** The kind of a call back if it may be made, else the words in which the plugin is refused. */
export function grantedKind(
  type: string,
  { accessType, permission }: BackwardsAsker,
): { readonly kind: BackwardsKind } | { readonly refusal: string } {
  if (accessType === 'model') return { refusal: 'you can not invoke dify from model' };
  if (!isBackwardsKind(type)) return { refusal: `unsupported invoke type: ${valueText(type)}` };
  const { right }: BackwardsKindRow = backwardsKinds[type];
  if (right === undefined || right.granted(permission)) return { kind: type };
  return { refusal: `permission denied, you need to enable ${right.word} access in plugin manifest` };
}
