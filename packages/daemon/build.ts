/**
 * Bundles the daemon into `dist/`: it then starts faster and needs a third less memory than the many modules it is made of.
 * Worker threads are entries of their own. Run by start.ts when the bundle is older than the sources, and by whoever ships it.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = import.meta.dirname;
const outdir = join(root, 'dist');

/** CommonJS parts of the bundle expect what modules do not have. */
const commonJs = `import { createRequire as createRequireOfBundle } from 'node:module';
import { dirname as dirnameOfBundle } from 'node:path';
const require = createRequireOfBundle(import.meta.url);
const __filename = import.meta.filename;
const __dirname = dirnameOfBundle(__filename);`;

const { outputFiles } = await build({
  write: false,
  entryPoints: {
    main: join(root, 'src/main.ts'),
    'package-worker': join(root, 'src/installation/packages/package-worker.ts'),
    'extraction-worker': join(root, '../plugin-host/src/environments/extraction-worker.ts'),
  },
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: '[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node26',
  // piscina starts its threads with a file of its own package, and has a native part. The others are CommonJS packages imported on
  // demand: as chunks of their own they would lose their named exports.
  external: ['piscina', 'undici', 'pg', 'mysql2', 'ioredis', 'bullmq', '@aws-sdk/*', '@azure/*', '@google-cloud/*'],
  minify: process.env.NO_MINIFY === undefined,
  sourcemap: 'linked',
  sourcesContent: false,
  banner: { js: commonJs },
  logLevel: 'warning',
});

// Whole files appear at once, and those of earlier bundles stay for a while: daemons that run from them load parts on demand.
mkdirSync(outdir, { recursive: true });
for (const { path, contents } of outputFiles) {
  writeFileSync(`${path}.${process.pid}`, contents);
  renameSync(`${path}.${process.pid}`, path);
}
const weekAgo = Date.now() - 7 * 24 * 3_600_000;
for (const name of readdirSync(outdir)) {
  if (statSync(join(outdir, name)).mtimeMs < weekAgo) rmSync(join(outdir, name), { force: true });
}
