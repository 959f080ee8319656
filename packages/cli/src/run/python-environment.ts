/**
 * The Python environment of a plugin, made once for equal dependencies and kept between runs and between versions of
 * the plugin. Keyed by the dependency files, so that editing code never means installing again; the plugin's folder is
 * not touched. Uses the daemon's environment builder below the cache folder: what comes to the same files is one environment.
 */
import { createHash } from 'node:crypto';
import type { PythonEnvironments } from '@plugin-daemon/plugin-host/environments';
import { messageOf } from '@plugin-daemon/values';
import { CliError, interrupted } from '../errors.ts';
import { withKeptEnvironments } from '../machine/environment-builder.ts';
import { markUsed } from '../machine/environment-cache.ts';
import { writeArchive } from '../source/archive-bytes.ts';

export interface EnvironmentRequest {
  /** Dependency files by path: pyproject.toml, uv.lock, requirements.txt and everything below vendor/. */
  files: ReadonlyMap<string, Uint8Array>;
  /** `meta.runner` of the manifest. */
  runner: { language: string; version: string };
  env: NodeJS.ProcessEnv;
  /** uv executable from --uv. */
  uv?: string | undefined;
  /** `3.12` or the path of an interpreter, from --python. */
  python?: string | undefined;
  signal: AbortSignal;
  onProgress: (text: string) => void;
}

const DEPENDENCY_FILE = /^(?:pyproject\.toml|uv\.lock|requirements\.txt|vendor\/.*)$/;

/** The files an environment depends on. A project with a build system needs all of its sources to install. */
export function dependencyFiles(all: ReadonlyMap<string, () => Uint8Array>): Map<string, Uint8Array> {
  const pyproject = all.get('pyproject.toml')?.();
  const text = pyproject === undefined ? '' : Buffer.from(pyproject).toString('utf8');
  const needsSources = /^[ \t]*\[build-system\]/m.test(text);
  const files = new Map<string, Uint8Array>();
  for (const [path, read] of all) if (needsSources || DEPENDENCY_FILE.test(path)) files.set(path, read());
  // A lock file knows the project by its name; without one the name decides nothing.
  if (pyproject !== undefined && !needsSources && !files.has('uv.lock'))
    files.set('pyproject.toml', Buffer.from(withoutIdentity(text)));
  return files;
}

/** A pyproject.toml without what changes from version to version and from plugin to plugin. */
function withoutIdentity(text: string): string {
  const fixed: Record<string, string> = {
    name: 'name = "plugin"',
    version: 'version = "0.0.0"',
    description: '',
    readme: '',
  };
  return text.replace(
    /^(name|version|description|readme)\s*=\s*"(?!"")(?:[^"\\\n]|\\.)*"[ \t]*$/gm,
    (_line, key: string) => fixed[key] ?? '',
  );
}

/** The environment of a plugin, ready to run. */
export interface ReadyPython {
  /** The absolute path of its interpreter. */
  python: string;
  fresh: boolean;
  /** After a start that failed: what was damaged in the environment, which is made anew; undefined when it is whole. */
  mend(): Promise<string | undefined>;
}

/** Finds or makes the environment. */
export async function preparePython(request: EnvironmentRequest): Promise<ReadyPython> {
  const { env, signal, runner } = request;
  const version = request.python !== undefined && /^\d+\.\d+/.test(request.python) ? request.python : runner.version;
  const interpreter =
    request.python !== undefined && !/^\d+\.\d+/.test(request.python)
      ? request.python
      : (env.PYTHON_INTERPRETER_PATH ?? '');
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${version} ${interpreter}\n`);
  for (const [path, bytes] of [...request.files].sort(([a], [b]) => (a < b ? -1 : 1)))
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  const identifier = `dependencies:0.0.0@${hash.digest('hex')}`;
  const options = { env, uv: request.uv, interpreter };
  const prepare = async (environments: PythonEnvironments) => {
    const prepared = await environments.prepare({
      identifier,
      readPackage: async () => writeArchive(request.files),
      runner: { language: runner.language === '' ? 'python' : runner.language, version },
      signal,
      onProgress: request.onProgress,
    });
    // Images of Python often set it. What is installed never changes, and without bytecode each start takes twice as long.
    if (prepared.fresh && env.PYTHONDONTWRITEBYTECODE) {
      request.onProgress('compiling dependencies');
      await environments.compile(identifier, signal);
    }
    return prepared;
  };
  const { python, fresh } = await inOurWords(signal, () => withKeptEnvironments(options, prepare));
  await markUsed(python);
  const mend = (): Promise<string | undefined> =>
    inOurWords(signal, () =>
      withKeptEnvironments(options, async (environments) => {
        const problem = await environments.examine(identifier);
        if (problem !== undefined) await prepare(environments);
        return problem;
      }),
    );
  return { python, fresh, mend };
}

/** @throws CliError with the remedy that the failure has */
async function inOurWords<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted) throw interrupted();
    const remedy =
      error instanceof Error && 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : undefined;
    const message = messageOf(error);
    throw new CliError(
      'environment',
      message.replace(/\nfailed to init environment$/, ''),
      remedy === undefined ? { cause: error } : { cause: error, remedy },
    );
  }
}
