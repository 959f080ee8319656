/** The process dify-plugin-daemon-slim. */
import module from 'node:module';

if (Promise.withResolvers === undefined) await import('../older-node.ts');
module.enableCompileCache?.(); // Node 20 has none
const { runSlim } = await import('./run.ts');
const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => controller.abort(new Error('interrupted')));
process.exit(await runSlim(process.argv.slice(2), process.env, process, controller.signal));
