import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Import, importsOf } from './imports.ts';

/** An import of a file of the same repository. */
export interface Link extends Import {
  /** Path from the repository's root. */
  readonly target: string;
}

export interface SourceFile {
  /** From the repository's root, with `/`: `packages/daemon/src/http/index.ts`. */
  readonly path: string;
  /** `daemon`: the folder below `packages/`. */
  readonly package: string;
  readonly text: string;
  readonly links: readonly Link[];
  /** What is not written as a path: packages, ours and others'. */
  readonly bare: readonly Import[];
}

/** What a package says about itself. */
export interface PackageFile {
  readonly name: string;
  /** `.`, `./schema`: what others may import. */
  readonly exports: readonly string[];
  readonly dependencies: readonly string[];
}

export interface House {
  readonly files: ReadonlyMap<string, SourceFile>;
  /** By folder below `packages/`. */
  readonly packages: ReadonlyMap<string, PackageFile>;
}

const NOT_OURS = new Set(['node_modules', 'dist', 'fixtures']);

/** Reads every TypeScript file and `package.json` of a repository's packages. @param root the folder that holds `packages/` */
export function readHouse(root: string): House {
  const texts = new Map<string, string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory() && !NOT_OURS.has(entry.name)) walk(path);
      else if (entry.isFile() && (path.endsWith('.ts') || entry.name === 'package.json')) {
        texts.set(path, readFileSync(join(root, path), 'utf8'));
      }
    }
  };
  walk('packages');
  return houseOf(texts);
}

/** The same from texts by path. */
export function houseOf(texts: ReadonlyMap<string, string>): House {
  const files = new Map<string, SourceFile>();
  const packages = new Map<string, PackageFile>();
  for (const [path, text] of texts) {
    const [, name = '', ...rest] = path.split('/');
    if (rest.join('/') === 'package.json') packages.set(name, packageFile(text));
    if (!path.endsWith('.ts')) continue;
    const imports = importsOf(text);
    const links = imports
      .filter(({ specifier }) => specifier.startsWith('.'))
      .map((each) => ({ ...each, target: posix.join(posix.dirname(path), each.specifier) }));
    const bare = imports.filter(({ specifier }) => !specifier.startsWith('.'));
    files.set(path, { path, package: name, text, links, bare });
  }
  return { files, packages };
}

function packageFile(text: string): PackageFile {
  // Our own files, which npm has read as well.
  const { name, exports, dependencies, devDependencies } = JSON.parse(text) as {
    name: string;
    exports?: string | Record<string, string>;
    dependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
  return {
    name,
    exports: exports === undefined ? [] : typeof exports === 'string' ? ['.'] : Object.keys(exports),
    dependencies: Object.keys({ ...dependencies, ...devDependencies }),
  };
}

/** Tests, and what is there only for tests: fakes, harnesses, suites that several drivers share. Bench and services are programs, not that. */
export function isForTests(path: string): boolean {
  if (/\.test\.ts$/.test(path)) return true;
  if (/^packages\/(?:bench|services)\//.test(path)) return false;
  return (
    /\/(?:test|testing|conformance)\//.test(path) ||
    /(?:\.suite|\/testing|\/testing-[\w-]+|\/test-[\w-]+|\/fake-[\w-]+)\.ts$/.test(path)
  );
}
