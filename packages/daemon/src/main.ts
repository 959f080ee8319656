/** Environment → compose → listen → drain, from the sources. Nothing else. */
import { join } from 'node:path';
import { main } from './program.ts';

void main(process.argv.slice(2), {
  compiledDirectory: join(import.meta.dirname, '../dist/compiled'),
  load: async () => ({ roles: await import('./roles.ts') }),
});
