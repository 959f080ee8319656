import { normalizedName, type Requirement, readRequirement } from './requirement.ts';
import { at, type Table, table, tables, text, texts } from './values.ts';

export interface Pyproject {
  readonly name: string | undefined;
  readonly requiresPython: string | undefined;
  /** `[project] dependencies`; undefined when there is no such list. */
  readonly dependencies: readonly Requirement[] | undefined;
  /** The list is made by the package's build backend. */
  readonly dynamic: boolean;
  /** Files that setuptools is told to read the list from. */
  readonly dynamicFiles: readonly string[];
  /** Dependencies named for another tool than the installer. */
  readonly foreignTool: 'poetry' | undefined;
  /** The project would be installed itself: it has a build system. */
  readonly installable: boolean;
  readonly constraints: readonly Requirement[];
  readonly overrides: readonly Requirement[];
  readonly prerelease: string | undefined;
  /** Indexes and pages of links that the package names. */
  readonly sources: readonly string[];
  readonly problems: readonly string[];
}

/** @param document a parsed pyproject.toml */
export function readPyproject(document: unknown): Pyproject {
  const problems: string[] = [];
  const read = (lines: readonly string[], where: string): Requirement[] =>
    lines.flatMap((line) => {
      const requirement = readRequirement(line);
      if (typeof requirement !== 'string') return [requirement];
      problems.push(`pyproject.toml, ${where}: ${requirement.slice(0, 300)}`);
      return [];
    });
  const project = table(at(document, 'project'));
  const uv = at(document, 'tool', 'uv');
  const listed = at(project, 'dependencies');
  const dynamic = texts(at(project, 'dynamic')).includes('dependencies');
  const poetry = table(at(document, 'tool', 'poetry', 'dependencies'));
  const sources = sourcesByName(table(at(uv, 'sources')) ?? {});
  const dependencies =
    project !== undefined && Array.isArray(listed)
      ? [
          ...read(texts(listed), 'dependencies'),
          ...defaultGroups(document, (lines) => read(lines, 'dependency-groups')),
        ]
      : undefined;
  return {
    name: text(at(project, 'name')),
    requiresPython: text(at(project, 'requires-python')),
    dependencies: dependencies?.map((one) => fromSource(one, sources)),
    dynamic,
    dynamicFiles: dynamic ? dynamicFiles(document) : [],
    foreignTool: poetry !== undefined && Object.keys(poetry).some((name) => name !== 'python') ? 'poetry' : undefined,
    installable:
      at(uv, 'package') === true || (at(uv, 'package') !== false && table(at(document, 'build-system')) !== undefined),
    constraints: read(texts(at(uv, 'constraint-dependencies')), 'constraint-dependencies'),
    overrides: read(texts(at(uv, 'override-dependencies')), 'override-dependencies'),
    prerelease: text(at(uv, 'prerelease')),
    sources: [
      ...tables(at(uv, 'index')).flatMap((index) => text(index.url) ?? []),
      ...[at(uv, 'index-url')].flatMap((url) => text(url) ?? []),
      ...texts(at(uv, 'extra-index-url')),
      ...texts(at(uv, 'find-links')),
    ],
    problems,
  };
}

/** Groups that uv installs unasked, without `dev`, which is never installed for a plugin. */
function defaultGroups(document: unknown, read: (lines: readonly string[]) => Requirement[]): Requirement[] {
  const groups = table(at(document, 'dependency-groups')) ?? {};
  return texts(at(document, 'tool', 'uv', 'default-groups'))
    .filter((name) => normalizedName(name) !== 'dev')
    .flatMap((name) => read(texts(at(groups, name))));
}

function dynamicFiles(document: unknown): string[] {
  const file = at(document, 'tool', 'setuptools', 'dynamic', 'dependencies', 'file');
  return typeof file === 'string' ? [file] : texts(file);
}

/** Of two spellings of one name the first counts. */
function sourcesByName(sources: Table): ReadonlyMap<string, unknown> {
  const byName = new Map<string, unknown>();
  for (const [key, source] of Object.entries(sources)) {
    const name = normalizedName(key);
    if (!byName.has(name)) byName.set(name, source);
  }
  return byName;
}

/** A requirement with what `[tool.uv.sources]` says about where it comes from. */
function fromSource(requirement: Requirement, sources: ReadonlyMap<string, unknown>): Requirement {
  const found = requirement.name === undefined ? undefined : sources.get(requirement.name);
  const source = table(found) ?? tables(found)[0];
  if (source === undefined || requirement.url !== undefined || requirement.path !== undefined) return requirement;
  const named = (url: string): Requirement => {
    const head = requirement.text.split(/[;<>=!~]/, 1)[0]?.trim() ?? '';
    const marker = requirement.marker === undefined ? '' : ` ; ${requirement.marker}`;
    return { ...requirement, text: `${head} @ ${url}${marker}`, url };
  };
  const git = text(source.git);
  if (git !== undefined) {
    const revision = text(source.rev) ?? text(source.tag) ?? text(source.branch);
    const subdirectory = text(source.subdirectory);
    return named(
      `git+${git}${revision === undefined ? '' : `@${revision}`}${subdirectory === undefined ? '' : `#subdirectory=${subdirectory}`}`,
    );
  }
  const url = text(source.url);
  if (url !== undefined) return named(url);
  const path = text(source.path) ?? (source.workspace === true ? requirement.name : undefined);
  return path === undefined ? requirement : { ...requirement, path };
}
