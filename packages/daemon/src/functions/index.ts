/**
 * The serverless platform: makes plugin versions run as functions that a connector builds (docs/wire/lifecycle.md#functions). Owns the rows
 * that say where a function is, and the lock under which one is built; touches packages through what compose/ hands in, functions not at
 * all. To installation it is what supervision is on the local platform; called by routing for rows that were lost, and by http/admin.
 */
export { FunctionBuilder, type FunctionBuilderOptions, type LaunchOutcome } from './function-builder.ts';
export { Functions, type FunctionsOptions, type ReinstallEvent } from './functions.ts';
export * from './sri/index.ts';
export { SriWatch } from './sri-watch.ts';
