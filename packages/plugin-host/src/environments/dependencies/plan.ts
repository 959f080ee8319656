import { join, posix } from 'node:path';
import type { EnvironmentFailure } from '../failures.ts';
import type { DependencyFacts, Readable } from './read.ts';
import { VENDORED_REQUIREMENTS, VENDORED_WHEELS } from './read.ts';
import type { Requirement } from './requirement.ts';
import type { RequirementsFile } from './requirements-file.ts';

export interface PlanFlags {
  /** An index other than the public one is used: it prefers requirements.txt, as with upstream. */
  readonly mirror: boolean;
  readonly ignoreLock: boolean;
}

/** What is installed, and why that. */
export type InstallPlan = {
  /** The file that names the dependencies, relative to the package. */
  readonly file: string;
  /** Files that name dependencies too and are left aside, with the reason; for the log. */
  readonly notes: readonly string[];
} & (
  | { readonly kind: 'nothing' }
  /** What uv.lock has, under its hashes. */
  | { readonly kind: 'lock' }
  | ({ readonly kind: 'requirements'; readonly vendored: boolean } & RequirementSet)
);

export interface RequirementSet {
  readonly requirements: readonly Requirement[];
  readonly constraints: readonly Requirement[];
  readonly overrides: readonly Requirement[];
  /** Lines of a requirements file without an address. */
  readonly options: readonly string[];
  readonly prerelease: string | undefined;
}

export interface PlanProblem {
  readonly failure: EnvironmentFailure;
  readonly text: string;
}

export const SDK = 'dify-plugin';

/**
 * Decides by content what is installed: a file that says nothing does not hide one that does. Between two that do, upstream's
 * order holds (pyproject.toml with its lock, then requirements.txt; the other way round with a mirror), but one that has
 * the SDK comes before one that has not.
 */
export function planInstall(facts: DependencyFacts, flags: PlanFlags): InstallPlan | PlanProblem {
  if (facts.vendoredWheels) return vendored(facts);
  const requirements = facts.requirements;
  const needs = requirements !== undefined && (saysSomething(requirements) || requirements.problems.length > 0);
  if (facts.pyproject === undefined) {
    if (requirements !== undefined) return fromFile('requirements.txt', requirements, facts, []);
    return {
      failure: 'no-dependency-file',
      text: 'failed to create virtual environment: failed to find dependency file: neither pyproject.toml nor requirements.txt found in plugin directory',
    };
  }
  if ('problem' in facts.pyproject) {
    return needs && requirements !== undefined
      ? fromFile('requirements.txt', requirements, facts, [facts.pyproject.problem])
      : { failure: 'bad-requirement', text: facts.pyproject.problem };
  }
  const project = facts.pyproject.content;
  const declared = project.dependencies ?? [];
  if (needs && requirements !== undefined) {
    const note = pyprojectLeftAside(facts, declared, requirements, flags);
    if (note !== undefined) return fromFile('requirements.txt', requirements, facts, [note]);
  }
  const notes: string[] = [];
  if (facts.lock !== undefined && project.name !== undefined && !flags.ignoreLock) {
    if ('problem' in facts.lock) return { failure: 'bad-lock', text: facts.lock.problem };
    const { stale } = facts.lock.content;
    if (stale === undefined || project.dynamic) return { kind: 'lock', file: 'uv.lock', notes };
    notes.push(`uv.lock is not the one of pyproject.toml: ${stale}; the dependencies are resolved anew`);
  }
  if (project.problems.length > 0) return { failure: 'bad-requirement', text: project.problems.join('\n') };
  if (declared.length > 0) {
    return {
      kind: 'requirements',
      file: 'pyproject.toml',
      notes,
      vendored: false,
      requirements: declared,
      constraints: project.constraints,
      overrides: project.overrides,
      options: [],
      prerelease: project.prerelease,
    };
  }
  if (project.foreignTool !== undefined || project.dynamic) {
    const where = project.foreignTool === undefined ? 'made by its build system' : `for ${project.foreignTool}`;
    return {
      failure: 'unreadable-dependencies',
      text: `failed to create virtual environment: pyproject.toml has its dependencies ${where}, and there is no requirements.txt`,
    };
  }
  return { kind: 'nothing', file: 'pyproject.toml', notes };
}

/** Why requirements.txt counts although there is a pyproject.toml; undefined when it does not. */
function pyprojectLeftAside(
  facts: DependencyFacts,
  declared: readonly Requirement[],
  requirements: RequirementsFile,
  flags: PlanFlags,
): string | undefined {
  if (flags.mirror) return 'requirements.txt is preferred with a mirror';
  if (declared.length === 0) return 'pyproject.toml names no dependencies';
  if (!names(declared, SDK) && names(requirements.requirements, SDK) && !carried(facts))
    return `pyproject.toml does not name ${SDK}, requirements.txt does`;
  return undefined;
}

const carried = (facts: DependencyFacts): boolean => facts.carriesSdk;

function vendored(facts: DependencyFacts): InstallPlan | PlanProblem {
  const first = facts.vendoredRequirements ?? facts.requirements;
  const file = facts.vendoredRequirements === undefined ? 'requirements.txt' : VENDORED_REQUIREMENTS;
  if (first !== undefined) return fromFile(file, first, facts, [], true);
  const project = content(facts.pyproject);
  if (project === undefined) {
    return {
      failure: 'no-dependency-file',
      text: `failed to create virtual environment: ${VENDORED_WHEELS} has wheels, and nothing says which of them are needed`,
    };
  }
  const { dependencies = [], constraints, overrides, prerelease } = project;
  const set = { requirements: dependencies, constraints, overrides, options: [], prerelease };
  return { kind: 'requirements', file: 'pyproject.toml', notes: [], vendored: true, ...set };
}

function fromFile(
  file: string,
  given: RequirementsFile,
  facts: DependencyFacts,
  notes: readonly string[],
  isVendored = false,
): InstallPlan | PlanProblem {
  if (given.problems.length > 0) return { failure: 'bad-requirement', text: given.problems.slice(0, 10).join('\n') };
  const itself = given.itself ? (content(facts.pyproject)?.dependencies ?? []) : [];
  const requirements = [...given.requirements, ...itself];
  const all = [...notes, ...given.ignored.map((line) => `left out: ${line}`)];
  if (requirements.length === 0) return { kind: 'nothing', file, notes: all };
  const { constraints } = given;
  const prerelease = given.options.includes('--pre') ? 'allow' : undefined;
  const options = given.options.filter((line) => line !== '--pre' && line !== '--prefer-binary');
  const set = { requirements, constraints, overrides: [], options, prerelease };
  return { kind: 'requirements', file, notes: all, vendored: isVendored, ...set };
}

const content = <T>(value: Readable<T> | undefined): T | undefined =>
  value !== undefined && 'content' in value ? value.content : undefined;

const saysSomething = (file: RequirementsFile): boolean => file.requirements.length > 0 || file.itself;

const names = (requirements: readonly Requirement[], name: string): boolean =>
  requirements.some((one) => one.name === name);

/** Everything the package would have asked of its own accord, beside the requirements themselves. */
export function ownSources(facts: DependencyFacts): string[] {
  const files = [facts.requirements, facts.vendoredRequirements].flatMap((file) => file?.sources ?? []);
  return [...new Set([...files, ...(content(facts.pyproject)?.sources ?? [])])];
}

/** `requires-python` of the project and of its lock. */
export function pythonRanges(facts: DependencyFacts, plan: InstallPlan): string[] {
  const lock = plan.kind === 'lock' ? content(facts.lock)?.requiresPython : undefined;
  return [content(facts.pyproject)?.requiresPython, lock].filter((range) => range !== undefined);
}

/** A wheel of the package itself, below it; undefined for everything else. */
export function wheelWithin(directory: string, requirement: Requirement): string | undefined {
  const path = requirement.path ?? (requirement.url?.startsWith('file:./') ? requirement.url.slice(5) : undefined);
  if (path === undefined || !path.endsWith('.whl')) return undefined;
  const within = posix.normalize(path.replaceAll('\\', '/'));
  return within.startsWith('..') || posix.isAbsolute(within) ? undefined : join(directory, within);
}
