/**
 * What a package says about its dependencies, and what is made of it: files in, a plan out.
 *
 * Every value in here is the package's and hostile: files are read up to a size, TOML by a library and in a worker thread,
 * requirements line by line. uv itself never sees a file of the package (but uv.lock, whose export is read like a
 * requirements file): it gets requirements written by us, so that nothing in a package chooses where this machine asks,
 * what it sends there, or what is built. Knows no index and no process; called by the construction of an environment.
 */
export {
  type InstallPlan,
  ownSources,
  type PlanProblem,
  planInstall,
  pythonRanges,
  type RequirementSet,
  SDK,
} from './plan.ts';
export { allows, type PythonRange, readRange } from './python-range.ts';
export { type DependencyFacts, LARGEST, readDependencies, VENDORED_WHEELS } from './read.ts';
export type { Requirement } from './requirement.ts';
export { type RequirementsFile, readRequirementsFile } from './requirements-file.ts';
export { type Admitted, admit, hostOf, type SourcePolicy, sourcePolicy } from './source-policy.ts';
