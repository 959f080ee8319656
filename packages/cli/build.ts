/**
 * Bundles the command line into single files, dist/dify.js and dist/slim.js, with the templates inside. The folder is
 * the npm package as it is published: `npm publish packages/cli/dist`.
 * Modules that read files beside their own source are replaced by what they would have read.
 */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
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
      resolveDir: join(root, '..', 'daemon', 'src', 'environments'),
    }));
  },
};

/** CommonJS parts expect these names in an ES module. */
const banner = `#!/usr/bin/env node
import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __fileURLToPath } from 'node:url';
import { dirname as __pathDirname } from 'node:path';
const require = __createRequire(import.meta.url);
const __filename = __fileURLToPath(import.meta.url);
const __dirname = __pathDirname(__filename);`;

const output = join(root, 'dist');
await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
for (const [name, entry] of [
  ['dify.js', 'src/main.ts'],
  ['slim.js', 'src/slim/main.ts'],
] as const) {
  const file = join(output, name);
  await build({
    entryPoints: [join(root, entry)],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node22',
    format: 'esm',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    banner: { js: banner },
    plugins: [embedded],
    logLevel: 'warning',
  });
  await chmod(file, 0o755);
  process.stdout.write(`${file} ${(await readFile(file)).length} bytes\n`);
}
// What is published: the two files, needing nothing but Node.
const { name, version, description, license } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
const published = {
  name,
  version,
  description,
  license,
  type: 'module',
  engines: { node: '>=22.19' },
  bin: { dify: 'dify.js', 'dify-plugin': 'dify.js', 'dify-plugin-daemon-slim': 'slim.js' },
  files: ['dify.js', 'slim.js'],
};
await writeFile(join(output, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
