/**
 * The daemon's environment: one table of settings, parsed and explained; and the data directory they name.
 *
 * Owns the meaning of every environment variable, `.env`, the generated keys and the lock of the data directory.
 * Only compose.ts reads `Settings`; parts receive small explicit options and never look at the environment.
 */
export type { Settings } from './load.ts';
