/**
 * Seeds: environments of the daemon's own that hold the SDK with what it needs, and nothing else, for parents to import
 * (prefork/). One stands for all plugins whose own environments hold the same distributions in the same versions, under the same
 * interpreter.
 *
 * Parents have the daemon's rights, so nothing of a seed comes from a plugin's environment: uv installs it from the operator's index. A
 * package has chosen versions of distributions that the SDK itself asks for, and no names, files or addresses.
 *
 * Owns `.parents` below PLUGIN_WORKING_PATH. Reached through PythonEnvironments.
 */
export { type Distributions, readDistributions } from './distributions.ts';
export { type Seed, Seeds, type SeedsOptions } from './seeds.ts';
