/**
 * Bundles the daemon into `dist/`: it then starts faster and needs a third less memory than the many modules it is made of.
 * Run by start.mjs when the bundle is older than the sources, and by whoever ships it. `dist/main.js` is what is started; it leads to the
 * build it belongs to, in a directory named by what is in it (src/builds.ts).
 *
 * The files are CommonJS: loading them costs less than modules do, names of Node's parts are looked up when they are used (importing
 * `node:http` as a module runs all of its lazy parts), and what is imported on demand may stand in the same file, unevaluated. Files of their
 * own are what has to be one: main.js, which sets the engine up and loads the rest as it was compiled before; worker threads; and each large library that only some
 * daemons or some calls need.
 */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import { besides, nodePartsOnDemand, without } from './build-plugins.ts';
import { BUILD_NAME_LENGTH, markMade, removeOldBuilds, writeAnew, writeWhole } from './src/builds.ts';

const root = import.meta.dirname;
const outdir = join(root, 'dist');

/** Libraries that are loaded when they are needed, bundled each for itself: hundreds of small files cost time and memory. */
const libraries = ['undici', 'piscina', 'pg', 'ioredis', 'bullmq', '@aws-sdk/client-s3', '@aws-sdk/lib-storage'];
/** Large, rarely needed, and they find files beside their own. */
const external = ['mysql2', '@azure/*', '@google-cloud/*', 'pg-native', 'pg-cloudflare'];
/** What the HTTP framework loads for what is not used of it (http/server.ts gives it no schemas), and for tests. */
const unused = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'light-my-request'];

/** Parts of Node that a daemon needs for TLS, or to compress. */
const onDemand = nodePartsOnDemand(['http2', 'https', 'tls', 'zlib']);
/** Of the metrics: pushing them, and the spans of a tracing library. */
const leftOut = without([
  { of: /prom-client/, path: './lib/pushgateway' },
  { of: /prom-client/, path: '@opentelemetry/api' },
]);

/** The name of a library's file, without an ending. */
const fileOf = (library: string): string => `lib-${library.replace('@', '').replace('/', '-')}`;

const librariesBesides = new Map(libraries.map((library) => [library, fileOf(library)]));

const common = {
  absWorkingDir: root,
  write: false,
  outdir,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node26',
  external: [...external, ...unused],
  // Imports on demand are evaluated on demand either way; what stands beside is found by require.
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'urlOfThisFile', 'import.meta.dirname': '__dirname' },
  banner: { js: "const urlOfThisFile = require('node:url').pathToFileURL(__filename).href;" },
  minify: process.env.NO_MINIFY === undefined,
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
} satisfies BuildOptions;

const built = await Promise.all([
  build({
    ...common,
    entryPoints: { main: join(root, 'src/main-bundled.ts') },
  }),
  build({
    ...common,
    entryPoints: {
      roles: join(root, 'src/roles.ts'),
      'package-worker': join(root, 'src/installation/packages/package-worker.ts'),
      'extraction-worker': join(root, '../plugin-host/src/environments/extraction-worker.ts'),
    },
    plugins: [besides(librariesBesides), onDemand, leftOut],
  }),
  build({
    ...common,
    external: [...common.external, '@napi-rs/nice'],
    entryPoints: {
      ...Object.fromEntries(libraries.map((library) => [fileOf(library), library])),
      // What piscina starts its threads with, under the name by which it looks beside itself.
      worker: join(dirname(createRequire(import.meta.url).resolve('piscina')), 'worker.js'),
    },
    plugins: [besides(librariesBesides)],
    // Their modules, of which only what is used gets into the file, rather than their CommonJS form.
    mainFields: ['module', 'main'],
  }),
]);

const files = built
  .flatMap(({ outputFiles }) => outputFiles.map(({ path, contents }) => ({ name: basename(path), contents })))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));
const hash = createHash('sha256');
for (const { name, contents } of files) hash.update(`${name} ${contents.length}\n`).update(contents);
const name = hash.digest('hex').slice(0, BUILD_NAME_LENGTH);

const directory = join(outdir, name);
mkdirSync(directory, { recursive: true });
for (const file of files) writeWhole(join(directory, file.name), file.contents);
markMade(directory);
writeWhole(join(outdir, 'package.json'), '{"type":"commonjs"}\n');
// Last, since what it leads to is there then: the main.js of the build, told where that stands. One that loads it would cost each start milliseconds.
const main = files.find((file) => file.name === 'main.js');
if (main === undefined) throw new Error('the bundler has made no main.js');
const place = `__dirname += '/${name}'; __filename = __dirname + '/main.js'; `;
writeAnew(join(outdir, 'main.js'), Buffer.concat([Buffer.from(place), main.contents]));
for (const { path, error } of removeOldBuilds(outdir, name))
  process.stderr.write(`${path} is not needed any more and could not be removed: ${String(error)}\n`);
