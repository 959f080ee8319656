/** The plugin's own files in its working directory: unpacked, and compiled. */
import { messageOf } from '@plugin-daemon/values';
import { runCommand } from './command.ts';
import { compileArguments } from './compile-arguments.ts';
import { splitArguments } from './extra-arguments.ts';
import { classifyFailure, EnvironmentError } from './failures.ts';
import { interpreterEnvironment } from './installer-environment.ts';
import type { PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import type { PackageExtractor } from './package-extractor.ts';
import type { WorkingDirectory } from './working-directory.ts';

const COMPILE_SECONDS = 600;

interface PluginFiles {
  readonly options: PythonEnvironmentsOptions;
  readonly directory: WorkingDirectory;
  readonly request: PrepareRequest;
}

/** @throws EnvironmentError; what reading the package threw, when there is nothing that was unpacked earlier */
export async function unpackPlugin({
  options,
  directory,
  request,
  extractor,
}: PluginFiles & { readonly extractor: PackageExtractor }): Promise<void> {
  const present = await directory.hasFiles();
  let bytes: Uint8Array;
  try {
    bytes = await request.readPackage();
  } catch (error) {
    if (!present) throw error;
    options.log.warn(
      { plugin: request.identifier, err: error },
      'the package cannot be read; using the files unpacked earlier',
    );
    return;
  }
  request.signal.throwIfAborted();
  request.onProgress('unpacking');
  try {
    await extractor.extract({ bytes, checksum: request.checksum, directory: directory.path });
  } catch (error) {
    const text = messageOf(error);
    const failure = classifyFailure(text);
    const kind = failure === 'disk-full' || failure === 'permission' ? failure : 'package-unreadable';
    throw new EnvironmentError(kind, text, { cause: error });
  }
}

/**
 * With the interpreter that the environment will have. Errors in the files are the plugin's affair; only a compiler that cannot start is
 * ours.
 */
export async function compilePlugin({
  options,
  directory,
  request,
  python,
  onLines,
}: PluginFiles & {
  readonly python: string;
  readonly onLines: (lines: readonly string[]) => void;
}): Promise<void> {
  const result = await runCommand(options.launcher, {
    command: python,
    args: compileArguments(splitArguments(options.compileAllExtraArgs)),
    cwd: directory.path,
    env: interpreterEnvironment(options.environment),
    signal: request.signal,
    timeoutSeconds: options.timeoutSeconds ?? COMPILE_SECONDS,
    onLines,
  });
  if (!result.ok)
    options.log.warn(
      { plugin: request.identifier, status: result.status, log: directory.log },
      'failed to pre-compile the plugin',
    );
}
