import { access, lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LaunchSpec } from '../launcher/index.ts';
import { type CommandResult, runCommand } from './command.ts';
import { classifyFailure, EnvironmentError, type EnvironmentFailure } from './failures.ts';
import { installerEnvironment } from './installer-environment.ts';
import { MachineTools } from './machine-tools.ts';
import type { BuildCage, PythonEnvironmentsOptions } from './options.ts';

export interface UvCall {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly signal: AbortSignal;
  /** The environment to work on. */
  readonly environment?: string;
  /** The interpreter that must be used; keeps `.python-version` files and uv's own search out. */
  readonly python?: string;
  readonly timeoutSeconds: number;
  readonly inactivitySeconds?: number;
  readonly variables?: Readonly<Record<string, string>>;
  /** Instead of the shared one. */
  readonly cacheDirectory?: string;
  /** Code of strangers runs: what it may write to beside its own. */
  readonly cage?: { readonly directory: string; readonly writable: readonly string[] };
  readonly onLines?: (lines: readonly string[]) => void;
}

/** Why uv could not be fetched, when it is the network or the disk and not uv. */
const FETCHING: readonly EnvironmentFailure[] = [
  'disk-full',
  'too-many-files',
  'permission',
  'proxy',
  'tls',
  'index-refused',
  'index-error',
];

/** An error with those it was caused by: the system's own is the innermost. */
function messages(error: unknown): string[] {
  const found: string[] = [];
  for (let one = error; one instanceof Error && found.length < 8; one = one.cause)
    found.push(`${one.message} ${'code' in one ? String(one.code) : ''}`);
  return found;
}

/** uv: finding it and running it in its closed environment. */
export class Installer {
  readonly #options: PythonEnvironmentsOptions;
  readonly #tools: MachineTools;
  readonly #lifetime: AbortSignal;

  constructor(options: PythonEnvironmentsOptions, lifetime: AbortSignal) {
    this.#options = options;
    this.#lifetime = lifetime;
    this.#tools = new MachineTools(options, lifetime);
  }

  /** @throws EnvironmentError `failed to find uv path: …`, under the class of what kept it from being found or fetched */
  async locate(signal: AbortSignal): Promise<string> {
    try {
      return await this.#tools.uv(signal);
    } catch (error) {
      if (!(error instanceof EnvironmentError) || error.failure !== 'uv-missing') throw error;
      const reason = messages(error.cause).join('\n');
      const failure = classifyFailure(reason);
      if (!FETCHING.includes(failure)) throw error;
      const [first = ''] = error.message.split('\n', 1);
      throw new EnvironmentError(failure, first, { cause: error });
    }
  }

  async uv(call: UvCall): Promise<CommandResult> {
    const options = this.#options;
    const environment = installerEnvironment(options.environment, {
      proxies: options.proxies,
      cacheDirectory: call.cacheDirectory ?? options.cacheDirectory ?? join(options.workingPath, '.uv-cache'),
      ...(call.environment === undefined ? {} : { environment: call.environment }),
      ...(call.python === undefined ? {} : { python: call.python }),
    });
    const env = { ...environment, ...call.variables };
    const spec = { command: await this.locate(call.signal), args: call.args, cwd: call.cwd, env };
    const caged = call.cage && (await this.#enter(spec, call.cage));
    try {
      return await runCommand(options.launcher, {
        ...(caged?.spec ?? spec),
        signal: call.signal,
        timeoutSeconds: call.timeoutSeconds,
        ...(call.inactivitySeconds === undefined ? {} : { inactivitySeconds: call.inactivitySeconds }),
        ...(call.onLines === undefined ? {} : { onLines: call.onLines }),
      });
    } finally {
      await caged?.leave();
      // What strangers' code has made is the daemon's again: the next build must not find it writable.
      if (caged !== undefined && call.environment !== undefined) await takeBack(call.environment);
    }
  }

  async #enter(spec: LaunchSpec, cage: NonNullable<UvCall['cage']>): ReturnType<BuildCage> {
    const { buildCage, environment, pythonInterpreterPath } = this.#options;
    if (buildCage === undefined) return { spec, leave: async () => undefined };
    // By the environment's own name: the links behind it, such as one in ~/.local/bin, have to be there too.
    const own = join(spec.env.VIRTUAL_ENV ?? '', 'bin', 'python');
    const python = await access(own).then(
      () => own,
      () => pythonInterpreterPath,
    );
    // Certificates that variables name are shown by the cage itself.
    const readable = environment.UV_CONFIG_FILE ? [environment.UV_CONFIG_FILE] : [];
    return await buildCage({ spec, ...cage, readable, pythons: [python] });
  }

  /** The index uv uses when it is told nothing else, as uv itself says; undefined when it does not. */
  async publicIndex(): Promise<string | undefined> {
    const result = await this.uv({
      args: ['pip', 'compile', '-', '--emit-index-url', '--offline', '--quiet', '--no-config', '--system'],
      cwd: this.#options.workingPath,
      signal: this.#lifetime,
      timeoutSeconds: 30,
    });
    const url = /^--index-url (\S+)/m.exec(result.stdout)?.[1];
    return url === undefined ? undefined : `${url.replace(/\/$/, '')}/`;
  }
}

/** A directory with all that is in it; only root can have given it away. */
async function takeBack(path: string): Promise<void> {
  const [uid, gid] = [process.getuid?.(), process.getgid?.()];
  if (uid !== 0 || gid === undefined) return;
  await lchown(path, uid, gid);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await takeBack(join(path, entry.name));
    else await lchown(join(path, entry.name), uid, gid);
  }
}
