import { eq, violationText } from '@plugin-daemon/wire-schema';
import { dump } from 'js-yaml';
import type { I18n } from '../declaration/index.ts';
import {
  complete,
  decodeYaml,
  findViolations,
  i18n,
  list,
  listed,
  max,
  nullable,
  object,
  required,
  type Shape,
  tagRule,
  tagText,
  text,
  versionRule,
  zero,
} from '../declaration/index.ts';
import { PackageError, type Problem } from '../errors.ts';
import { parseYaml } from '../yaml/index.ts';

/** What a bundle asks for (docs/wire/packages.md#bundles). */
export type Dependency =
  | { readonly type: 'github'; readonly value: { readonly repo_pattern: string } }
  | { readonly type: 'marketplace'; readonly value: { readonly marketplace_pattern: string } }
  /** a package inside the bundle: its name below `_assets/` */
  | { readonly type: 'package'; readonly value: { readonly path: string } };

export interface BundleManifest {
  name: string;
  labels: I18n;
  description: I18n;
  icon: string;
  version: string;
  author: string;
  type: string;
  /** of known types only */
  dependencies: Dependency[];
  tags: string[];
}

interface RawManifest extends Omit<BundleManifest, 'dependencies'> {
  dependencies: { type: string; value: unknown }[] | null;
}

const dependency: Shape<{ type: string; value: unknown }> = {
  kind: 'tagged',
  type: 'bundle_entities.Dependency',
  variants: {
    github: object<{ repo_pattern: string }>('GithubDependency', { repo_pattern: zero(text, 'RepoPattern') }),
    marketplace: object<{ marketplace_pattern: string }>('MarketplaceDependency', {
      marketplace_pattern: zero(text, 'MarketplacePattern'),
    }),
    package: object<{ path: string }>('PackageDependency', { path: zero(text, 'Path') }),
  },
};

export const bundleManifest = object<RawManifest>('Bundle', {
  name: zero(text, 'Name', { rules: [required] }),
  labels: zero(i18n, 'Labels'),
  description: zero(i18n, 'Description'),
  icon: zero(text, 'Icon', { rules: [required] }),
  version: zero(text, 'Version', { rules: [required, versionRule] }),
  author: zero(text, 'Author', { rules: [required] }),
  type: zero(text, 'Type', { rules: [required, eq('bundle')] }),
  dependencies: nullable(list(dependency), 'Dependencies', { rules: [required], optional: false }),
  tags: listed(list(tagText), 'Tags', { each: [tagRule, max(128)] }),
});

/** A bundle's manifest and what its rules object to; rules do not keep a bundle from being read. @throws PackageError */
export function parseBundleManifest(source: string, file: string): { manifest: BundleManifest; warnings: Problem[] } {
  const raw = decodeYaml(parseYaml(source, file), bundleManifest).value as RawManifest;
  const warnings: Problem[] = findViolations(bundleManifest, raw).map((violation) => ({
    message: violationText(violation),
    file,
  }));
  complete(bundleManifest, raw);
  const dependencies: Dependency[] = [];
  for (const one of raw.dependencies ?? []) {
    // the shape has decoded the value of every type it knows, and left null in place of others
    if (one.value !== null) dependencies.push(one as Dependency);
    else warnings.push({ message: `a dependency of the unknown type ${JSON.stringify(one.type)} is skipped`, file });
  }
  return { manifest: { ...raw, dependencies }, warnings };
}

/** manifest.yaml of a bundle, indented by four. */
export function stringifyBundleManifest(manifest: BundleManifest): string {
  return dump(manifest, { indent: 4, lineWidth: -1, noRefs: true });
}

const V = String.raw`\d{1,4}(\.\d{1,4}){2}(-\w{1,16})?`;
const X = String.raw`(\d{1,4}|[xX])`;
const RANGE = String.raw`([~^]?${V}|${X}(\.${X}){2}|${V}-${V})`;
const GITHUB = new RegExp(`^[a-z0-9_-]{1,64}/[a-z0-9_-]{1,128}:${RANGE}/[^/]+$`);
const MARKETPLACE = new RegExp(`^[a-z0-9_-]{1,64}/[a-z0-9_-]{1,128}:${RANGE}$`);
const VERSION = new RegExp(`^${V}$`);

/** @throws PackageError `invalid github repo pattern` */
export function githubDependency(pattern: string): Dependency {
  if (!GITHUB.test(pattern)) throw new PackageError('invalid github repo pattern');
  return { type: 'github', value: { repo_pattern: pattern } };
}

/** @throws PackageError `invalid marketplace pattern` */
export function marketplaceDependency(pattern: string): Dependency {
  if (!MARKETPLACE.test(pattern)) throw new PackageError('invalid marketplace pattern');
  return { type: 'marketplace', value: { marketplace_pattern: pattern } };
}

/** @throws PackageError `invalid version` */
export function requireVersion(version: string): string {
  if (!VERSION.test(version)) throw new PackageError('invalid version');
  return version;
}
