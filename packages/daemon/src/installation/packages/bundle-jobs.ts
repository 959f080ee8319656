/**
 * A bundle taken apart: its packages prepared, its other dependencies in the form clients get (docs/wire/http-api.md#uploads,
 * docs/wire/packages.md#bundles).
 */
import { decodeBundle, isUuid, type ResolvedDependency, resolveDependency } from '@plugin-daemon/plugin-package';
import {
  accept,
  type Checked,
  decodeOptions,
  explained,
  type IntakeRules,
  isRefusal,
  type PreparedPackage,
  type Refusal,
  refusing,
} from './package-jobs.ts';

export type BundleDependency =
  | Exclude<ResolvedDependency, { type: 'package' }>
  | { readonly type: 'package'; readonly prepared: PreparedPackage };

export interface PreparedBundle {
  readonly dependencies: readonly BundleDependency[];
}

/** Texts that upstream answers with -500; all others are the sender's fault. */
const internalTexts = /^(?:failed to fetch package from bundle|failed to decode package)/;

/** Every package of the bundle is decoded and checked, in the order of its manifest; the first refusal ends it. */
export function prepareBundle(bytes: Uint8Array<ArrayBuffer>, rules: IntakeRules): Checked<PreparedBundle> {
  const bundle = refusing(() => decodeBundle(bytes, { maxUnpackedBytes: rules.maxBundleBytes }));
  if (isRefusal(bundle)) return explained(bundle, bytes);
  const dependencies: BundleDependency[] = [];
  for (const dependency of bundle.manifest.dependencies) {
    const resolved = refusing(() => resolveDependency(bundle, dependency, decodeOptions(rules)));
    if (isRefusal(resolved)) return worded(resolved);
    if (resolved.type !== 'package') {
      dependencies.push(resolved);
      continue;
    }
    const { decoded } = resolved;
    if (isUuid(decoded.identifier.author)) return { refused: 'cannot set author to an UUID' };
    const prepared = accept(decoded, new Uint8Array(resolved.bytes), rules, (text) => ({
      refused: `failed to save package\n${text}\nfailed to remap assets`,
      internal: true,
    }));
    if (isRefusal(prepared)) return prepared;
    dependencies.push({ type: 'package', prepared });
  }
  return { dependencies };
}

function worded(refusal: Refusal): Refusal {
  return internalTexts.test(refusal.refused) ? { ...refusal, internal: true } : refusal;
}
