/**
 * Plugins that are still directories: ignore rules, packing, checksum. Reads files below the directory it is given, and
 * runs uv there when requirements.txt has to be made; writes nothing. Called by the command line tool and by tests.
 */
export { type IgnoreRule, parseIgnoreFile } from './ignore.ts';
export { exportRequirements, type PackOptions, packDirectory, packOpened } from './pack.ts';
export { openDirectory, type PluginDirectory } from './plugin-directory.ts';
