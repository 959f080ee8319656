/** What the bundles of the command line have in common: the npm package (build.ts) and the single executable (build-executable.ts). */
import { join } from 'node:path';
import type { BuildOptions, Plugin } from 'esbuild';
import { templateFiles } from './src/init/template-files.ts';

const root = import.meta.dirname;

const embedded: Plugin = {
  name: 'embedded',
  setup({ onLoad }) {
    onLoad({ filter: /template-files\.ts$/ }, () => ({
      contents: `const files = new Map(${JSON.stringify([...templateFiles()])});\nexport const templateFiles = () => files;`,
      loader: 'js',
    }));
    // A worker is a file of its own; the command line unpacks in place instead.
    onLoad({ filter: /environments[\\/]package-extractor\.ts$/ }, () => ({
      contents: `import { extractPackage } from './extraction.ts';\nexport class PackageExtractor {\n  async extract(task) { extractPackage(task); }\n  async close() {}\n}`,
      loader: 'js',
      resolveDir: join(root, '..', 'plugin-host', 'src', 'environments'),
    }));
  },
};

/** A CommonJS package that is imported on demand becomes a file of its own, which would have no exports but a default one. */
const undiciOnDemand: Plugin = {
  name: 'undici-on-demand',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^undici$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: 'undici', namespace: 'on-demand' } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'on-demand' }, async () => ({
      contents: `import * as undici from 'undici';\n${Object.keys(await import('undici'))
        .filter((name) => /^\w+$/.test(name) && name !== 'default')
        .map((name) => `export const ${name} = undici.${name};`)
        .join('\n')}`,
      resolveDir: root,
    }));
  },
};

/** CommonJS parts expect these names in an ES module. */
export const commonJs = `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
import { dirname as __pathDirname } from 'node:path';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __pathDirname(__filename);`;

export const bundling = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: true,
  legalComments: 'none',
  plugins: [embedded, undiciOnDemand],
  logLevel: 'warning',
} satisfies BuildOptions;
