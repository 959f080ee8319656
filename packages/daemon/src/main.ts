/** Environment → compose → listen → drain. Nothing else. */
import { enableCompileCache } from 'node:module';
import { holdYoungGeneration } from './young-generation.ts';

enableCompileCache();

const USAGE = `npm start                 the daemon; settings: docs/configuration.md
npm start -- --check      tries settings, storage, database, uv, Python and package index, and exits
npm start -- sri           the server of the serverless runtime interface: docs/sri.md
npm run migrate-store      moves an installation between SQLite, PostgreSQL and MySQL; --help says more
`;

// Loaded after the compile cache is on: that saves most of the start-up time.
const args = process.argv.slice(2);
if (args.length === 0) {
  holdYoungGeneration();
  const { serve } = await import('./serve.ts');
  await serve();
} else if (args.length === 1 && args[0] === '--check') {
  const { check } = await import('./check.ts');
  await check();
} else if (args.length === 1 && args[0] === 'sri') {
  holdYoungGeneration();
  const { serveSri } = await import('./serve-sri.ts');
  await serveSri();
} else if (args[0] === 'migrate-store') {
  const { migrateStore } = await import('./migrate-store.ts');
  process.exitCode = await migrateStore(args.slice(1));
} else {
  const asked = args.length === 1 && (args[0] === '--help' || args[0] === '-h');
  (asked ? process.stdout : process.stderr).write(asked ? USAGE : `no such arguments: ${args.join(' ')}\n\n${USAGE}`);
  process.exitCode = asked ? 0 : 2;
}
