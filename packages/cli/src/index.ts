/**
 * `dify`, the plugin author's command line. Owns the command table and every command below it; touches files the user
 * names, a cache folder of its own, and processes it starts. Called by bin/dify; tests and the documentation
 * generator import from here.
 */
export type { Table } from './command.ts';
export { type Parsed, parse } from './command-line/program.ts';
export { runCommandLine } from './command-line/run.ts';
export { TABLE } from './command-line/table.ts';
export { CliError, EXIT } from './errors.ts';
export { type Answers, moduleFiles, pluginFiles } from './init/scaffold.ts';
