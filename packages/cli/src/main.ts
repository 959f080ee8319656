/** The process: arguments in, exit code out. Everything else is behind the command table. */
import module from 'node:module';

if (Promise.withResolvers === undefined) await import('./older-node.ts');
module.enableCompileCache?.(); // Node 20 has none
const { runCommandLine } = await import('./command-line/run.ts');
const { TABLE } = await import('./command-line/table.ts');
process.exitCode = await runCommandLine(TABLE, process.argv.slice(2));
// Everything was flushed and closed by its owner; a stray handle of a library must not keep a script waiting.
if (process.stdout.writableLength === 0) process.exit();
process.stdout.once('drain', () => process.exit());
