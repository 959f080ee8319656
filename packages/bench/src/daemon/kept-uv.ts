import { copyFileSync, globSync, mkdirSync, renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** uv, where a daemon had to fetch it, stays here for the next ones. */
const TOOLS = fileURLToPath(new URL('../../../../node_modules/.cache/plugin-daemon-tools/', import.meta.url));

/** The setting that names it; empty while no daemon has fetched it. */
export function keptUv(): Readonly<Record<string, string>> {
  const [found] = globSync('uv-*/uv', { cwd: TOOLS });
  return found === undefined ? {} : { UV_PATH: join(TOOLS, found) };
}

/** Keeps what a daemon has fetched. */
export function keepUv(dataDirectory: string): void {
  if (globSync('uv-*/uv', { cwd: TOOLS }).length > 0) return;
  const [found] = globSync('tools/uv-*/uv', { cwd: dataDirectory });
  if (found === undefined) return;
  const target = join(TOOLS, basename(dirname(found)));
  mkdirSync(target, { recursive: true });
  copyFileSync(join(dataDirectory, found), `${target}/uv.${process.pid}`);
  renameSync(`${target}/uv.${process.pid}`, join(target, 'uv'));
}
