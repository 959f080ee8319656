/**
 * What may be asked of values of which nothing is known: parsed JSON, whatever was thrown. Never throws, whatever it is given.
 * Pure functions, no dependencies; everybody may call them.
 */
export { isObject } from './is-object.ts';
export { messageOf } from './message-of.ts';
