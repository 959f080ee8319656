import { chown, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Cage, LaunchSpec } from '../launcher/index.ts';
import type { ControlGroup } from './control-groups.ts';
import { type Foundation, holdsIn } from './foundation.ts';
import { type LimitOptions, limitsOfCage, type MemoryLimit, memoryLimit, pluginLimits } from './limits.ts';
import { type IsolationMode, modes } from './modes.ts';
import type { Scratch } from './own-files.ts';
import { closeDirectory, handOver, makeReadable, obstacleFor, openWay } from './ownership.ts';
import { packageEntries } from './package-entries.ts';
import { describeRefusals } from './probe.ts';
import { ownEnvironment, shownByVariables } from './scratch.ts';
import { BUILDER, type PluginUser } from './users.ts';
import { viewOf } from './view.ts';

export interface CageRequest {
  readonly identifier: string;
  /** The working directory, absolute. */
  readonly directory: string;
  /** Something was unpacked or installed there since the last start. */
  readonly fresh: boolean;
  /** `resource.memory` of the manifest. */
  readonly memory: number;
  readonly spec: LaunchSpec;
  /** A directory of this process alone, absolute, that it may write to; it becomes its user's. */
  readonly shared?: string;
  /** Directories of the daemon that it may read as well. */
  readonly shows?: readonly string[];
}

/** What holds one plugin. */
export interface InForce {
  readonly mode: IsolationMode;
  /** Why not more. */
  readonly reason?: string;
}

export interface CagedLaunch {
  readonly spec: LaunchSpec;
  readonly inForce: InForce;
  readonly memoryLimit: MemoryLimit | undefined;
  /** After the process has ended, or was never started. Never rejects. */
  leave(): Promise<void>;
}

export interface PluginCagesOptions {
  readonly limits: LimitOptions;
  /** Told when a plugin is started, and with undefined when it is forgotten. */
  readonly onInForce: (identifier: string, inForce: InForce | undefined) => void;
}

interface Version {
  readonly directory: string;
  running: number;
  forgotten: boolean;
}

/** Others than the user itself get nothing of what a plugin writes. */
const UMASK = 0o077;
/** Each is a mount. Of a package with more, the whole directory is read-only. */
const MAX_LOCKED_ENTRIES = 300;

/** Cages for plugin processes. A version has a user as long as it is installed, and directories as long as it runs. */
export class PluginCages {
  readonly #foundation: Foundation;
  readonly #options: PluginCagesOptions;
  readonly #versions = new Map<string, Version>();
  readonly #inForce = new Map<string, InForce>();
  /** Opened to all users before. */
  readonly #shown = new Set<string>();

  constructor(foundation: Foundation, options: PluginCagesOptions) {
    this.#foundation = foundation;
    this.#options = options;
  }

  /** What holds the plugins that were started, by identifier. */
  get inForce(): ReadonlyMap<string, InForce> {
    return this.#inForce;
  }

  /** Whether plugins are kept from writing into their environments. */
  async keepsEnvironments(): Promise<boolean> {
    return holdsIn((await this.#foundation.mode()).mode);
  }

  /** Whether they have users of their own, who write into their working directories. */
  async ownTheirFiles(): Promise<boolean> {
    return modes[(await this.#foundation.mode()).mode].ownUser;
  }

  /**
   * The cage for one process, with everything it needs in place.
   * @throws Error with cause and remedy when what the setting asks for cannot be had
   */
  async enter(request: CageRequest): Promise<CagedLaunch> {
    const inForce = await this.#modeFor(request);
    const { identifier, directory, spec } = request;
    const limits = pluginLimits(request.memory, this.#options.limits);
    const made: { scratch?: Scratch; group?: ControlGroup } = {};
    this.#begin(identifier, directory);
    const leave = async () => {
      try {
        await Promise.all([made.scratch?.remove(), made.group?.remove()]);
        await this.#end(identifier);
      } catch (error) {
        this.#foundation.options.log.warn({ plugin: identifier, error }, 'what a plugin has left could not be removed');
      }
    };
    try {
      this.#inForce.set(identifier, inForce);
      this.#options.onInForce(identifier, inForce);
      if (inForce.mode === 'unsupervised') return { spec, inForce, memoryLimit: memoryLimit(limits, false), leave };
      const { ownUser, namespaces } = modes[inForce.mode];
      const group = await (await this.#foundation.groups()).create(limits);
      made.group = group;
      const base = limitsOfCage(limits, group, holdsIn(inForce.mode));
      const memory = memoryLimit(limits, group.holds.memory);
      if (!holdsIn(inForce.mode)) return { spec: { ...spec, cage: base }, inForce, memoryLimit: memory, leave };
      const user = ownUser ? this.#foundation.users.of(identifier) : undefined;
      if (user !== undefined) await handOver(directory, user, request.fresh);
      if (user !== undefined && request.shared !== undefined) await chown(request.shared, user.uid, user.gid);
      if (user !== undefined) for (const path of request.shows ?? []) await this.#show(path);
      made.scratch = await this.#foundation.scratch.create(user);
      const cage: Cage = {
        ...base,
        ...(user && { user }),
        ...(namespaces && { namespaces, mounts: await this.#mounts(request, user, made.scratch) }),
        umask: UMASK,
      };
      const env = ownEnvironment(spec.env, made.scratch, namespaces !== undefined);
      return { spec: { ...spec, env, cage }, inForce, memoryLimit: memory, leave };
    } catch (error) {
      await leave();
      throw error;
    }
  }

  /** For users other than the daemon's own. */
  async #show(path: string): Promise<void> {
    if (!this.#shown.has(path)) await makeReadable(path);
    this.#shown.add(path);
    const { workingPath, dataDirectory } = this.#foundation.options;
    for (const root of [dataDirectory, workingPath]) await openWay(root, dirname(path));
  }

  /** A version is no longer installed: its user is given up as soon as nothing of it runs. */
  async forget(identifier: string, directory: string): Promise<void> {
    this.#inForce.delete(identifier);
    this.#options.onInForce(identifier, undefined);
    const version = this.#versions.get(identifier);
    if (version !== undefined) version.forgotten = true;
    else await this.#release(identifier, directory);
  }

  /** Gives up the users that nothing on disk belongs to any more: of what was not installed to the end, and of what was collected. */
  async forgetUsers(isThere: (identifier: string) => Promise<boolean>): Promise<void> {
    const { isRoot, users } = this.#foundation;
    if (!isRoot) return;
    for (const name of users.names)
      if (name !== BUILDER && !(await isThere(name)) && !this.#versions.has(name)) users.release(name);
  }

  #begin(identifier: string, directory: string): void {
    const version = this.#versions.get(identifier) ?? { directory, running: 0, forgotten: false };
    version.running++;
    version.forgotten = false;
    this.#versions.set(identifier, version);
  }

  async #end(identifier: string): Promise<void> {
    const version = this.#versions.get(identifier);
    if (version === undefined || --version.running > 0) return;
    this.#versions.delete(identifier);
    if (version.forgotten) await this.#release(identifier, version.directory);
  }

  async #release(identifier: string, directory: string): Promise<void> {
    const { isRoot, users } = this.#foundation;
    if (!isRoot || !users.has(identifier)) return;
    // Its files stay for a while and keep their number; nobody who is given that number next gets to them.
    await closeDirectory(directory);
    users.release(identifier);
  }

  /** The modes of files on the way may keep a user from the interpreter or from its own directory. */
  async #modeFor({ directory, spec }: CageRequest): Promise<InForce> {
    const probed = await this.#foundation.mode();
    const reason = probed.refused.length > 0 ? describeRefusals(probed) : undefined;
    const inForce: InForce = { mode: probed.mode, ...(reason !== undefined && { reason }) };
    if (probed.mode !== 'uid') return inForce;
    const { workingPath, dataDirectory, setting } = this.#foundation.options;
    const parent = dirname(directory);
    for (const root of [dataDirectory, workingPath]) await openWay(root, parent);
    const obstacle = (await obstacleFor(await realpath(spec.command))) ?? (await obstacleFor(parent));
    if (obstacle === undefined) return inForce;
    const cause = `another user cannot get past ${obstacle}: make it passable (chmod o+x), set PYTHON_INTERPRETER_PATH to an interpreter outside of it, or give the daemon CAP_SYS_ADMIN`;
    if (setting === 'uid') throw new Error(`PLUGIN_ISOLATION=uid is not possible for this plugin: ${cause}`);
    return { mode: 'none', reason: cause };
  }

  async #mounts(
    { directory, fresh, spec, shared, shows = [] }: CageRequest,
    user: PluginUser | undefined,
    scratch: Scratch,
  ) {
    const { readable, writable } = this.#foundation.options;
    // A user of its own is kept by the modes of files from what the package brought.
    const entries = user === undefined ? await packageEntries(directory, fresh) : ['.venv'];
    const single = entries.length <= MAX_LOCKED_ENTRIES;
    const locked = single ? entries : [];
    return viewOf({
      readable: [...readable, ...shownByVariables(spec.env)],
      writable,
      hidden: this.#foundation.hidden,
      pythons: [spec.command],
      own: [
        ...shows.map((path) => ({ path, writable: false })),
        { path: directory, writable: single },
        ...locked.map((name) => ({ path: join(directory, name), writable: false })),
        ...(shared === undefined ? [] : [{ path: shared, writable: true }]),
      ],
      scratch,
    });
  }
}
