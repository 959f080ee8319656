import { createHash } from 'node:crypto';
import type { Pyproject } from './pyproject.ts';
import { normalizedName, normalizedSpecifier } from './requirement.ts';
import { at, type Table, table, tables, text } from './values.ts';

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

/**
 * What a lock file comes to: everything in it and everything that the project tells the installer, but what the project is called. Undefined
 * when it cannot be told from the documents.
 * @param pyproject the parsed pyproject.toml, or why there is none
 */
export function digestOfLock(lock: unknown, pyproject: { content: unknown } | { problem: string } | undefined) {
  if (pyproject === undefined || !('content' in pyproject)) return undefined;
  const packages = tables(at(lock, 'package'));
  const root = packages.find(isRoot);
  if (packages.length > MAX_PACKAGES || root === undefined) return undefined;
  const { name, version: _, ...rest } = root;
  // One that is named by another package, or by itself, is told apart by its name.
  const others = packages.filter((one) => one !== root);
  const named = [others, rest].some((part) => JSON.stringify(part).includes(JSON.stringify(name)));
  const content = {
    ...table(lock),
    package: [named ? { ...rest, name } : rest, ...others],
    uv: at(pyproject.content, 'tool', 'uv'),
    groups: at(pyproject.content, 'dependency-groups'),
    extras: at(pyproject.content, 'project', 'optional-dependencies'),
  };
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
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
