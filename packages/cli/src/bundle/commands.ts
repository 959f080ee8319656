/** `dify bundle …` (docs/wire/cli.md#bundle): every command, on folders and on .difybndl files alike. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Call, Handler, Outcome } from '../command.ts';
import { CliError, throwIfAborted, usageError } from '../errors.ts';
import { writeFileAtomic } from '../files/atomic.ts';
import { lastElement } from '../source/source.ts';
import { appendGithub, appendMarketplace, appendPackage, remove } from './dependencies.ts';
import { analyze, describe, validate } from './described.ts';
import { bump, init, regenerate } from './identity.ts';
import { bundleBytes, openBundle } from './store.ts';

async function pack({ args, flags, io, cwd, signal }: Call): Promise<Outcome> {
  const path = args[0] ?? '';
  const bundle = await openBundle(path, signal);
  const base = (lastElement(path) ?? bundle.manifest.name).replace(/\.difybndl$/, '');
  const shown = flags.text('output_path') ?? `${base}.difybndl`;
  const output = resolve(cwd, shown);
  if (output === resolve(cwd, path) && existsSync(output))
    throw usageError('the bundle would replace itself', 'choose another output with -o');
  for (const dependency of describe(bundle)) {
    if (dependency.type === 'package' && dependency.found === false)
      throw new CliError(
        'missing-package',
        `dependency ${dependency.index}: package ${String(dependency.path)} is not in _assets`,
        { remedy: 'append it again, or remove the dependency' },
      );
  }
  for (const warning of bundle.warnings) io.warn(warning.message);
  throwIfAborted(signal);
  const bytes = bundleBytes(bundle.files);
  const limit = (flags.number('max-size') ?? 600) * 1024 * 1024;
  if (bytes.length > limit)
    throw new CliError('too-large', `the bundle has ${bytes.length} bytes, more than ${limit}`, {
      remedy: 'daemons refuse it (MAX_BUNDLE_PACKAGE_SIZE): remove packages, or raise --max-size',
    });
  await writeFileAtomic(output, bytes);
  io.info('successfully packaged bundle', { output_path: shown });
  return {
    text: relative(cwd, output),
    data: { output_path: output, size_bytes: bytes.length, dependencies: bundle.manifest.dependencies.length },
  };
}

export const COMMANDS: Readonly<Record<string, Handler>> = {
  init,
  'append github': appendGithub,
  'append marketplace': appendMarketplace,
  'append package': appendPackage,
  analyze,
  validate,
  remove,
  regenerate,
  bump,
  package: pack,
};
