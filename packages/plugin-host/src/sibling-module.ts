/**
 * URL of a module beside the calling one, for worker threads: TypeScript in the source tree, JavaScript in the bundle, where every
 * worker is an entry of its own beside the others (see build.ts).
 * @param name relative to the caller, without an ending
 */
export const siblingModule = (name: string, caller: string): string =>
  new URL(`${name}${caller.endsWith('.ts') ? '.ts' : '.js'}`, caller).href;
