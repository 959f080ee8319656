/**
 * What programs beside a daemon may know of it: where it keeps its data and is reached, as its own settings say, and its database while
 * it does not run. Loads neither the daemon nor a database driver before it is asked. Used by the command line.
 */
export { type LocalDaemon, localDaemon, openLocalDatabase } from './local-daemon.ts';
