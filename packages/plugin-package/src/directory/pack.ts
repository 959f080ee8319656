import { execFileSync } from 'node:child_process';
import { writeZip, type ZipFile } from '../archive/index.ts';
import { mapIcons } from '../assets.ts';
import type { PluginDeclaration } from '../declaration/index.ts';
import { decodeYaml, MANIFEST, requireValid, validateManifest } from '../declaration/index.ts';
import { manifest } from '../declaration/shapes/index.ts';
import { PackageError } from '../errors.ts';
import { isUniqueIdentifier } from '../identifier.ts';
import { parseYaml } from '../yaml/index.ts';
import { openDirectory, type PluginDirectory } from './plugin-directory.ts';

export interface PackOptions {
  /** bytes of all files together, uncompressed; default 50 MiB */
  readonly maxUnpackedBytes?: number | undefined;
  /**
   * Makes requirements.txt for a Python plugin that has none, but a pyproject.toml and a uv.lock; by default `uv export`
   * of the uv on the PATH.
   */
  readonly exportRequirements?: ((directory: string) => Uint8Array) | undefined;
  /** default true: also what an upload would refuse is refused, not only what upstream's packer checks */
  readonly strict?: boolean | undefined;
}

const DEFAULT_MAX_BYTES = 50 * 1024 * 1024;
const REQUIREMENTS = 'requirements.txt';

/** A package of a plugin's directory (docs/wire/packages.md#packing). @throws PackageError */
export function packDirectory(root: string, options: PackOptions = {}): Uint8Array {
  return packOpened(openDirectory(root), options);
}

/** As `packDirectory`, for a directory that is open already. */
export function packOpened(directory: PluginDirectory, options: PackOptions = {}): Uint8Array {
  const { declaration } = directory.assemble();
  checkManifestRules(directory);
  checkIcons(declaration, directory);
  if (options.strict ?? true) checkAcceptance(declaration);
  const files: ZipFile[] = directory.names.map((name) => ({ name, content: directory.read(name) }));
  if (needsRequirements(declaration, directory)) {
    const make = options.exportRequirements ?? exportRequirements;
    files.push({ name: REQUIREMENTS, content: make(directory.root) });
  }
  files.sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
  checkSize(files, options.maxUnpackedBytes ?? DEFAULT_MAX_BYTES);
  return writeZip(files);
}

/** manifest.yaml alone is held to the field rules when a package is made. */
function checkManifestRules(directory: PluginDirectory): void {
  const text = Buffer.from(directory.read(MANIFEST)).toString('utf8');
  requireValid(manifest, decodeYaml(parseYaml(text, MANIFEST), manifest).value);
}

const WORDS_OF_PACKER: ReadonlyMap<string, string> = new Map([
  ['plugin icon', 'plugin icon not found'],
  ['plugin dark icon', 'plugin dark icon not found'],
]);

/** Every icon that an upload will look for must be there. */
function checkIcons(declaration: PluginDeclaration, directory: PluginDirectory): void {
  try {
    const assets = directory.assets();
    mapIcons(declaration, (path, word) => {
      if (path === '' || assets.has(path)) return path;
      throw new PackageError(WORDS_OF_PACKER.get(word) ?? `${word} not found`, { file: `_assets/${path}` });
    });
  } catch (error) {
    throw error instanceof PackageError ? error.joined('assets invalid') : error;
  }
}

/** What an upload refuses and upstream's packer does not look at. */
function checkAcceptance(declaration: PluginDeclaration): void {
  validateManifest(declaration);
  const identity = `${declaration.author}/${declaration.name}:${declaration.version}`;
  if (!isUniqueIdentifier(`${identity}@${'0'.repeat(64)}`)) {
    throw new PackageError(`${identity} cannot be part of a plugin identifier`, { file: MANIFEST });
  }
}

function needsRequirements(declaration: PluginDeclaration, directory: PluginDirectory): boolean {
  if (declaration.meta.runner.language !== 'python' || directory.exists(REQUIREMENTS)) return false;
  return directory.exists('pyproject.toml') && directory.exists('uv.lock');
}

const UV_EXPORT =
  'export --frozen --format requirements.txt --no-dev --no-emit-project --no-hashes --no-header --no-annotate';

/** The locked dependencies of a directory as the text of requirements.txt. @throws PackageError */
export function exportRequirements(directory: string, uv = 'uv'): Uint8Array {
  try {
    return execFileSync(uv, UV_EXPORT.split(' '), { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'EACCES') {
      throw new PackageError(
        `failed to find uv executable for exporting requirements.txt: exec: "${uv}": executable file not found in $PATH`,
        { cause },
      );
    }
    const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
    throw new PackageError(`uv export failed: ${stderr}`, { cause });
  }
}

function checkSize(files: readonly ZipFile[], limit: number): void {
  let total = 0;
  for (const [i, file] of files.entries()) {
    total += file.content.length;
    if (total <= limit) continue;
    const written = files.slice(0, i + 1).toSorted((a, b) => b.content.length - a.content.length);
    const top = written.slice(0, 5).map((one, n) => `${n + 1}. name: ${one.name}, size: ${one.content.length} bytes\n`);
    throw new PackageError(
      `Plugin package size is too large. Please ensure the uncompressed size is less than ${limit} bytes.\n` +
        `Packaged file info:\n${top.join('')}`,
    );
  }
}
