import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandResult } from './command.ts';
import {
  admit,
  type DependencyFacts,
  type InstallPlan,
  ownSources,
  type Requirement,
  readRequirementsFile,
  sourcePolicy,
  VENDORED_WHEELS,
} from './dependencies/index.ts';
import { extraArguments } from './extra-arguments.ts';
import { classifyFailure, EnvironmentError, type EnvironmentFailure, explainOutput } from './failures.ts';
import { draftName } from './lives.ts';
import { hasCredentials, indexArguments } from './operator-index.ts';
import type { PythonEnvironmentsOptions } from './options.ts';
import type { PythonInterpreter } from './python-discovery.ts';
import { type ResolutionStore, resolutionKey } from './resolution-store.ts';
import { UvProgress } from './uv-progress.ts';
import { sitePackagesOf, type WorkingDirectory } from './working-directory.ts';

const INSTALL_SECONDS = 600;
const QUICK_SECONDS = 120;
/** Requirements named in one message. */
const NAMED = 5;

export interface UvStep {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly timeoutSeconds: number;
  readonly inactivitySeconds?: number;
  readonly python?: string;
  readonly onLines?: (lines: readonly string[]) => void;
  /** Instead of the shared one. */
  readonly cacheDirectory?: string;
  /** Code of strangers runs: what it may write to beside its own. */
  readonly cage?: { readonly directory: string; readonly writable: readonly string[] };
}

export interface DependencyInstallParts {
  readonly options: PythonEnvironmentsOptions;
  readonly resolutions: ResolutionStore;
  readonly mirrorUrl: string | undefined;
  readonly directory: WorkingDirectory;
  /** Where it is installed. */
  readonly environment: string;
  /** What was installed for this plugin before: pinned requirements, one a line. */
  readonly installedBefore: string | undefined;
  readonly identifier: string;
  readonly uv: (step: UvStep) => Promise<CommandResult>;
  readonly failure: (prefix: string, result: CommandResult, kind?: EnvironmentFailure) => EnvironmentError;
  readonly onProgress: (text: string) => void;
  readonly note: (text: string) => void;
}

const STEP = 'failed to install dependencies: failed to install dependencies';

/**
 * Installs what a plan says. uv runs in a folder of ours with requirements written by us: no configuration, index or source of
 * the package reaches it that the operator does not let through.
 */
export class DependencyInstall {
  readonly #parts: DependencyInstallParts;
  readonly #facts: DependencyFacts;
  readonly #plan: Exclude<InstallPlan, { kind: 'nothing' }>;
  #folder = '';

  constructor(parts: DependencyInstallParts, facts: DependencyFacts, plan: Exclude<InstallPlan, { kind: 'nothing' }>) {
    this.#parts = parts;
    this.#facts = facts;
    this.#plan = plan;
  }

  /** @throws EnvironmentError */
  async run(interpreter: PythonInterpreter): Promise<void> {
    this.#folder = join(this.#parts.options.workingPath, '.build', await draftName());
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    try {
      const plan = this.#plan;
      if (plan.kind === 'lock') {
        const lines = this.#admitted(await this.#exported(interpreter));
        await this.#install(['--no-deps', '-r', await this.#file('requirements', lines)], lines, interpreter);
        return;
      }
      const lines = [...plan.options, ...this.#admitted(plan.requirements)];
      const args = ['-r', await this.#file('requirements', lines)];
      const constraints = this.#admitted(plan.constraints);
      const overrides = this.#admitted(plan.overrides);
      if (constraints.length > 0) args.push('-c', await this.#file('constraints', constraints));
      if (overrides.length > 0) args.push('--override', await this.#file('overrides', overrides));
      if (plan.prerelease !== undefined && /^[a-z-]{1,40}$/.test(plan.prerelease))
        args.push('--prerelease', plan.prerelease);
      if (plan.vendored) {
        const wheels = join(this.#parts.directory.path, VENDORED_WHEELS);
        await this.#uvInstall(['--no-index', '--no-build', '--find-links', wheels, ...args]);
        return;
      }
      await this.#install(args, [...lines, ...constraints, ...overrides], interpreter);
    } finally {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  /** What uv.lock has for a plugin, as requirements with hashes. */
  async #exported(interpreter: PythonInterpreter): Promise<readonly Requirement[]> {
    const { directory, options, uv, failure } = this.#parts;
    const output = join(this.#folder, 'lock.txt');
    const args = ['export', '--frozen', '--no-dev', '--no-emit-project', '--no-header', '--no-annotate', '--no-config'];
    const result = await uv({
      args: [...args, '--quiet', '-o', output, '--project', directory.path, ...extraArguments(options.extraArgs).lock],
      cwd: this.#folder,
      python: interpreter.path,
      timeoutSeconds: QUICK_SECONDS,
    });
    if (!result.ok) throw failure(STEP, result, 'bad-lock');
    const content = await readExport(output);
    const { requirements, problems } = readRequirementsFile('uv.lock', () => content);
    if (problems.length > 0) throw new EnvironmentError('bad-lock', `${STEP}: `, { output: problems.join('\n') });
    return requirements;
  }

  /** @throws EnvironmentError when one of them would ask a foreign host or run code of the package */
  #admitted(requirements: readonly Requirement[]): readonly string[] {
    const { options, directory } = this.#parts;
    const { lines, refused, ownBuilds } = admit(requirements, directory.path, sourcePolicy(options.sourceHosts ?? []));
    const named = (texts: readonly string[]) => texts.slice(0, NAMED).map((text) => text.slice(0, 160));
    if (refused.length > 0) {
      const hosts = [...new Set(refused.map(({ host }) => host))].slice(0, NAMED).join(', ');
      const texts = named(refused.map(({ text }) => text)).join('\n');
      throw new EnvironmentError('foreign-source', `${STEP}: ${this.#plan.file} asks ${hosts}: `, { output: texts });
    }
    if (ownBuilds.length > 0)
      throw new EnvironmentError('own-build', `${STEP}: ${this.#plan.file}: `, { output: named(ownBuilds).join('\n') });
    return lines;
  }

  async #install(args: readonly string[], lines: readonly string[], interpreter: PythonInterpreter): Promise<void> {
    const { options, resolutions, mirrorUrl, environment, note } = this.#parts;
    const extra = extraArguments(options.extraArgs).install;
    const sources = ownSources(this.#facts);
    const index = indexArguments(mirrorUrl, sources, sourcePolicy(options.sourceHosts ?? []));
    for (const left of index.leftOut.slice(0, NAMED))
      note(`an index named by the package is not asked (PLUGIN_SOURCE_HOSTS): ${withoutPassword(left).slice(0, 300)}`);
    const isPinned = this.#plan.kind === 'lock';
    const circumstances = [...this.#circumstances(interpreter), ...index.args];
    const key = extra.length > 0 ? undefined : resolutionKey(lines.join('\n'), circumstances, isPinned);
    const known = key === undefined ? undefined : ((await resolutions.find(key)) ?? (await this.#before()));
    if (
      known !== undefined &&
      (await this.#installKnown([...(isPinned ? args : ['--no-deps', '-r', known]), ...index.args]))
    )
      return;
    await this.#uvInstall([...args, ...index.args, ...extra], index.leftOut);
    if (key === undefined) return;
    await resolutions
      .remember(key, await sitePackagesOf(environment))
      .catch((error) => note(`resolution not remembered: ${error}`));
  }

  /** An environment that was damaged becomes what it was, whatever there is by now. */
  async #before(): Promise<string | undefined> {
    const { installedBefore } = this.#parts;
    if (installedBefore === undefined || installedBefore.trim() === '') return undefined;
    return await this.#file('before', [installedBefore.trim()]);
  }

  /** From the cache alone; false when something is missing there. */
  async #installKnown(args: readonly string[]): Promise<boolean> {
    const result = await this.#parts.uv({
      args: ['pip', 'install', '--offline', '--no-build', ...args, ...(await this.#linkMode())],
      cwd: this.#folder,
      timeoutSeconds: INSTALL_SECONDS,
    });
    return result.ok;
  }

  async #uvInstall(args: readonly string[], leftOut: readonly string[] = []): Promise<void> {
    const { failure, onProgress } = this.#parts;
    onProgress('installing dependencies');
    // First without building anything: no code of a dependency runs beside the shared cache, and what has to be built is known before.
    const needsBuild = args.includes('--no-build') ? undefined : await this.#mustBeBuilt(args);
    const result = needsBuild ?? (await this.#attempt(args));
    if (result.ok) return;
    const error = failure(STEP, result);
    if (leftOut.length > 0 && ['bad-requirement', 'hash-mismatch'].includes(error.failure)) {
      const own = withoutPassword(leftOut[0] ?? '').slice(0, 100);
      throw failure(
        `${STEP}: ${this.#plan.file} names an index of its own, ${own}, which is not asked`,
        result,
        'foreign-source',
      );
    }
    if (error.failure === 'bad-requirement' && (await this.#indexIsNone(args)))
      throw failure(STEP, result, 'index-wrong');
    throw error;
  }

  async #attempt(args: readonly string[], more: Partial<UvStep> = {}): Promise<CommandResult> {
    const { options, uv, onProgress } = this.#parts;
    const verbose = options.verbose ? ['-v'] : [];
    const progress = new UvProgress(onProgress);
    return await uv({
      args: ['pip', 'install', ...args, ...(await this.#linkMode()), ...verbose],
      cwd: this.#folder,
      timeoutSeconds: options.timeoutSeconds ?? INSTALL_SECONDS,
      inactivitySeconds: options.inactivitySeconds,
      onLines: (lines) => progress.lines(lines),
      ...more,
    });
  }

  /** Installs without building, and with building what has to be when it may be; the result of the last attempt. */
  async #mustBeBuilt(args: readonly string[]): Promise<CommandResult> {
    const { options, note, identifier, onProgress, directory, environment } = this.#parts;
    const first = await this.#attempt([...args, '--no-build']);
    if (first.ok || classifyFailure(explainOutput(first.stderr)) !== 'build-refused') return first;
    const dependencies = namedForBuilding(first.stderr);
    note(`no wheel for this machine: ${dependencies.join(', ') || 'see above'}`);
    if (!this.#mayBuild()) return first;
    onProgress(`${dependencies.join(', ') || 'a dependency'} has to be built from source`);
    options.log.warn(
      { plugin: identifier, dependencies },
      'dependencies of a plugin have no wheel and are built from source, which runs code of theirs (PLUGIN_SOURCE_BUILDS)',
    );
    if (options.buildCage === undefined) return await this.#attempt(args);
    // What a build writes into a cache, others would install: it gets one of its own.
    const cacheDirectory = join(this.#folder, 'cache');
    await mkdir(cacheDirectory);
    const isOwn = environment === directory.environment;
    return await this.#attempt(args, {
      cacheDirectory,
      cage: { directory: directory.path, writable: [this.#folder, ...(isOwn ? [] : [environment])] },
    });
  }

  /** Whether what is asked has not even the SDK: then no requirement of the plugin is to blame. */
  async #indexIsNone(args: readonly string[]): Promise<boolean> {
    if (args.includes('--no-index')) return false;
    const { mirrorUrl, uv } = this.#parts;
    const { args: index } = indexArguments(mirrorUrl, [], sourcePolicy([]));
    const result = await uv({
      args: ['pip', 'install', '--dry-run', '--no-deps', '--quiet', 'dify_plugin', ...index],
      cwd: this.#folder,
      timeoutSeconds: QUICK_SECONDS,
    });
    return (
      !result.ok && result.ended === undefined && /was not found in|there (?:is|are) no version/i.test(result.stderr)
    );
  }

  #mayBuild(): boolean {
    const { options, mirrorUrl } = this.#parts;
    if (options.sourceBuilds === 'refuse' || options.sourceBuilds === 'allow') return options.sourceBuilds === 'allow';
    return !hasCredentials(options.environment, mirrorUrl);
  }

  /** Files that plugins can write to must not be one file with those of other plugins. */
  async #linkMode(): Promise<string[]> {
    const { readOnlyForPlugins, environment, extraArgs } = this.#parts.options;
    if (extraArgs.includes('--link-mode')) return [];
    if ((await readOnlyForPlugins?.()) === true) return environment.UV_LINK_MODE ? [] : ['--link-mode', 'hardlink'];
    return ['--link-mode', environment.UV_LINK_MODE === 'clone' ? 'clone' : 'copy'];
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
      this.#plan.kind,
      (this.#plan.kind === 'requirements' && this.#plan.prerelease) || '',
    ];
  }

  async #file(name: string, lines: readonly string[]): Promise<string> {
    const path = join(this.#folder, `${name}.txt`);
    await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    return path;
  }
}

/** Larger than the export of the largest lock file that is read. */
const MAX_EXPORT = 16 * 1024 * 1024;

async function readExport(path: string): Promise<{ text: string } | { problem: string }> {
  const { size } = await stat(path);
  return size > MAX_EXPORT ? { problem: `it comes to ${size} bytes` } : { text: await readFile(path, 'utf8') };
}

export const withoutPassword = (text: string): string => text.replace(/(:\/\/)[^/@\s]{1,500}@/, '$1***@');

/** The dependencies of which uv says that it would have to build them. */
const namedForBuilding = (output: string): string[] => {
  const names = [...output.matchAll(/Wheels are required for `([^`\s]{1,200})`/g)].map(([, name = '']) => name);
  return [...new Set(names)].slice(0, 20);
};
