/** The directory of workers: in their primary process, which knows at once when one of them has died. */
export { type DirectoryCalls, PrimaryNodeDirectory, serveDirectory } from './primary-node-directory.ts';
