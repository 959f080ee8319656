import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import type { BytecodeStore, Harvest } from './bytecode/index.ts';
import type { CommandResult } from './command.ts';
import { type DependencyFacts, type InstallPlan, planInstall, pythonRanges } from './dependencies/index.ts';
import { DependencyInstall, type UvStep, withoutPassword } from './dependency-install.ts';
import { EnvironmentSharing, type Made } from './environment-sharing.ts';
import { EnvironmentError, type EnvironmentFailure } from './failures.ts';
import { InstallationLog } from './installation-log.ts';
import type { Installer } from './installer.ts';
import type { EnvironmentOutcome, PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import type { PackageExtractor } from './package-extractor.ts';
import { compilePlugin, unpackPlugin } from './plugin-files.ts';
import type { PythonInterpreter } from './python-discovery.ts';
import type { PythonProvider } from './python-provider.ts';
import { pinsOf, type ResolutionStore } from './resolution-store.ts';
import { patchSdk, type SdkState } from './sdk-patches/index.ts';
import { settleAll } from './settle-all.ts';
import { provideSource } from './source-folder.ts';
import { stepFailure } from './step-failure.ts';
import type { EnvironmentStore, KnownCircumstances } from './store/index.ts';
import { sitePackagesOf, type WorkingDirectory } from './working-directory.ts';

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
  /** Where environments are shared; absent: each plugin gets one of its own. */
  readonly store: EnvironmentStore | undefined;
  /** What decides beside the package what is installed. */
  readonly circumstances: KnownCircumstances;
  readonly resolutionMs: number;
}

/** One construction of one environment, from package to flag file; held together by the directory's lock. */
export class EnvironmentBuild {
  readonly #parts: BuildParts;
  readonly #timings: Record<string, number> = {};
  #log: InstallationLog | undefined;
  /** Where it is made. */
  #environment: string;
  #installedBefore: string | undefined;

  constructor(parts: BuildParts) {
    this.#parts = parts;
    this.#environment = parts.directory.environment;
  }

  async run(): Promise<EnvironmentOutcome> {
    const { directory, request, options } = this.#parts;
    const started = performance.now();
    try {
      await this.#timed('unpack', () => unpackPlugin(this.#parts));
      this.#log = await InstallationLog.open(directory.log);
      this.#write(`${new Date().toISOString()} environment of ${request.identifier}\n`);
      this.#installedBefore = await directory.installedBefore();
      await this.#timed('remove', () => directory.removeEnvironment());
      const outcome = this.#parts.store === undefined ? await this.#own() : await this.#shared(this.#parts.store);
      const milliseconds = { ...this.#timings, total: Math.round(performance.now() - started) };
      options.log.info(
        { plugin: request.identifier, outcome, milliseconds },
        'made the Python environment of a plugin',
      );
      return outcome;
    } catch (error) {
      this.#write(`\n${messageOf(error)}\n`, 'important');
      // A half-made environment only takes space: the next attempt starts anew, from the cache.
      await directory.removeEnvironment().catch(() => {});
      throw error;
    } finally {
      await this.#log?.close();
    }
  }

  /** An environment for this plugin alone. */
  async #own(): Promise<EnvironmentOutcome> {
    const { directory, harvest } = this.#parts;
    const facts = await this.#timed('read', () => this.#read());
    const { python, sdk, meanwhile } = await this.#makeIn(directory.environment, facts, this.#plan(facts));
    await meanwhile();
    await this.#mark(sdk, python.version.join('.'));
    harvest.add(python.path, await directory.sitePackages());
    return 'own';
  }

  /** One that others may have too. */
  async #shared(store: EnvironmentStore): Promise<EnvironmentOutcome> {
    const { directory, request, circumstances, resolutionMs, extractor, options, harvest } = this.#parts;
    const note = (text: string) => this.#write(`${text}\n`);
    const sharing = new EnvironmentSharing({ store, directory, request, circumstances, resolutionMs, note });
    const byPlan = async () => {
      const facts = await this.#timed('read', () => this.#read());
      const plan = this.#plan(facts);
      return await sharing.byPlan(facts, plan, async (staging) => {
        const made = await this.#makeIn(staging, facts, plan);
        await this.#timed('open', () => extractor.openTree({ root: staging }));
        return made;
      });
    };
    const { stored, outcome } = (await sharing.byPackage()) ?? (await byPlan());
    const { path, version } = stored.interpreter;
    if (this.#timings.compile === undefined && !(await options.compilesItself?.()))
      await this.#timed('compile', () => this.#compile(path));
    await this.#mark({ sdk: stored.sdk, patched: stored.patched }, version);
    if (outcome === 'new' || outcome === 'repaired')
      harvest.add(path, await sitePackagesOf(store.directoryOf(stored.key)));
    return outcome;
  }

  async #mark(sdk: SdkState, python: string): Promise<void> {
    const { directory } = this.#parts;
    const pins = await pinsOf(await directory.sitePackages());
    if (pins !== undefined) await directory.noteInstalled(pins);
    await directory.markValid({ ...sdk, python });
  }

  async #makeIn(environment: string, facts: DependencyFacts, plan: InstallPlan): Promise<Made> {
    const { harvest, options } = this.#parts;
    this.#environment = environment;
    harvest.now();
    const { python, configuration } = await this.#make(facts, plan);
    const sitePackages = await sitePackagesOf(environment);
    await provideSource(facts, environment, sitePackages);
    const sdk = await patchSdk(sitePackages, options.log);
    this.#requireSdk(facts, plan, sdk.sdk);
    const meanwhile = () => this.#timed('bytecode', () => this.#provideBytecode(python, sitePackages));
    return { python, sdk, configuration, meanwhile };
  }

  /** With the interpreter the plugin wishes for, or the next one when its dependencies turn out to need another. */
  async #make(facts: DependencyFacts, plan: InstallPlan): Promise<Pick<Made, 'python' | 'configuration'>> {
    const { pythons, request, options } = this.#parts;
    const tried: number[] = [];
    const wish = { runnerVersion: request.runner?.version, ranges: pythonRanges(facts, plan), tried };
    const call = { signal: request.signal, onProgress: request.onProgress };
    let python = await this.#timed('python', () => pythons.choose(wish, call));
    for (;;) {
      try {
        return { python, configuration: await this.#makeWith(python, facts, plan) };
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
        await rm(this.#environment, { recursive: true, force: true, maxRetries: 3 });
        python = next;
      }
    }
  }

  /** Returns the environment's configuration as it was before anything was installed. */
  async #makeWith(python: PythonInterpreter, facts: DependencyFacts, plan: InstallPlan): Promise<string> {
    // Neither waits for the other: the plugin's own files are compiled while its dependencies are installed.
    const compiled = this.#timed('compile', () => this.#compile(python.path));
    let configuration = '';
    const installed = this.#createEnvironment(python).then(async () => {
      configuration = await readFile(join(this.#environment, 'pyvenv.cfg'), 'utf8');
      await this.#install(facts, plan, python);
    });
    await settleAll(installed, compiled);
    return configuration;
  }

  async #read(): Promise<DependencyFacts> {
    const { directory, extractor, request } = this.#parts;
    return await extractor.readDependencies(directory.path, request.runner?.entrypoint ?? 'main');
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
      args: [
        ...['venv', this.#environment, '--python', interpreter.path, '--no-project', '--no-config'],
        // It is renamed when it is done, and seen by several names.
        ...(this.#parts.store === undefined ? [] : ['--relocatable']),
      ],
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
          environment: this.#environment,
          installedBefore: this.#installedBefore,
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

  async #compile(python: string): Promise<void> {
    const { directory, request, options } = this.#parts;
    await compilePlugin({
      options,
      directory,
      request,
      python,
      onLines: (lines) => this.#write(`${lines.join('\n')}\n`),
    });
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
    const { request, installer } = this.#parts;
    this.#write(`\n$ uv ${step.args.map(withoutPassword).join(' ')}\n`);
    return installer.uv({
      ...step,
      signal: request.signal,
      environment: this.#environment,
      onLines: (lines) => {
        this.#write(`${lines.join('\n')}\n`);
        onLines?.(lines);
      },
    });
  }

  #failure(prefix: string, result: CommandResult, kind?: EnvironmentFailure): EnvironmentError {
    const { directory, options } = this.#parts;
    return stepFailure(prefix, result, { kind, logFile: directory.log, inactivitySeconds: options.inactivitySeconds });
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
