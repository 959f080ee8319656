import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessLauncher } from '../launcher/index.ts';
import type { Log } from '../log/index.ts';
import { ControlGroups } from './control-groups.ts';
import { candidates, describeMode, type IsolationMode, type IsolationSetting, modes } from './modes.ts';
import { closeEntries, closePath, openWay } from './ownership.ts';
import { describeRefusals, type Probed, probe } from './probe.ts';
import { ScratchDirectories } from './scratch.ts';
import { PluginUsers, type UserRange } from './users.ts';
import { viewOf } from './view.ts';

export interface IsolationOptions {
  readonly setting: IsolationSetting;
  readonly users: UserRange;
  /** Where plugins may read beside the system's directories, and where they may write. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  readonly dataDirectory: string;
  /** Where `dataDirectory` is that of one of several workers: that of their daemon. */
  readonly wholeDirectory?: string | undefined;
  /** PLUGIN_WORKING_PATH */
  readonly workingPath: string;
  /** Where interpreters are that the daemon has fetched. */
  readonly toolsPath: string;
  /** What else of the daemon no plugin is to see. */
  readonly hidden: readonly string[];
  readonly launcher: ProcessLauncher;
  readonly log: Log;
}

/** For files of the daemon that are made where other users can pass. */
const STRICT_UMASK = 0o077;

/** What cages of every kind stand on: the mode that is possible here, users, control groups, scratch directories. */
export class Foundation {
  readonly options: IsolationOptions;
  readonly isRoot = process.geteuid?.() === 0;
  readonly scratch: ScratchDirectories;
  #users: PluginUsers | undefined;
  #groups: Promise<ControlGroups> | undefined;
  #probed: Promise<Probed> | undefined;

  constructor(options: IsolationOptions) {
    this.options = options;
    this.scratch = new ScratchDirectories(join(options.dataDirectory, 'scratch'), options.launcher);
  }

  /** Read when first needed: @throws when the file of user ids is damaged */
  get users(): PluginUsers {
    this.#users ??= new PluginUsers({
      file: join(this.options.dataDirectory, 'plugin-users.json'),
      range: this.options.users,
    });
    return this.#users;
  }

  /** Below the daemon's own, named by its data directory. */
  groups(): Promise<ControlGroups> {
    this.#groups ??= ControlGroups.open(this.options.dataDirectory);
    return this.#groups;
  }

  /** The best mode that is possible here, found out once. @throws Error with the remedy when the setting rules all of them out */
  async mode(): Promise<Probed & { readonly mode: IsolationMode }> {
    this.#probed ??= this.#find().catch((error: unknown) => {
      // It could not be found out, so whoever asks next tries again.
      this.#probed = undefined;
      throw error;
    });
    const probed = await this.#probed;
    if (probed.mode !== undefined) return { ...probed, mode: probed.mode };
    throw new Error(
      `PLUGIN_ISOLATION=${this.options.setting} is not possible here (${describeRefusals(probed)}); allow it to the daemon, or set PLUGIN_ISOLATION=auto to run plugins with what is possible`,
    );
  }

  /** What nothing in a cage may see. */
  get hidden(): readonly string[] {
    const { dataDirectory, wholeDirectory = dataDirectory, workingPath, hidden } = this.options;
    return [wholeDirectory, workingPath, ...hidden];
  }

  async close(): Promise<void> {
    // Tried out in a directory that is to be gone as well.
    await this.#probed?.catch(() => undefined);
    await Promise.all([this.scratch.close(), this.#groups?.then((groups) => groups.close())]);
  }

  async #find(): Promise<Probed> {
    const { setting } = this.options;
    const found = process.platform === 'linux' ? await this.#tryOut() : notHere(setting);
    if (found.mode === 'uid') await this.#protectData();
    const { controllers } = await this.groups();
    this.#tell(found, { isolation: found.mode ?? 'refused', controllers });
    return found;
  }

  async #tryOut(): Promise<Probed> {
    const { setting, launcher, users } = this.options;
    const scratch = await this.scratch.create(undefined);
    const none = { readable: [], writable: [], hidden: [], pythons: [], own: [] };
    try {
      return await probe(launcher, candidates(setting, this.isRoot), (mode) => ({
        ...(modes[mode].ownUser && { user: { uid: users.first, gid: users.first } }),
        ...(modes[mode].namespaces && {
          namespaces: modes[mode].namespaces,
          mounts: viewOf({ ...none, scratch }),
        }),
      }));
    } finally {
      await scratch.remove();
    }
  }

  #tell(found: Probed, fields: object): void {
    const { setting, log } = this.options;
    const detail = found.refused.length > 0 ? { ...fields, refused: describeRefusals(found) } : fields;
    if (found.mode === undefined)
      log.error(detail, 'plugins cannot be started: the isolation that PLUGIN_ISOLATION asks for is not possible here');
    else if (setting !== 'none' && !holdsIn(found.mode))
      log.warn(
        detail,
        "plugins run as the daemon's own user and can read its keys and data: no isolation is possible here",
      );
    else log.info(detail, `plugins run with ${describeMode(found.mode)}`);
  }

  /** Without a view of their own, users are kept out by the modes of files alone. */
  async #protectData(): Promise<void> {
    const { dataDirectory, wholeDirectory = dataDirectory, workingPath, toolsPath, hidden, log } = this.options;
    process.umask(STRICT_UMASK);
    for (const path of hidden)
      if (await closePath(path))
        log.warn({ path }, 'all users could read this of the daemon; now only its own user can');
    await closeEntries(dataDirectory, new Set(['cwd', 'scratch', 'tools', 'workers']));
    for (const path of [this.scratch.path, workingPath, toolsPath])
      await openWay(wholeDirectory, path).catch(() => undefined); // tools are there only when something was fetched
    // What other workers have there is theirs to close.
    const theirs = (await readdir(workingPath)).filter((name) => name.startsWith('.worker-'));
    await closeEntries(workingPath, new Set(theirs));
  }
}

/** Whether processes of a mode are kept from what is the daemon's. */
export const holdsIn = (mode: IsolationMode): boolean => modes[mode].ownUser || modes[mode].namespaces !== undefined;

function notHere(setting: IsolationSetting): Probed {
  const reason = `this system (${process.platform}) has no means for it`;
  return {
    mode: setting === 'auto' || setting === 'none' ? 'unsupervised' : undefined,
    refused: [{ mode: 'uid', reason }],
  };
}
