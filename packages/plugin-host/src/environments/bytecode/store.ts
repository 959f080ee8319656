import { type Dirent, existsSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProcessLauncher } from '../../launcher/index.ts';
import { runCommand } from '../command.ts';
import { STORE_SCRIPT } from './store-script.ts';

export interface BytecodeStoreOptions {
  /** A directory on the same volume as the environments. */
  readonly root: string;
  readonly launcher: ProcessLauncher;
  /** Of the interpreters that are run. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Environments share the files of the store: only where plugins cannot write to them. Everything is compiled then, since
   * plugins cannot leave bytecode of their own. Else they get copies, of what some plugin has imported.
   */
  readonly shared: () => Promise<boolean>;
}

/** Compiling the largest known environment takes half a minute at low priority. */
const SECONDS = 300;
/** Copies do not tell whether somebody uses their original. */
const UNUSED_MS = 30 * 24 * 3_600_000;
/** The layout; another one is garbage. */
const LAYOUT = 'content';

export class BytecodeStore {
  readonly #options: BytecodeStoreOptions;

  constructor(options: BytecodeStoreOptions) {
    this.#options = options;
  }

  /** Gives a new environment what the store has. Returns the number of modules. @throws Error when it cannot be done */
  async provide(python: string, sitePackages: string, signal: AbortSignal): Promise<number> {
    // The first environment of all: an interpreter need not be started for it.
    if (!existsSync(join(this.#options.root, LAYOUT))) return 0;
    return await this.#run(python, sitePackages, 'nothing', signal);
  }

  /** Compiles what the store lacks, and puts the store's bytecode in the place of the environment's own. */
  async fill(python: string, sitePackages: string, signal: AbortSignal): Promise<number> {
    return this.#run(python, sitePackages, (await this.#options.shared()) ? 'everything' : 'present', signal);
  }

  /** Removes what no environment uses any more, or only counts it. Returns its bytes. */
  async prune(dryRun: boolean): Promise<number> {
    const { root } = this.#options;
    let unused = 0;
    for (const layout of await folders(root)) {
      if (layout.name === LAYOUT) continue;
      unused += await this.#sweep(join(root, layout.name), () => true, dryRun);
    }
    const shared = await this.#options.shared();
    const isUnused = (file: { nlink: number; mtimeMs: number }) =>
      shared ? file.nlink === 1 : Date.now() - file.mtimeMs > UNUSED_MS;
    return unused + (await this.#sweep(join(root, LAYOUT), isUnused, dryRun));
  }

  async #sweep(
    folder: string,
    isUnused: (file: { nlink: number; mtimeMs: number }) => boolean,
    dryRun: boolean,
  ): Promise<number> {
    let bytes = 0;
    for (const entry of await entries(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        bytes += await this.#sweep(path, isUnused, dryRun);
        continue;
      }
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || !isUnused(found)) continue;
      bytes += found.size;
      if (!dryRun) await rm(path, { force: true });
    }
    return bytes;
  }

  async #run(
    python: string,
    sitePackages: string,
    what: 'nothing' | 'present' | 'everything',
    signal: AbortSignal,
  ): Promise<number> {
    const { root, launcher, environment, shared } = this.#options;
    const how = (await shared()) ? 'share' : 'copy';
    const result = await runCommand(launcher, {
      command: python,
      args: ['-I', '-S', '-c', STORE_SCRIPT, join(root, LAYOUT), sitePackages, how, what],
      cwd: '/',
      env: environment,
      signal,
      timeoutSeconds: SECONDS,
    });
    if (!result.ok) throw new Error(`bytecode store: ${result.status}, ${result.stderr.slice(-500)}`);
    return Number(result.stdout);
  }
}

async function entries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return []; // nothing has been stored yet
  }
}

const folders = async (folder: string): Promise<Dirent[]> =>
  (await entries(folder)).filter((entry) => entry.isDirectory());
