/**
 * Requests from a declaration and `name=value` texts: every value becomes what its declared type says, and what is
 * missing or not allowed is said with the choices.
 * Owns nothing; reads the files that a value names. Called by `invoke`, and by completion for the kinds.
 */
export { buildCall } from './build.ts';
export type { CallSpec, Inputs } from './call.ts';
export { callables, KINDS } from './kinds.ts';
export { convert, parseJson } from './values.ts';
