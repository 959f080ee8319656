import type { Pyproject } from './pyproject.ts';
import { normalizedName, normalizedSpecifier } from './requirement.ts';
import { at, type Table, tables, text } from './values.ts';

export interface LockFile {
  readonly requiresPython: string | undefined;
  /** What makes the lock no longer the one of this pyproject.toml, in words; undefined when it is. */
  readonly stale: string | undefined;
  /** Distributions that come from an index and have no wheel: they are built here from source. */
  readonly withoutWheels: readonly string[];
}

const MAX_PACKAGES = 10_000;

/** @param document a parsed uv.lock */
export function readLock(document: unknown, pyproject: Pyproject): LockFile {
  const packages = tables(at(document, 'package')).slice(0, MAX_PACKAGES);
  const root = packages.find(isRoot);
  return {
    requiresPython: text(at(document, 'requires-python')),
    stale: root === undefined ? 'it does not name the project' : difference(root, pyproject),
    withoutWheels: packages
      .filter((one) => text(at(one, 'source', 'registry')) !== undefined && tables(one.wheels).length === 0)
      .map((one) => text(one.name) ?? '?'),
  };
}

/** The project itself: `virtual` without a build system, else `editable`. */
const isRoot = (one: Table): boolean =>
  [at(one, 'source', 'virtual'), at(one, 'source', 'editable'), at(one, 'source', 'directory')].includes('.');

function difference(root: Table, pyproject: Pyproject): string | undefined {
  const locked = new Map<string, Set<string>>();
  for (const one of tables(at(root, 'metadata', 'requires-dist'))) {
    const name = normalizedName(text(one.name) ?? '');
    const specifiers = locked.get(name) ?? new Set<string>();
    specifiers.add(normalizedSpecifier(text(one.specifier) ?? ''));
    locked.set(name, specifiers);
  }
  for (const { name, specifier, url, path } of pyproject.dependencies ?? []) {
    if (name === undefined) continue;
    const specifiers = locked.get(name);
    if (specifiers === undefined) return `it does not have ${name}`;
    if (url === undefined && path === undefined && !specifiers.has(specifier))
      return `it has ${name} ${[...specifiers].join(' or ') || 'in any version'} where pyproject.toml has ${specifier || 'any version'}`;
  }
  return undefined;
}
