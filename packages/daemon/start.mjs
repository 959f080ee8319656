/**
 * What `npm start` runs: the bundled daemon, bundled anew when a source file is younger than the bundle; the sources themselves where
 * this user may not write the bundle. Kept apart from main.ts so that neither the bundler nor type stripping (hence plain JavaScript)
 * is loaded into the daemon's own process.
 */
const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  process.stderr.write(
    `The plugin daemon runs on Node ${OLDEST_NODE} or newer; this is ${process.versions.node}. "npm ci" brings one for Linux (glibc), macOS and
Windows, which "npm start" then uses: run npm ci again without --omit=optional, or install a newer Node.\n`,
  );
  process.exit(1);
}

// Not imported: as modules, parts of Node load all that they would load on demand.
const { accessSync, constants, existsSync, readdirSync, statSync } = process.getBuiltinModule('node:fs');
const { join } = process.getBuiltinModule('node:path');

const root = import.meta.dirname;
const bundle = join(root, 'dist/main.js');
const sources = [
  join(root, 'src'),
  join(root, 'build.ts'),
  join(root, 'build-plugins.ts'),
  join(root, '../plugin-host/src'),
  join(root, '../plugin-package/src'),
  join(root, '../values/src'),
  join(root, '../wire-schema/src'),
];

/**
 * Whether anything below a path that gets into the bundle was changed after a time in ms. Directories change with the names in them.
 * @param {string} path
 * @param {number} time
 * @returns {boolean}
 */
function changedAfter(path, time) {
  const stat = statSync(path);
  if (stat.mtimeMs > time) return true;
  if (!stat.isDirectory()) return false;
  return readdirSync(path, { withFileTypes: true }).some(
    (entry) => !entry.name.endsWith('.test.ts') && changedAfter(`${path}/${entry.name}`, time),
  );
}

/**
 * @param {string} path
 * @returns {boolean}
 */
function writable(path) {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const builtAt = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
let entry = bundle;
if (sources.some((path) => changedAfter(path, builtAt))) {
  const target = join(root, 'dist');
  if (writable(existsSync(target) ? target : root)) {
    const { execFileSync } = process.getBuiltinModule('node:child_process');
    execFileSync(process.execPath, [join(root, 'build.ts')], { stdio: 'inherit' });
  } else {
    process.stderr.write(`${target} cannot be written: the daemon runs from its sources, which takes more memory.\n`);
    entry = join(root, 'src/main.ts');
  }
}
// What `npm start` sets, for who starts this file: in place of this process where the system can. The C library then keeps few arenas and gives
// freed memory back (else the first large block that is freed has it keep twice as much of all small ones); the engine keeps 26 MB for young
// objects under load, not 52.
if (process.platform === 'linux' && process.execve !== undefined && process.env.MALLOC_ARENA_MAX === undefined) {
  const flags = process.execArgv.some((flag) => flag.includes('semi-space')) ? [] : ['--max-semi-space-size=8'];
  process.execve(process.execPath, [process.execPath, ...process.execArgv, ...flags, entry, ...process.argv.slice(2)], {
    ...process.env,
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: process.env.MALLOC_MMAP_THRESHOLD_ ?? '262144',
    MALLOC_TRIM_THRESHOLD_: process.env.MALLOC_TRIM_THRESHOLD_ ?? '524288',
  });
}
// As if it had been started itself.
process.argv[1] = entry;
await import(process.getBuiltinModule('node:url').pathToFileURL(entry).href);
