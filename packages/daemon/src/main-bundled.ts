/** What main.ts is, as the bundle has it: the rest is one file beside it, loaded with what was compiled of it before. */
import { join } from 'node:path';
import { loadCompiled } from './compiled-code.ts';
import { asAtStart } from './heap/index.ts';
import { compiledDirectory, type Loaded, main } from './program.ts';

/** By then the daemon has begun what it does after it listens, and few have called. */
const KEEP_AFTER_MS = 1000;

void main(process.argv.slice(2), async () => {
  const file = loadCompiled(join(import.meta.dirname, 'roles.js'), {
    directory: compiledDirectory,
    underSameFlags: asAtStart,
  });
  return {
    // The bundler has made the file of that module.
    roles: file.exports as Loaded['roles'],
    onServing: () => void setTimeout(() => file.keep(), KEEP_AFTER_MS).unref(),
  };
});
