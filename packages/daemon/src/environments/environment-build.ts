import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BytecodeStore } from './bytecode-store.ts';
import { type CommandResult, runCommand } from './command.ts';
import {
  compileArguments,
  type DependencyFiles,
  type InstallPlan,
  planInstall,
  readDependencyFiles,
  splitArguments,
} from './dependencies.ts';
import { classifyFailure, EnvironmentError, explainOutput } from './failures.ts';
import type { Harvest } from './harvest.ts';
import type { Installer } from './installer.ts';
import { interpreterEnvironment } from './installer-environment.ts';
import type { PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import type { PackageExtractor } from './package-extractor.ts';
import type { PythonInterpreter } from './python-discovery.ts';
import type { PythonProvider } from './python-provider.ts';
import { type ResolutionStore, requiresNothing, resolutionKey } from './resolution-store.ts';
import { patchSdk } from './sdk-patches/index.ts';
import { UvProgress } from './uv-progress.ts';
import type { WorkingDirectory } from './working-directory.ts';

const INSTALL_SECONDS = 600;

export interface BuildParts {
  readonly options: PythonEnvironmentsOptions;
  readonly extractor: PackageExtractor;
  readonly installer: Installer;
  readonly pythons: PythonProvider;
  readonly bytecode: BytecodeStore;
  readonly resolutions: ResolutionStore;
  readonly harvest: Harvest;
  readonly mirrorUrl: string | undefined;
  readonly directory: WorkingDirectory;
  readonly request: PrepareRequest;
}

/** One construction of one environment, from package to flag file; held together by the directory's lock. */
export class EnvironmentBuild {
  readonly #parts: BuildParts;
  readonly #timings: Record<string, number> = {};
  #log: WriteStream | undefined;

  constructor(parts: BuildParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { directory, request, options } = this.#parts;
    const started = performance.now();
    try {
      await this.#timed('unpack', () => this.#unpack());
      await this.#openLog();
      await this.#timed('remove', () => directory.removeEnvironment());
      const { files, pyproject } = await readDependencyFiles(directory);
      const plan = this.#plan(files);
      const python = await this.#timed('python', () =>
        this.#parts.pythons.choose(request.runner?.version, pyproject, {
          signal: request.signal,
          onProgress: request.onProgress,
        }),
      );
      // Nothing here waits for the other: the plugin's own files are compiled while its dependencies are installed.
      const compiled = this.#timed('compile', () => this.#compile(python));
      const harvested = this.#parts.harvest.now();
      const installed = this.#createEnvironment(python).then(() => this.#install(plan, python));
      await settleAll(installed, compiled, harvested);
      const sitePackages = await directory.sitePackages();
      const sdk = await patchSdk(sitePackages, options.log);
      await this.#timed('bytecode', () => this.#provideBytecode(sitePackages));
      await directory.markValid({ ...sdk, python: python.version.join('.') });
      this.#parts.harvest.add(sitePackages);
      const milliseconds = { ...this.#timings, total: Math.round(performance.now() - started) };
      options.log.info({ plugin: request.identifier, milliseconds }, 'made the Python environment of a plugin');
    } catch (error) {
      this.#write(`\n${error instanceof Error ? error.message : String(error)}\n`);
      // A half-made environment only takes space: the next attempt starts anew, from the cache.
      await directory.removeEnvironment().catch(() => {});
      throw error;
    } finally {
      await this.#closeLog();
    }
  }

  async #unpack(): Promise<void> {
    const { directory, request, extractor, options } = this.#parts;
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
      await extractor.extract({ bytes, directory: directory.path });
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const failure = classifyFailure(text);
      const kind = failure === 'disk-full' || failure === 'permission' ? failure : 'package-unreadable';
      throw new EnvironmentError(kind, text, { cause: error });
    }
  }

  #plan(files: DependencyFiles): InstallPlan {
    const { options, mirrorUrl } = this.#parts;
    const plan = planInstall(files, {
      mirrorUrl,
      ignoreLock: options.ignoreLock,
      verbose: options.verbose,
      extraArgs: splitArguments(options.extraArgs),
    });
    if (plan !== undefined) return plan;
    throw new EnvironmentError(
      'no-dependency-file',
      'failed to create virtual environment: failed to find dependency file: neither pyproject.toml nor requirements.txt found in plugin directory',
    );
  }

  async #createEnvironment(interpreter: PythonInterpreter): Promise<void> {
    const start = performance.now();
    const { request, options } = this.#parts;
    const version = interpreter.version.join('.');
    request.onProgress(`creating environment (Python ${version})`);
    if (interpreter.version[1] !== 12) {
      options.log.warn(
        { plugin: request.identifier, python: interpreter.path, version },
        'this plugin gets another Python than 3.12',
      );
    }
    const args = ['venv', '.venv', '--python', interpreter.path, '--no-project', '--no-config'];
    const result = await this.#uv(args, { python: interpreter.path, timeoutSeconds: 120 });
    this.#timings.venv = Math.round(performance.now() - start);
    if (!result.ok) throw this.#failure('failed to create virtual environment', result);
  }

  async #install(plan: InstallPlan, interpreter: PythonInterpreter): Promise<void> {
    const { request, options, resolutions, directory } = this.#parts;
    const start = performance.now();
    const requirements = plan.resolves ? await readFile(join(directory.path, plan.file), 'utf8') : undefined;
    if (requirements !== undefined && requiresNothing(requirements)) return;
    const key = requirements === undefined ? undefined : resolutionKey(requirements, this.#circumstances(interpreter));
    const known = key === undefined ? undefined : await resolutions.find(key);
    if (known !== undefined && (await this.#installKnown(known))) {
      this.#timings.install = Math.round(performance.now() - start);
      return;
    }
    request.onProgress('installing dependencies');
    const progress = new UvProgress(request.onProgress);
    const result = await this.#uv(plan.args, {
      timeoutSeconds: options.timeoutSeconds ?? INSTALL_SECONDS,
      inactivitySeconds: options.inactivitySeconds,
      onLine: (line) => progress.line(line),
      ...(plan.args[0] === 'sync' ? { python: directory.python } : {}),
    });
    this.#timings.install = Math.round(performance.now() - start);
    if (!result.ok) throw this.#failure('failed to install dependencies: failed to install dependencies', result);
    if (key !== undefined)
      await resolutions
        .remember(key, await directory.sitePackages())
        .catch((error) => this.#write(`resolution not remembered: ${error}\n`));
  }

  /** What a resolution depends on beside the requirements. */
  #circumstances(interpreter: PythonInterpreter): string[] {
    const { options, mirrorUrl } = this.#parts;
    const settings = Object.entries(options.environment).filter(([name]) => name.startsWith('UV_'));
    return [
      interpreter.version.slice(0, 2).join('.'),
      process.platform,
      process.arch,
      mirrorUrl ?? '',
      JSON.stringify(settings.sort()),
    ];
  }

  /** From the cache alone; false when something is missing there. */
  async #installKnown(requirements: string): Promise<boolean> {
    const args = ['pip', 'install', '--offline', '--no-deps', '-r', requirements];
    const result = await this.#uv(args, { timeoutSeconds: INSTALL_SECONDS });
    return result.ok;
  }

  /**
   * The plugin's own files, with the interpreter that the environment will have. Errors in them are the plugin's affair;
   * only a compiler that cannot start is ours.
   */
  async #compile(interpreter: PythonInterpreter): Promise<void> {
    const { directory, request, options } = this.#parts;
    const result = await runCommand(options.launcher, {
      command: interpreter.path,
      args: compileArguments(splitArguments(options.compileAllExtraArgs)),
      cwd: directory.path,
      env: interpreterEnvironment(options.environment),
      signal: request.signal,
      timeoutSeconds: options.timeoutSeconds ?? INSTALL_SECONDS,
      onLine: (line) => this.#write(`${line}\n`),
    });
    if (!result.ok)
      options.log.warn(
        { plugin: request.identifier, status: result.status, log: directory.log },
        'failed to pre-compile the plugin',
      );
  }

  async #provideBytecode(sitePackages: string): Promise<void> {
    try {
      const files = await this.#parts.bytecode.provide(sitePackages);
      this.#write(`\n${files} bytecode files taken from other environments\n`);
    } catch (error) {
      this.#write(`\nno bytecode taken from other environments: ${error}\n`);
    }
  }

  #uv(
    args: readonly string[],
    call: { timeoutSeconds: number; inactivitySeconds?: number; python?: string; onLine?: (line: string) => void },
  ): Promise<CommandResult> {
    const { directory, request, installer } = this.#parts;
    this.#write(`\n$ uv ${args.map(withoutPassword).join(' ')}\n`);
    return installer.uv({
      ...call,
      args,
      cwd: directory.path,
      signal: request.signal,
      environment: directory.environment,
      onLine: (line) => {
        this.#write(`${line}\n`);
        call.onLine?.(line);
      },
    });
  }

  #failure(prefix: string, result: CommandResult): EnvironmentError {
    const { directory, options } = this.#parts;
    const output = explainOutput(result.stderr);
    const silence =
      result.ended === 'inactivity'
        ? `\ninit process exited due to no activity for ${options.inactivitySeconds} seconds`
        : '';
    const status = result.ended === undefined ? result.status : 'signal: killed';
    const failure = result.ended ?? classifyFailure(output);
    return new EnvironmentError(failure, `${prefix}: ${status}, output: ${output}${silence}`, {
      logFile: directory.log,
    });
  }

  async #timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await work();
    } finally {
      this.#timings[step] = Math.round(performance.now() - start);
    }
  }

  async #openLog(): Promise<void> {
    const { directory, request } = this.#parts;
    await mkdir(directory.path, { recursive: true });
    this.#log = createWriteStream(directory.log, { mode: 0o600 });
    // A full disk is reported by the step that needs it, not by its log.
    this.#log.on('error', () => {
      this.#log = undefined;
    });
    this.#write(`${new Date().toISOString()} environment of ${request.identifier}\n`);
  }

  #write(text: string): void {
    this.#log?.write(text);
  }

  async #closeLog(): Promise<void> {
    const log = this.#log;
    this.#log = undefined;
    if (log === undefined) return;
    await new Promise<void>((resolve) => {
      log.once('close', resolve);
      log.end();
    });
  }
}

/** Waits for all to end before the first failure is thrown: nothing may still write when the caller cleans up. */
async function settleAll(...work: Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}

const withoutPassword = (arg: string): string => arg.replace(/(\/\/)[^/@\s]+@/, '$1***@');
