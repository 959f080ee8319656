/**
 * Text as it stands on the wire: one character per byte while it is carried, and no character that some reader takes for a line end.
 * Pure functions, used by everything that reads or writes lines: runtimes/protocol, invocation/answers and http/dispatch.
 */
export { escapeLineEnds, safeLatin1, toLatin1 } from './line-safety.ts';
export { standsAt } from './stands-at.ts';
