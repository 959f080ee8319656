/**
 * Python of ours that runs inside a plugin's process, before its own: how its module is started, from nothing or from a parent that has
 * imported the SDK, and what is added to the SDK so that single calls can be cancelled. Owns programs as text and touches nothing; given
 * to the interpreter by whoever starts a plugin.
 */
export { bootstrapArguments } from './bootstrap-script.ts';
export { parentProgram } from './parent-script.ts';
