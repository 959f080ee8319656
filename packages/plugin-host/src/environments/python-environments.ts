import { join } from 'node:path';
import { untilAborted } from './abortable.ts';
import { BytecodeStore, Harvest } from './bytecode/index.ts';
import { diagnose, type EnvironmentDiagnosis } from './diagnosis.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { EnvironmentBuild } from './environment-build.ts';
import { extraArguments } from './extra-arguments.ts';
import { EnvironmentError } from './failures.ts';
import { collectGarbage, type GarbageOptions, type GarbageReport } from './garbage.ts';
import { Installer } from './installer.ts';
import { interpreterEnvironment } from './installer-environment.ts';
import { detectMirror } from './mirror.ts';
import type { PreparedEnvironment, PrepareRequest, PythonEnvironmentsOptions } from './options.ts';
import { PackageExtractor } from './package-extractor.ts';
import { PythonProvider } from './python-provider.ts';
import { ResolutionStore } from './resolution-store.ts';
import { amendedModules, patchSdk } from './sdk-patches/index.ts';
import { Seeds } from './seeds/index.ts';
import { type EnvironmentFlag, WorkingDirectory } from './working-directory.ts';

/** How long the outcome of a resolution stands in for asking the index again. */
const RESOLUTION_SECONDS = 3600;

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
    const result = (fresh: boolean) => ({ directory: directory.path, python: directory.python, fresh });
    // One made by upstream has a flag without the SDK's version, one made earlier may lack an amendment: looked at under the lock.
    if (isComplete(await directory.state())) return result(false);
    const onWait = () => request.onProgress('waiting for another installation of this plugin');
    return withDirectoryLock(directory.lock, { signal: request.signal, onWait }, async () => {
      const state = await directory.state();
      if (state === undefined) {
        await this.#build(directory, request);
        return result(true);
      }
      if (!isComplete(state)) {
        const { timestamp: _, ...known } = state;
        await directory.markValid({ ...known, ...(await patchSdk(await directory.sitePackages(), this.#options.log)) });
      }
      return result(false);
    });
  }

  /** Finds, or fetches, what installing needs, and asks the index. Never rejects but with the signal's reason. */
  async diagnose(signal: AbortSignal): Promise<EnvironmentDiagnosis> {
    const { workingPath } = this.#options;
    const mirrorUrl = await untilAborted(this.#detectMirror(), signal);
    return diagnose({ installer: this.#installer, pythons: this.#pythons, workingPath }, mirrorUrl, signal);
  }

  /** Working directories that belong to no installation, and bytecode that belongs to no environment. */
  async collectGarbage(options: GarbageOptions): Promise<GarbageReport> {
    const { directories } = await collectGarbage(this.#options.workingPath, options);
    return { directories, bytecodeBytes: await this.#bytecode.prune(options.dryRun) };
  }

  /** Ends what runs in the background. Preparations that are under way are ended by their own signals. */
  async close(): Promise<void> {
    this.#lifetime.abort(new Error('the daemon is shutting down'));
    await Promise.all([this.#harvest.close(), this.#extractor.close(), this.seeds.settled()]);
  }

  async #build(directory: WorkingDirectory, request: PrepareRequest): Promise<void> {
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
    });
    await build.run();
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

const isComplete = (state: EnvironmentFlag | undefined): boolean =>
  state?.sdk !== undefined && amendedModules(state.sdk).every((file) => state.patched?.includes(file));

function withoutCredentials(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return '(not a URL)';
  parsed.username = '';
  parsed.password = '';
  return parsed.href;
}
