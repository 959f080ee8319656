/**
 * The Python environments of plugins: unpacks packages into working directories and installs their dependencies with uv.
 *
 * Owns everything below PLUGIN_WORKING_PATH (working directories with their `.venv` and log, `.uv-cache`, `.bytecode`,
 * `.resolutions`, `.environments`, `.parents`, `.build`) and the directory of fetched tools. Touches the disk, the package index, and processes through the
 * launcher; knows no database and no plugin protocol. Called by supervision/ before a start; compose.ts makes the one instance.
 *
 * A package may carry its dependencies: `vendor/wheels/*.whl`, with the pinned closure in `vendor/requirements.txt` (without
 * it requirements.txt or pyproject.toml is read). Then nothing is asked of any index.
 */
export type { EnvironmentDiagnosis } from './diagnosis.ts';
export { EnvironmentError, type EnvironmentFailure, FAILURES } from './failures.ts';
export type { GarbageOptions, GarbageReport } from './garbage.ts';
export { identityOf } from './identity.ts';
export { Installer } from './installer.ts';
export { MachineTools, type MachineToolsOptions } from './machine-tools.ts';
export type {
  BuildCage,
  BuildCageRequest,
  EnvironmentOutcome,
  PreparedEnvironment,
  PrepareRequest,
  PythonEnvironmentsOptions,
} from './options.ts';
export type { PythonInterpreter } from './python-discovery.ts';
export { PythonEnvironments } from './python-environments.ts';
export type { Seed, Seeds } from './seeds/index.ts';
export type { StoredReport } from './store/index.ts';
export { sitePackagesOf, workingDirectoryName } from './working-directory.ts';
