/**
 * What `npm start` runs: the bundled daemon, bundled anew when a source file is younger than the bundle. Kept apart from main.ts so
 * that neither the bundler nor type stripping (hence plain JavaScript) is loaded into the daemon's own process.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = import.meta.dirname;
const bundle = join(root, 'dist/main.js');
const sources = [
  join(root, 'src'),
  join(root, 'build.ts'),
  join(root, '../plugin-package/src'),
  join(root, '../wire-schema/src'),
];

/**
 * Time of the last change below a path, in ms.
 * @param {string} path
 * @returns {number}
 */
function changedAt(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = readdirSync(path).map((name) => (name.endsWith('.test.ts') ? 0 : changedAt(join(path, name))));
  return Math.max(stat.mtimeMs, ...inside);
}

const builtAt = statSync(bundle, { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (sources.some((path) => changedAt(path) > builtAt)) {
  execFileSync(process.execPath, [join(root, 'build.ts')], { stdio: 'inherit' });
}
// In place of this process where the system can: the C library then keeps few arenas, and freed memory goes back (a tenth of it).
if (process.platform === 'linux' && process.execve !== undefined && process.env.MALLOC_ARENA_MAX === undefined) {
  process.execve(process.execPath, [process.execPath, ...process.execArgv, bundle, ...process.argv.slice(2)], {
    ...process.env,
    MALLOC_ARENA_MAX: '2',
  });
}
await import(bundle);
