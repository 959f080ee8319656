import { messageOf } from '@plugin-daemon/values';
import type { BytecodeStore, Harvest } from './bytecode/index.ts';
import { type CommandResult, runCommand } from './command.ts';
import { compileArguments } from './compile-arguments.ts';
import { type DependencyFacts, type InstallPlan, planInstall, pythonRanges } from './dependencies/index.ts';
import { DependencyInstall, type UvStep, withoutPassword } from './dependency-install.ts';
import { splitArguments } from './extra-arguments.ts';
import { classifyFailure, EnvironmentError, type EnvironmentFailure, explainOutput } from './failures.ts';
import { InstallationLog } from './installation-log.ts';
import type { Installer } from './installer.ts';
import { interpreterEnvironment } from './installer-environment.ts';
import type { PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import type { PackageExtractor } from './package-extractor.ts';
import type { PythonInterpreter } from './python-discovery.ts';
import type { PythonProvider } from './python-provider.ts';
import type { ResolutionStore } from './resolution-store.ts';
import { patchSdk } from './sdk-patches/index.ts';
import { provideSource } from './source-folder.ts';
import type { WorkingDirectory } from './working-directory.ts';

const INSTALL_SECONDS = 600;
/** The resolver may say of that many interpreters that another one is needed. */
const MOST_PYTHONS = 4;

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
  #log: InstallationLog | undefined;

  constructor(parts: BuildParts) {
    this.#parts = parts;
  }

  async run(): Promise<void> {
    const { directory, request, options } = this.#parts;
    const started = performance.now();
    try {
      await this.#timed('unpack', () => this.#unpack());
      this.#log = await InstallationLog.open(directory.log);
      this.#write(`${new Date().toISOString()} environment of ${request.identifier}\n`);
      await this.#timed('remove', () => directory.removeEnvironment());
      const facts = await this.#timed('read', () => this.#read());
      const plan = this.#plan(facts);
      this.#parts.harvest.now();
      const python = await this.#make(facts, plan);
      const sitePackages = await directory.sitePackages();
      await provideSource(facts, directory, sitePackages);
      const sdk = await patchSdk(sitePackages, options.log);
      this.#requireSdk(facts, plan, sdk.sdk);
      await this.#timed('bytecode', () => this.#provideBytecode(python, sitePackages));
      await directory.markValid({ ...sdk, python: python.version.join('.') });
      this.#parts.harvest.add(python.path, sitePackages);
      const milliseconds = { ...this.#timings, total: Math.round(performance.now() - started) };
      options.log.info({ plugin: request.identifier, milliseconds }, 'made the Python environment of a plugin');
    } catch (error) {
      this.#write(`\n${messageOf(error)}\n`, 'important');
      // A half-made environment only takes space: the next attempt starts anew, from the cache.
      await directory.removeEnvironment().catch(() => {});
      throw error;
    } finally {
      await this.#log?.close();
    }
  }

  /** With the interpreter the plugin wishes for, or the next one when its dependencies turn out to need another. */
  async #make(facts: DependencyFacts, plan: InstallPlan): Promise<PythonInterpreter> {
    const { pythons, request, directory, options } = this.#parts;
    const tried: number[] = [];
    const wish = { runnerVersion: request.runner?.version, ranges: pythonRanges(facts, plan), tried };
    const call = { signal: request.signal, onProgress: request.onProgress };
    let python = await this.#timed('python', () => pythons.choose(wish, call));
    for (;;) {
      try {
        await this.#makeWith(python, facts, plan);
        return python;
      } catch (error) {
        if (!(error instanceof EnvironmentError) || error.failure !== 'python-conflict') throw error;
        tried.push(python.version[1]);
        const next = tried.length < MOST_PYTHONS ? await pythons.another(wish, call) : undefined;
        if (next === undefined) throw error;
        options.log.warn(
          { plugin: request.identifier, python: python.version.join('.'), next: next.version.join('.') },
          'the dependencies of a plugin need another Python; trying the next one',
        );
        this.#write(`\nnot with Python ${python.version.join('.')}; trying ${next.path}\n`);
        await directory.removeEnvironment();
        python = next;
      }
    }
  }

  async #makeWith(python: PythonInterpreter, facts: DependencyFacts, plan: InstallPlan): Promise<void> {
    // Neither waits for the other: the plugin's own files are compiled while its dependencies are installed.
    const compiled = this.#timed('compile', () => this.#compile(python));
    const installed = this.#createEnvironment(python).then(() => this.#install(facts, plan, python));
    await settleAll(installed, compiled);
  }

  async #read(): Promise<DependencyFacts> {
    const { directory, extractor, request } = this.#parts;
    return await extractor.readDependencies(directory.path, request.runner?.entrypoint ?? 'main');
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
      await extractor.extract({ bytes, checksum: request.checksum, directory: directory.path });
    } catch (error) {
      const text = messageOf(error);
      const failure = classifyFailure(text);
      const kind = failure === 'disk-full' || failure === 'permission' ? failure : 'package-unreadable';
      throw new EnvironmentError(kind, text, { cause: error });
    }
  }

  #plan(facts: DependencyFacts): InstallPlan {
    const { options, mirrorUrl, request } = this.#parts;
    const plan = planInstall(facts, { mirror: mirrorUrl !== undefined, ignoreLock: options.ignoreLock });
    if ('failure' in plan) throw new EnvironmentError(plan.failure, '', { output: plan.text });
    this.#write(`dependencies: ${plan.kind === 'nothing' ? 'none' : plan.file}\n`);
    for (const note of plan.notes.slice(0, 20)) {
      this.#write(`${note}\n`);
      options.log.warn(
        { plugin: request.identifier, note },
        'the dependencies of a plugin are not taken as they stand',
      );
    }
    return plan;
  }

  /** An installation whose plugin cannot start is none, whatever uv says. */
  #requireSdk(facts: DependencyFacts, plan: InstallPlan, installed: string | null): void {
    if (!facts.startsSdk || facts.carriesSdk || installed !== null) return;
    const text = `failed to install dependencies: ${plan.file} does not bring dify_plugin, which ${this.#parts.request.runner?.entrypoint ?? 'main'}.py imports`;
    throw new EnvironmentError('sdk-missing', text, { logFile: this.#parts.directory.log });
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
    const result = await this.#uv({
      args: ['venv', this.#parts.directory.environment, '--python', interpreter.path, '--no-project', '--no-config'],
      cwd: options.workingPath,
      python: interpreter.path,
      timeoutSeconds: 120,
    });
    this.#timings.venv = Math.round(performance.now() - start);
    if (!result.ok) throw this.#failure('failed to create virtual environment', result);
  }

  async #install(facts: DependencyFacts, plan: InstallPlan, interpreter: PythonInterpreter): Promise<void> {
    if (plan.kind === 'nothing') return;
    const { options, resolutions, mirrorUrl, directory, request } = this.#parts;
    await this.#timed('install', () =>
      new DependencyInstall(
        {
          options,
          resolutions,
          mirrorUrl,
          directory,
          identifier: request.identifier,
          uv: (step) => this.#uv(step),
          failure: (prefix, result, kind) => this.#failure(prefix, result, kind),
          onProgress: request.onProgress,
          note: (text) => this.#write(`${text}\n`),
        },
        facts,
        plan,
      ).run(interpreter),
    );
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
      onLines: (lines) => this.#write(`${lines.join('\n')}\n`),
    });
    if (!result.ok)
      options.log.warn(
        { plugin: request.identifier, status: result.status, log: directory.log },
        'failed to pre-compile the plugin',
      );
  }

  async #provideBytecode(python: PythonInterpreter, sitePackages: string): Promise<void> {
    const { bytecode, request } = this.#parts;
    try {
      const files = await bytecode.provide(python.path, sitePackages, request.signal);
      this.#write(`\n${files} bytecode files taken from the store\n`);
    } catch (error) {
      request.signal.throwIfAborted();
      this.#write(`\nno bytecode taken from the store: ${error}\n`);
    }
  }

  #uv({ onLines, ...step }: UvStep): Promise<CommandResult> {
    const { directory, request, installer } = this.#parts;
    this.#write(`\n$ uv ${step.args.map(withoutPassword).join(' ')}\n`);
    return installer.uv({
      ...step,
      signal: request.signal,
      environment: directory.environment,
      onLines: (lines) => {
        this.#write(`${lines.join('\n')}\n`);
        onLines?.(lines);
      },
    });
  }

  #failure(prefix: string, result: CommandResult, kind?: EnvironmentFailure): EnvironmentError {
    const { directory, options } = this.#parts;
    const explained = explainOutput(result.stderr);
    const status = result.ended === undefined ? result.status : 'signal: killed';
    const silence =
      result.ended === 'inactivity'
        ? `\ninit process exited due to no activity for ${options.inactivitySeconds} seconds`
        : '';
    const found = classifyFailure(explained);
    // A disk or a right that is missing explains every step; else the step knows better than the words do.
    const isSystem = found === 'disk-full' || found === 'permission';
    const failure = result.ended ?? (kind === undefined || isSystem ? found : kind);
    return new EnvironmentError(failure, `${prefix}: ${status}, output: `, {
      output: `${explained}${silence}`,
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

  #write(text: string, importance?: 'important'): void {
    this.#log?.write(text, importance);
  }
}

/** Waits for all to end before the first failure is thrown: nothing may still write when the caller cleans up. */
async function settleAll(...work: Promise<unknown>[]): Promise<void> {
  const settled = await Promise.allSettled(work);
  for (const one of settled) if (one.status === 'rejected') throw one.reason;
}
