/**
 * Environments that several plugins and versions share, because what is installed in them is the same: kept by the content of their
 * files and their interpreter, read by plugins and written to by nobody.
 *
 *     .environments/<fingerprint>/         the environment; `dify/environment.json`, written last, says what it is and that it is whole,
 *                                          `dify/manifest` what every file has to be: the fingerprint is the hash of it
 *     .environments/.known/<request>.json  what packages asked for, and the environment that came of it
 *     .environments/.new-…  .old-…         being made; replaced, and perhaps still seen by a plugin that runs
 *     <plugin>/.venv/                      a small environment of the plugin's own: its pyvenv.cfg and flag, and links to the shared one
 *
 * A plugin finds its libraries by the links, so its prefix, and whatever is found from there, is its own; its code never lies in what is
 * shared. Packages do not choose what others get: what is shared is told apart by what its files are, not by what they are said to be.
 *
 * Owns `.environments` below PLUGIN_WORKING_PATH. Called by PythonEnvironments, which holds the lock of the plugin's directory.
 */
export { attachEnvironment } from './attachment.ts';
export {
  type CollectedEnvironment,
  type CollectOptions,
  collectStored,
  listStored,
  type StoredReport,
} from './collection.ts';
export { EnvironmentStore, type Published, type StoreOptions } from './environment-store.ts';
export type { StoredEnvironment } from './record.ts';
export { type KnownCircumstances, packageKey, planKey } from './request-keys.ts';
