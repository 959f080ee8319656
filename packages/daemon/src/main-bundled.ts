/** What main.ts is, as a build has it: the rest is one file beside it, loaded with what was compiled of it before. */
import { join } from 'node:path';
import { holdBuild } from './builds.ts';
import { loadCompiled } from './compiled-code.ts';
import { asAtStart } from './heap/index.ts';
import { type Loaded, main } from './program.ts';

/** By then the daemon has begun what it does after it listens, and few have called. */
const KEEP_AFTER_MS = 1000;

const build = import.meta.dirname;
const compiledDirectory = join(build, 'compiled');

void main(process.argv.slice(2), {
  compiledDirectory,
  load: async () => {
    const file = loadCompiled(join(build, 'roles.js'), { directory: compiledDirectory, underSameFlags: asAtStart });
    return {
      // The bundler has made the file of that module.
      roles: file.exports as Loaded['roles'],
      onServing: () => {
        setTimeout(() => file.keep(), KEEP_AFTER_MS).unref();
        // Where it is stopped before, the next start would compile everything again.
        process.once('exit', () => file.keep());
        holdBuild(build);
      },
    };
  },
});
