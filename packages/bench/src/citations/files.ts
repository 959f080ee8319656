import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

export interface RepositoryFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  /** Empty for files that hold neither comments nor prose: they can only be cited. */
  readonly text: string;
}

const ROOTS = ['.ci', '.github', 'docs', 'examples', 'packages'];
/** Made on the machine, or somebody else's. */
const SKIPPED = new Set(['node_modules', 'dist', 'coverage', 'data', '.venv', '__pycache__']);
const READ = new Set(['.ts', '.mjs', '.js', '.py', '.sh', '.yaml', '.yml', '.toml', '.md']);
const LARGEST_BYTES = 1024 * 1024;

/** The files of a checkout. */
export function readRepository(root: string): readonly RepositoryFile[] {
  const files: RepositoryFile[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true })) {
    if (entry.isFile()) files.push(readOne(root, entry.name));
    if (entry.isDirectory() && ROOTS.includes(entry.name)) walk(root, entry.name, files);
  }
  return files;
}

function walk(root: string, folder: string, files: RepositoryFile[]): void {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !SKIPPED.has(entry.name)) walk(root, path, files);
    if (entry.isFile()) files.push(readOne(root, path));
  }
}

function readOne(root: string, path: string): RepositoryFile {
  const full = join(root, path);
  const isRead =
    (READ.has(extname(path)) || path.startsWith('.ci/') || basename(path) === 'package.json') &&
    statSync(full).size <= LARGEST_BYTES;
  return { path, text: isRead ? readFileSync(full, 'utf8') : '' };
}
