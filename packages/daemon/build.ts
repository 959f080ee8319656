/**
 * Bundles the daemon into `dist/`: it then starts faster and needs a third less memory than the many modules it is made of.
 * Worker threads are entries of their own. Run by start.ts when the bundle is older than the sources, and by whoever ships it.
 */
import { rmSync } from 'node:fs';
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

rmSync(outdir, { recursive: true, force: true });
await build({
  entryPoints: {
    main: join(root, 'src/main.ts'),
    'package-worker': join(root, 'src/installation/packages/package-worker.ts'),
    'extraction-worker': join(root, 'src/environments/extraction-worker.ts'),
  },
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: '[name]-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node26',
  // It starts its threads with a file of its own package, and has a native part.
  external: ['piscina'],
  minify: true,
  sourcemap: 'linked',
  sourcesContent: false,
  banner: { js: commonJs },
  logLevel: 'warning',
});
