/** Environment → compose → listen → drain, from the sources. Nothing else. */
import { main } from './program.ts';

void main(process.argv.slice(2), async () => ({ roles: await import('./roles.ts') }));
