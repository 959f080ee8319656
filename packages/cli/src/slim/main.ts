/** The process dify-plugin-daemon-slim. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
const { runSlim } = await import('./run.ts');
const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Error('interrupted')));
process.exit(await runSlim(process.argv.slice(2), process.env, process, controller.signal));
