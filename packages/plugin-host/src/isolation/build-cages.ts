import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cage, LaunchSpec } from '../launcher/index.ts';
import type { ControlGroup } from './control-groups.ts';
import { type Foundation, holdsIn } from './foundation.ts';
import { type LimitOptions, limitsOfCage, pluginLimits } from './limits.ts';
import { modes } from './modes.ts';
import type { Scratch } from './own-files.ts';
import { openWay } from './ownership.ts';
import { ownEnvironment, shownByVariables } from './scratch.ts';
import type { PluginUser } from './users.ts';
import { BUILDER } from './users.ts';
import { viewOf } from './view.ts';

/** What runs an installer and the build backends of dependencies, which are strangers' code. */
export interface BuildRequest {
  readonly spec: LaunchSpec;
  /** The working directory of the plugin: for the time of the build it is the builder's, afterwards the daemon's again. */
  readonly directory: string;
  /** Directories that stay the builder's, such as its cache. They must exist. */
  readonly writable: readonly string[];
  /** Files and directories it reads beside the system's: the installer itself, wheels, certificates. */
  readonly readable: readonly string[];
  /** Interpreters it runs or makes environments of. */
  readonly pythons: readonly string[];
}

export interface CagedBuild {
  readonly spec: LaunchSpec;
  /** After the process has ended, or was never started. */
  leave(): Promise<void>;
}

const UMASK = 0o022;
const ENVIRONMENT = '.venv';

/** Cages for builds: the files they name and the network, nothing of the daemon's data. */
export class BuildCages {
  readonly #foundation: Foundation;
  readonly #limits: LimitOptions;

  constructor(foundation: Foundation, limits: LimitOptions) {
    this.#foundation = foundation;
    this.#limits = limits;
  }

  /** @throws Error with cause and remedy when what the setting asks for cannot be had */
  async enter(request: BuildRequest): Promise<CagedBuild> {
    const { mode } = await this.#foundation.mode();
    const { spec, directory } = request;
    if (mode === 'unsupervised') return { spec, leave: async () => undefined };
    const limits = pluginLimits(0, { ...this.#limits, memoryFactor: 0 });
    const made: { scratch?: Scratch; group?: ControlGroup } = {};
    const user = modes[mode].ownUser ? this.#foundation.users.of(BUILDER) : undefined;
    const leave = async () => {
      await Promise.all([made.scratch?.remove(), made.group?.remove()]);
      if (user !== undefined) await give(directory, { uid: 0, gid: 0 }, ENVIRONMENT);
    };
    try {
      made.group = await (await this.#foundation.groups()).create(limits);
      const base = limitsOfCage(limits, made.group, holdsIn(mode));
      if (!holdsIn(mode)) return { spec: { ...spec, cage: base }, leave };
      if (user !== undefined) await this.#hand(request, user);
      made.scratch = await this.#foundation.scratch.create(user);
      const { namespaces } = modes[mode];
      const cage: Cage = {
        ...base,
        ...(user && { user }),
        ...(namespaces && { namespaces, mounts: this.#mounts(request, made.scratch) }),
        umask: UMASK,
      };
      return { spec: { ...spec, env: ownEnvironment(spec.env, made.scratch, namespaces !== undefined), cage }, leave };
    } catch (error) {
      await leave();
      throw error;
    }
  }

  async #hand({ directory, writable }: BuildRequest, user: PluginUser): Promise<void> {
    const { dataDirectory, workingPath } = this.#foundation.options;
    await give(directory, user);
    for (const path of writable) if ((await lstat(path)).uid !== user.uid) await give(path, user);
    const { mode } = await this.#foundation.mode();
    if (mode !== 'uid') return;
    for (const path of [directory, ...writable])
      for (const root of [dataDirectory, workingPath]) await openWay(root, dirname(path));
  }

  #mounts({ directory, writable, readable, pythons, spec }: BuildRequest, scratch: Scratch) {
    const { options, hidden } = this.#foundation;
    return viewOf({
      readable: [...options.readable, ...shownByVariables(spec.env)],
      writable: options.writable,
      hidden,
      pythons,
      own: [
        ...[spec.command, ...readable].map((path) => ({ path, writable: false })),
        ...[directory, ...writable].map((path) => ({ path, writable: true })),
      ],
      scratch,
    });
  }
}

/** Makes a directory and what is in it a user's. @param except an entry that keeps its owner */
async function give(path: string, user: PluginUser, except?: string): Promise<void> {
  const stat = await lstat(path).catch(() => undefined);
  if (stat === undefined) return;
  await lchown(path, user.uid, user.gid);
  if (!stat.isDirectory()) return;
  if (user.uid !== 0) await chmod(path, (stat.mode & 0o777) | 0o700);
  for (const name of await readdir(path)) if (name !== except) await give(join(path, name), user);
}
