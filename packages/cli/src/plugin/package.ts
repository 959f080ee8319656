/** `plugin package`: checks, collects, packs, and only then replaces the output (docs/wire/cli.md#plugin-package). */
import { relative, resolve } from 'node:path';
import type { PluginDeclaration } from '@plugin-daemon/plugin-package';
import type { Call, Flags, Outcome } from '../command.ts';
import { CliError, throwIfAborted, usageError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { startProgress } from '../output/progress.ts';
import { packArchive } from '../source/archive-bytes.ts';
import { type Folder, readFolder, readFolderFile, requireFolder, suspiciousLeftOut } from '../source/folder.ts';
import { DEFAULT_MAX_MEGABYTES, largestFiles, MEGABYTE, sizeText } from '../source/size-limit.ts';
import {
  declarationOf,
  identifierOf,
  openSource,
  outputBase,
  type PluginSource,
  requirePlugin,
} from '../source/source.ts';
import { exportRequirements } from './requirements-export.ts';

/** The message CI scripts show, with the largest files of all (docs/wire/cli.md#plugin-package). */
function tooLarge(files: ReadonlyMap<string, number>, limit: number): CliError {
  const largest = largestFiles(files);
  const list = largest.map(([name, size], index) => `${index + 1}. name: ${name}, size: ${size} bytes\n`).join('');
  return new CliError(
    'too-large',
    `Plugin package size is too large. Please ensure the uncompressed size is less than ${limit} bytes.\nPackaged file info:\n${list}`.trimEnd(),
    {
      remedy: 'leave files out with .difyignore, or raise --max-size; --explain lists everything',
    },
  );
}

function explain(folder: Folder, output: string): Outcome {
  const files = folder.files.toSorted((a, b) => b.size - a.size);
  const total = files.reduce((sum, file) => sum + file.size, 0);
  const width = Math.max(10, ...files.map((file) => String(file.size).length));
  const lines = files.map(
    (file) =>
      `${String(file.size).padStart(width)}  ${((100 * file.size) / Math.max(1, total)).toFixed(1).padStart(5)} %  ${file.path}`,
  );
  lines.push(`${String(total).padStart(width)}          ${files.length} files, ${sizeText(total)} before compression`);
  const left = folder.leftOut.map((entry) => `  ${entry.path}${entry.directory ? '/' : ''}  (${entry.reason})`);
  if (left.length > 0) lines.push('', 'left out:', ...left);
  return {
    text: lines.join('\n'),
    data: {
      output_path: output,
      total_bytes: total,
      files: files.map(({ path, size }) => ({ path, size })),
      left_out: folder.leftOut,
    },
  };
}

/** Manifest rules and icons, as errors; the rest of what validate finds, as warnings. */
async function check(source: PluginSource, flags: Flags, call: Call): Promise<void> {
  if (flags.on('no-validate')) return;
  const { validatePlugin } = await import('../validate/index.ts');
  const findings = await validatePlugin(source, { marketplace: false, forPackaging: true });
  const errors = findings.filter((finding) => finding.severity === 'error');
  for (const finding of findings.filter((each) => each.severity === 'warning'))
    call.io.debug(finding.message, { file: finding.file, line: finding.line ?? 0 });
  const warnings = findings.length - errors.length;
  if (warnings > 0) call.io.note(`  ${warnings} warning${warnings === 1 ? '' : 's'}: dify plugin validate shows them`);
  const [first] = errors;
  if (first === undefined) return;
  const all = errors
    .map(
      (finding) =>
        `${finding.file}${finding.line === undefined ? '' : `:${finding.line}:${finding.column ?? 1}`}: ${finding.message}`,
    )
    .join('\n');
  throw new CliError(
    'invalid-plugin',
    `failed to package plugin: ${errors.length} problem${errors.length === 1 ? '' : 's'}\n${all}`,
    {
      file: first.file,
      ...(first.line === undefined ? {} : { line: first.line }),
      remedy: first.remedy ?? 'dify plugin validate shows every problem with its remedy',
    },
  );
}

async function collect(
  source: PluginSource,
  folder: Folder,
  declaration: PluginDeclaration,
  call: Call,
  limit: number,
): Promise<Map<string, Uint8Array>> {
  const sizes = new Map(folder.files.map((file) => [file.path, file.size]));
  const sum = (): number => [...sizes.values()].reduce((total, size) => total + size, 0);
  if (sum() > limit) throw tooLarge(sizes, limit);
  const files = new Map<string, Uint8Array>();
  const progress = startProgress(call.io);
  try {
    let done = 0;
    const total = Math.max(1, sum());
    for (const file of folder.files) {
      throwIfAborted(call.signal);
      files.set(file.path, readFolderFile(file));
      done += file.size;
      progress.update(`reading ${file.path}`, done / total);
    }
  } finally {
    progress.end();
  }
  const requirements = await exportRequirements(source, folder.root, declaration, call);
  if (requirements !== undefined) {
    files.set('requirements.txt', requirements);
    sizes.set('requirements.txt', requirements.length);
  }
  return files;
}

function outputPath(flags: Flags, args: readonly string[], declaration: PluginDeclaration, cwd: string): string {
  return resolve(cwd, flags.text('output_path') ?? `${outputBase(args[0] ?? '', declaration.name)}.difypkg`);
}

async function signed(bytes: Uint8Array, keyPath: string, flags: Flags): Promise<Uint8Array> {
  const [{ signBytes }, { loadPrivateKey }] = await Promise.all([
    import('../signature/sign.ts'),
    import('../signature/keys.ts'),
  ]);
  return signBytes(bytes, (await loadPrivateKey(keyPath)).pem, flags.text('authorized_category') ?? 'community');
}

interface OpenPlugin {
  source: PluginSource;
  folder: Folder;
  declaration: PluginDeclaration;
}

async function openPlugin(call: Call, path: string, never: readonly string[]): Promise<OpenPlugin> {
  const { flags, signal } = call;
  await requireFolder(path);
  await requirePlugin(path);
  const folder = await readFolder(path, {
    signal,
    defaultExcludes: !flags.on('no-default-excludes'),
    include: flags.list('include'),
    never,
  });
  const source: PluginSource = { ...(await openSource(path, signal)), folder };
  const { declaration } = declarationOf(source);
  return { source, folder, declaration };
}

export interface PackedPlugin {
  declaration: PluginDeclaration;
  bytes: Uint8Array;
  checksum: string;
  /** Bytes of all files. */
  total: number;
  files: number;
}

async function pack({ source, folder, declaration }: OpenPlugin, call: Call, limit: number): Promise<PackedPlugin> {
  const { flags, io, cwd, signal } = call;
  for (const entry of suspiciousLeftOut(folder))
    io.warn('left out of the package', { path: entry.path, reason: entry.reason });
  if (folder.leftOut.some((entry) => entry.secret)) io.remedy('--include <path> packs one of them all the same');
  await check(source, flags, call);
  const files = await collect(source, folder, declaration, call, limit);
  if (flags.has('vendor')) {
    const { vendorDependencies } = await import('./vendor.ts');
    const vendored = await vendorDependencies(files, declaration, call);
    for (const [name, bytes] of vendored.files) files.set(name, bytes);
    io.info('dependencies put into the package', {
      wheels: vendored.files.size - 1,
      platforms: vendored.targets.join(','),
    });
  }
  const sizes = new Map([...files].map(([name, bytes]) => [name, bytes.length]));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  if (total > limit) throw tooLarge(sizes, limit);

  const progress = startProgress(io);
  const packed = await packArchive(files, (name, done) => {
    throwIfAborted(signal);
    progress.update(`compressing ${name}`, done);
  }).finally(() => progress.end());
  let { bytes, checksum } = packed;
  const key = flags.text('sign');
  if (key !== undefined) {
    bytes = await signed(bytes, resolve(cwd, key), flags);
    const { openPackage } = await import('@plugin-daemon/plugin-package');
    checksum = openPackage(bytes).checksum();
  }
  throwIfAborted(signal);
  return { declaration, bytes, checksum, total, files: files.size };
}

/** The package of a folder in memory, for commands that hand it on; checked and packed as `plugin package` does. */
export async function packFolder(path: string, call: Call): Promise<PackedPlugin> {
  return pack(await openPlugin(call, path, []), call, DEFAULT_MAX_MEGABYTES * MEGABYTE);
}

export async function run(call: Call): Promise<Outcome> {
  const { args, flags, io, cwd } = call;
  const path = args[0] ?? '';
  if (path === '') throw usageError('invalid input path: name the folder of the plugin');
  const megabytes = flags.number('max-size') ?? DEFAULT_MAX_MEGABYTES;
  const limit = (megabytes <= 0 ? DEFAULT_MAX_MEGABYTES : megabytes) * MEGABYTE;
  const named = flags.text('output_path');
  const plugin = await openPlugin(call, path, named === undefined ? [] : [resolve(cwd, named)]);
  const { folder, declaration } = plugin;
  const output = outputPath(flags, args, declaration, cwd);
  folder.files = folder.files.filter((file) => file.source !== output);
  if (flags.on('explain')) return explain(folder, relative(cwd, output));

  const { bytes, checksum, total, files } = await pack(plugin, call, limit);
  await writeFileAtomic(output, bytes);
  const shown = flags.text('output_path') ?? relative(cwd, output);
  io.info('plugin packaged successfully', { output_path: shown });
  return {
    text: shown,
    data: {
      output_path: output,
      unique_identifier: identifierOf(declaration, checksum),
      checksum,
      size_bytes: bytes.length,
      uncompressed_bytes: total,
      files,
    },
  };
}
