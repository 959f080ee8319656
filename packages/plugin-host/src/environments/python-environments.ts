import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { untilAborted } from './abortable.ts';
import { BytecodeStore, Harvest } from './bytecode/index.ts';
import { diagnose, type EnvironmentDiagnosis } from './diagnosis.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { EnvironmentBuild } from './environment-build.ts';
import { extraArguments } from './extra-arguments.ts';
import { EnvironmentError } from './failures.ts';
import { collectGarbage, type GarbageOptions, type GarbageReport, referencesIn } from './garbage.ts';
import { identityOf } from './identity.ts';
import { Installer } from './installer.ts';
import { interpreterEnvironment } from './installer-environment.ts';
import { detectMirror } from './mirror.ts';
import type { EnvironmentOutcome, PreparedEnvironment, PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import { PackageExtractor } from './package-extractor.ts';
import { PythonProvider } from './python-provider.ts';
import { sweepRemains } from './remains.ts';
import { ResolutionStore } from './resolution-store.ts';
import { AMENDMENTS_VERSION, amendedModules, patchSdk } from './sdk-patches/index.ts';
import { Seeds } from './seeds/index.ts';
import {
  collectStored,
  EnvironmentStore,
  type KnownCircumstances,
  listStored,
  type StoredReport,
} from './store/index.ts';
import { type EnvironmentState, storedBehind, WorkingDirectory } from './working-directory.ts';

/** How long the outcome of a resolution stands in for asking the index again. */
const RESOLUTION_SECONDS = 3600;

/** It waits for installations that are under way. */
const FORGET_SECONDS = 120;

/** Makes and keeps the Python environments of plugins, one working directory each. */
export class PythonEnvironments {
  readonly #options: PythonEnvironmentsOptions;
  readonly #lifetime = new AbortController();
  readonly #extractor = new PackageExtractor();
  readonly #installer: Installer;
  readonly #pythons: PythonProvider;
  readonly #bytecode: BytecodeStore;
  readonly #resolutions: ResolutionStore;
  readonly #harvest: Harvest;
  readonly #store: EnvironmentStore;
  /** Environments for parents. */
  readonly seeds: Seeds;
  #mirror: Promise<string | undefined> | undefined;

  constructor(options: PythonEnvironmentsOptions) {
    this.#options = options;
    const lifetime = this.#lifetime.signal;
    this.#installer = new Installer(options, lifetime);
    this.#pythons = new PythonProvider(options, this.#installer, lifetime);
    this.#bytecode = new BytecodeStore({
      root: join(options.workingPath, '.bytecode'),
      launcher: options.launcher,
      environment: interpreterEnvironment(options.environment),
      shared: async () => (await options.readOnlyForPlugins?.()) === true,
    });
    this.#resolutions = new ResolutionStore(join(options.workingPath, '.resolutions'), {
      maximumAgeSeconds: RESOLUTION_SECONDS,
    });
    this.#store = new EnvironmentStore({
      root: join(options.workingPath, '.environments'),
      files: this.#extractor,
      versionOf: (python) => this.#pythons.versionOf(python),
      log: options.log,
    });
    this.seeds = new Seeds({
      root: join(options.workingPath, '.parents'),
      uv: (call) => this.#installer.uv(call),
      indexArguments: async () => {
        const mirror = await untilAborted(this.#detectMirror(), lifetime);
        return [...(mirror === undefined ? [] : ['-i', mirror]), ...extraArguments(options.extraArgs).install];
      },
      log: options.log,
      signal: lifetime,
    });
    this.#harvest = new Harvest(this.#bytecode, options.harvestAfterMs ?? 20_000, options.log);
  }

  /**
   * Unpacks a plugin and installs its dependencies, unless that has been done before.
   * @throws EnvironmentError with cause, remedy and the path of the full log; the signal's reason when aborted, after the
   *   installer's processes have ended
   */
  async prepare(request: PrepareRequest): Promise<PreparedEnvironment> {
    const language = request.runner?.language ?? 'python';
    if (language !== 'python') throw new EnvironmentError('unsupported-language', `unsupported language: ${language}`);
    const directory = new WorkingDirectory(this.#options.workingPath, request.identifier);
    const result = (fresh: boolean, stored: string | undefined) => ({
      directory: directory.path,
      python: directory.python,
      fresh,
      ...(stored !== undefined && { shared: this.#store.directoryOf(stored) }),
    });
    // One made by upstream has a flag without the SDK's version, one made earlier may lack an amendment: looked at under the lock.
    const before = await this.#usable(directory);
    if (before?.stored !== undefined || isComplete(before)) return result(false, before?.stored);
    const onWait = () => request.onProgress('waiting for another installation of this plugin');
    return withDirectoryLock(directory.lock, { signal: request.signal, onWait }, async () => {
      const state = await this.#usable(directory);
      if (state?.stored !== undefined || isComplete(state)) return result(false, state?.stored);
      if (state === undefined) {
        const outcome = await this.#build(directory, request);
        this.#options.onPrepared?.(outcome);
        return result(true, await storedBehind(directory.environment));
      }
      const { timestamp: _, ...known } = state;
      await directory.markValid({ ...known, ...(await patchSdk(await directory.sitePackages(), this.#options.log)) });
      return result(false, undefined);
    });
  }

  /**
   * After a start that failed: reads every file of the environment that a plugin shares with others. Returns what is damaged there; the
   * next `prepare` makes it anew. Undefined when it is not the environment, or not one that is shared.
   */
  async examine(identifier: string): Promise<string | undefined> {
    const stored = await storedBehind(new WorkingDirectory(this.#options.workingPath, identifier).environment);
    const damage = stored === undefined ? undefined : await this.#store.examine(stored);
    if (damage === undefined) return undefined;
    if (damage.distributions.length > 0) await this.#forgetWheels(damage.distributions);
    return damage.problem;
  }

  /**
   * To be asked now and then while a plugin runs: why it should be started anew, because its environment is gone, no longer whole, or
   * another one in the same place, which a process that has it by a mount does not see. The first asking is at once.
   */
  standing(identifier: string): () => Promise<string | undefined> {
    const directory = new WorkingDirectory(this.#options.workingPath, identifier);
    const identity = () => identityOf(join(directory.environment, 'lib'));
    const first = identity().catch(() => undefined);
    return async () => {
      if ((await this.#usable(directory)) === undefined) return 'its Python environment is gone, or no longer whole';
      const before = await first;
      return before === undefined || before === (await identity()) ? undefined : 'its Python environment was replaced';
    };
  }

  /** Compiles what is installed in the environment of a plugin, for processes that write no bytecode themselves. @throws Error */
  async compile(identifier: string, signal: AbortSignal): Promise<void> {
    const directory = new WorkingDirectory(this.#options.workingPath, identifier);
    await this.#bytecode.fill(directory.python, await directory.sitePackages(), signal);
  }

  /** Whether there is a working directory of a plugin, or the beginning of one. */
  async isThere(identifier: string): Promise<boolean> {
    const { path, lock } = new WorkingDirectory(this.#options.workingPath, identifier);
    return existsSync(path) || existsSync(lock);
  }

  /** The environments that plugins share. */
  async list(): Promise<StoredReport[]> {
    return await listStored(this.#store, () => referencesIn(this.#options.workingPath, []));
  }

  /** Finds, or fetches, what installing needs, and asks the index. Never rejects but with the signal's reason. */
  async diagnose(signal: AbortSignal): Promise<EnvironmentDiagnosis> {
    const { workingPath } = this.#options;
    const mirrorUrl = await untilAborted(this.#detectMirror(), signal);
    return diagnose({ installer: this.#installer, pythons: this.#pythons, workingPath }, mirrorUrl, signal);
  }

  /** Working directories that belong to no installation, environments that no directory refers to, and bytecode of no environment. */
  async collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
    const { workingPath } = this.#options;
    const { dryRun, minimumAgeSeconds } = options;
    const signal = this.#lifetime.signal;
    const { directories } = await collectGarbage(workingPath, { ...options, signal });
    const gone = directories.map(({ name }) => name);
    const references = async () => referencesIn(workingPath, gone, await options.keep());
    const environments = await collectStored(this.#store, { dryRun, minimumAgeSeconds, references, signal });
    if (!dryRun) {
      await this.#resolutions.prune();
      await sweepRemains(workingPath);
    }
    return { directories, environments, bytecodeBytes: await this.#bytecode.prune(dryRun) };
  }

  /** Ends what runs in the background. Preparations that are under way are ended by their own signals. */
  async close(): Promise<void> {
    this.#lifetime.abort(new Error('the daemon is shutting down'));
    await Promise.all([this.#harvest.close(), this.#extractor.close(), this.seeds.settled()]);
  }

  /** From the installer's cache; what is needed of them is fetched anew. */
  async #forgetWheels(distributions: readonly string[]): Promise<void> {
    const { workingPath, log } = this.#options;
    const call = { cwd: workingPath, signal: this.#lifetime.signal, timeoutSeconds: FORGET_SECONDS };
    const result = await this.#installer.uv({ ...call, args: ['cache', 'clean', ...distributions, '--no-config'] });
    const what = { distributions, output: result.stderr.trim().slice(-500) };
    if (result.ok) log.warn(what, 'the cache of the installer was damaged too: these are fetched anew');
    else log.warn(what, 'the cache of the installer is damaged and could not be cleaned');
  }

  /** What there is, if a plugin can run on it. */
  async #usable(directory: WorkingDirectory): Promise<EnvironmentState | undefined> {
    const state = await directory.state();
    if (state?.stored === undefined) return state;
    const stored = await this.#store.whole(state.stored);
    // What others share is not changed: it gives way to one that has the amendments.
    const isCurrent = stored?.amendments === AMENDMENTS_VERSION || isComplete(state);
    return stored === undefined || !isCurrent ? undefined : { ...state, sdk: stored.sdk, patched: stored.patched };
  }

  async #shares(): Promise<boolean> {
    const { share, readOnlyForPlugins } = this.#options;
    return share === true && process.platform !== 'win32' && (await readOnlyForPlugins?.()) === true;
  }

  async #build(directory: WorkingDirectory, request: PrepareRequest): Promise<EnvironmentOutcome> {
    const mirrorUrl = await untilAborted(this.#detectMirror(), request.signal);
    const signal = AbortSignal.any([request.signal, this.#lifetime.signal]);
    const build = new EnvironmentBuild({
      options: this.#options,
      extractor: this.#extractor,
      installer: this.#installer,
      pythons: this.#pythons,
      bytecode: this.#bytecode,
      resolutions: this.#resolutions,
      harvest: this.#harvest,
      mirrorUrl,
      directory,
      request: { ...request, signal },
      store: (await this.#shares()) ? this.#store : undefined,
      circumstances: this.#circumstances(request, mirrorUrl),
      resolutionMs: RESOLUTION_SECONDS * 1000,
    });
    return await build.run();
  }

  /** What decides beside a package what is installed for it. */
  #circumstances({ runner }: PrepareRequest, mirrorUrl: string | undefined): KnownCircumstances {
    const { environment, pythonInterpreterPath, extraArgs, ignoreLock, sourceHosts, sourceBuilds } = this.#options;
    const ofUv = Object.entries(environment).filter(([name]) => name.startsWith('UV_'));
    return [
      ...[process.platform, process.arch, runner?.version, pythonInterpreterPath, mirrorUrl, ofUv.sort()],
      ...[extraArgs, ignoreLock, sourceHosts, sourceBuilds, AMENDMENTS_VERSION],
    ];
  }

  #detectMirror(): Promise<string | undefined> {
    this.#mirror ??= detectMirror(this.#options.mirror, this.#options.proxies, () =>
      this.#installer.publicIndex(),
    ).then((url) => {
      if (url !== undefined && url !== this.#options.mirror.url)
        this.#options.log.info({ mirror: withoutCredentials(url) }, 'installing from the fastest mirror');
      return url;
    });
    return this.#mirror;
  }
}

const isComplete = (state: EnvironmentState | undefined): boolean =>
  state?.sdk !== undefined && amendedModules(state.sdk).every((file) => state.patched?.includes(file));

function withoutCredentials(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return '(not a URL)';
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
