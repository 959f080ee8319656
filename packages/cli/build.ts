/**
 * Bundles the command line into dist/, the npm package as it is published: `npm publish packages/cli/dist`. The programs are dify.js and
 * slim.js, with the templates inside; modules that read files beside their own source are replaced by what they would have read.
 */
import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundling, commonJs } from './bundling.ts';

const root = import.meta.dirname;
/** Tried by the gate; the commands on the database say themselves that they need more. */
const OLDEST_NODE = '20.19';

const output = join(root, 'dist');
await rm(output, { recursive: true, force: true });
await mkdir(output, { recursive: true });
// What a command does not need stays in files of its own: the database needs a newer Node than the rest.
const { metafile } = await build({
  ...bundling,
  entryPoints: { dify: join(root, 'src/main.ts'), slim: join(root, 'src/slim/main.ts') },
  outdir: output,
  chunkNames: 'parts/[name]-[hash]',
  splitting: true,
  metafile: true,
  target: `node${OLDEST_NODE}`,
  banner: { js: `#!/usr/bin/env node\n${commonJs}` },
});
for (const name of ['dify.js', 'slim.js']) await chmod(join(output, name), 0o755);
const bytes = Object.values(metafile.outputs).reduce((sum, { bytes }) => sum + bytes, 0);
process.stdout.write(`${output}: ${Object.keys(metafile.outputs).length} files, ${bytes} bytes\n`);
// What is published needs nothing but Node.
const { name, version, description, license, keywords } = JSON.parse(
  await readFile(join(root, 'package.json'), 'utf8'),
);
const published = {
  name,
  version,
  description,
  license,
  keywords,
  type: 'module',
  engines: { node: `>=${OLDEST_NODE}` },
  bin: { dify: 'dify.js', 'dify-plugin': 'dify.js', 'dify-plugin-daemon-slim': 'slim.js' },
  files: ['dify.js', 'slim.js', 'parts'],
};
await writeFile(join(output, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
await copyFile(join(root, 'README.md'), join(output, 'README.md'));
await copyFile(join(root, '..', '..', 'LICENSE'), join(output, 'LICENSE'));
