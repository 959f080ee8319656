/** What this program is asked to do, by its arguments. */
import { enableCompileCache } from 'node:module';
import { holdBackForStart } from './heap/index.ts';

const USAGE = `npm start                 the daemon; settings: docs/configuration.md
npm start -- --check      tries settings, storage, database, uv, Python and package index, and exits
npm start -- sri           the server of the serverless runtime interface: docs/sri.md
npm run migrate-store      moves an installation between SQLite, PostgreSQL and MySQL; --help says more
`;

/** What can be asked for, once it is loaded. */
export interface Loaded {
  readonly roles: typeof import('./roles.ts');
  /** Called when a server serves. */
  readonly onServing?: () => void;
}

export interface Program {
  /**
   * Where compiled code is kept: beside the code rather than where all users of a machine may write: whoever writes this decides what
   * is run.
   */
  readonly compiledDirectory: string;
  /** Called once the engine is set up for what is loaded. */
  load(): Promise<Loaded>;
}

export async function main(args: readonly string[], { compiledDirectory, load }: Program): Promise<void> {
  const [role] = args;
  const isAlone = args.length === 1;
  const isServer = role === undefined || (isAlone && role === 'sri');
  const isKnown = isServer || (isAlone && role === '--check') || role === 'migrate-store';
  const asksForHelp = args.some((argument) => argument === '--help' || argument === '-h');
  if (asksForHelp && role !== 'migrate-store') {
    process.stdout.write(USAGE);
    return;
  }
  if (!isKnown) {
    process.stderr.write(`npm start: there is no ${args.join(' ')}; --help shows what there is\n`);
    process.exitCode = 2;
    return;
  }
  if (isServer) holdBackForStart();
  // The rest is loaded after the cache is on: that saves much of the start-up time.
  enableCompileCache(compiledDirectory);
  const { roles, onServing } = await load();
  if (role === undefined) {
    await roles.serve();
    onServing?.();
  } else if (isServer) {
    await roles.serveSri();
    onServing?.();
  } else if (role === '--check') await roles.check();
  else process.exitCode = await roles.migrateStore(args.slice(1));
}
