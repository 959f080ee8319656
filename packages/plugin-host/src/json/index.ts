/**
 * JSON text that others wrote: read within bounds, and sliced where its parts are passed on as they came. Pure functions on text, used by
 * whoever meets it: runtimes/protocol, and the daemon's invocation, database, cache and HTTP.
 */
export {
  excessOf,
  type ForeignJson,
  type JsonProblem,
  jsonProblemText,
  MAX_JSON_DEPTH,
  MAX_JSON_PARTS,
  parseForeign,
} from './foreign.ts';
export { findMember, skipSpace, skipString, skipValue, sliceMember } from './slice.ts';
export { wellFormedJson } from './well-formed.ts';
