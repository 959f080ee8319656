/**
 * What a program of this repository is asked by its arguments: options as a table, of which parsing, `--help` and refusals follow. For
 * programs alone: it writes to the streams of the process, and ends it.
 */
export type { OptionTable, ProgramDescription } from './description.ts';
export { type Asked, argumentsOf, type Instead, readArguments, refusal } from './program-arguments.ts';
