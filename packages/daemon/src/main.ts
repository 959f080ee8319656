/** Environment → compose → listen → drain. Nothing else. */
import { enableCompileCache } from 'node:module';
import { holdYoungGeneration } from './heap/index.ts';

const USAGE = `npm start                 the daemon; settings: docs/configuration.md
npm start -- --check      tries settings, storage, database, uv, Python and package index, and exits
npm start -- sri           the server of the serverless runtime interface: docs/sri.md
npm run migrate-store      moves an installation between SQLite, PostgreSQL and MySQL; --help says more
`;

async function main(args: readonly string[]): Promise<void> {
  const [role] = args;
  const isAlone = args.length === 1;
  if (isAlone && (role === '--help' || role === '-h')) {
    process.stdout.write(USAGE);
    return;
  }
  const isServer = role === undefined || (isAlone && role === 'sri');
  if (isServer) holdYoungGeneration();
  // The rest is loaded after the cache is on: that saves most of the start-up time.
  enableCompileCache();
  const roles = await import('./roles.ts');
  if (role === undefined) await roles.serve();
  else if (isServer) await roles.serveSri();
  else if (isAlone && role === '--check') await roles.check();
  else if (role === 'migrate-store') process.exitCode = await roles.migrateStore(args.slice(1));
  else {
    process.stderr.write(`no such arguments: ${args.join(' ')}\n\n${USAGE}`);
    process.exitCode = 2;
  }
}

void main(process.argv.slice(2));
