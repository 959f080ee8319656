import { mkdir, readdir, readFile, realpath, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { CommandResult } from '../command.ts';
import { fingerprint } from '../fingerprint.ts';
import type { UvCall } from '../installer.ts';
import { draftName, isDraft, isLeftBehind } from '../lives.ts';
import type { EnvironmentLog } from '../options.ts';
import { AMENDMENTS_VERSION, patchSdk } from '../sdk-patches/index.ts';
import { sitePackagesOf } from '../working-directory.ts';
import { type Distributions, differenceFrom, installedFromElsewhere, readDistributions } from './distributions.ts';

/** One seed on the disk. */
export interface Seed {
  readonly directory: string;
  /** Its interpreter, absolute. */
  readonly python: string;
  /** The interpreter that was made from. */
  readonly base: string;
  readonly distributions: Distributions;
}

export interface SeedsOptions {
  readonly root: string;
  readonly uv: (call: UvCall) => Promise<CommandResult>;
  /** Which index uv asks. */
  readonly indexArguments: () => Promise<readonly string[]>;
  readonly log: EnvironmentLog;
  readonly signal: AbortSignal;
}

/** An environment of a plugin, as far as a seed can stand for it. */
interface Wanted {
  readonly sitePackages: string;
  readonly base: string;
  readonly distributions: Distributions;
}

const SDK = 'dify-plugin';
const RECORD = 'seed.json';
const MAKING = '.new-';
const SECONDS = 300;
/** Made in vain: not tried again for so long. */
const PAUSE_MS = 10 * 60_000;
const UNUSED_MS = 30 * 24 * 3_600_000;
/** There are some 25 closures among all plugins of the marketplace. */
const MOST = 64;

export class Seeds {
  readonly #options: SeedsOptions;
  #known: Promise<Map<string, Seed>> | undefined;
  readonly #making = new Map<string, Promise<void>>();
  readonly #failed = new Map<string, { readonly at: number; readonly reason: string }>();
  /** One at a time: it is work for later. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: SeedsOptions) {
    this.#options = options;
  }

  /** The seed that can stand for an environment; the reason why there is none. */
  async find(python: string, sitePackages: string): Promise<Seed | string> {
    const wanted = await this.#wanted(python, sitePackages);
    if (typeof wanted === 'string') return wanted;
    const seed = await this.#matching(wanted);
    if (seed === undefined) return this.#failed.get(keyOf(wanted))?.reason ?? 'there is no parent for its SDK yet';
    const elsewhere = await installedFromElsewhere(sitePackages, seed.distributions);
    if (elsewhere !== undefined) return `its ${elsewhere} does not come from an index`;
    if (!(await isThere(seed))) {
      (await this.#all()).delete(seed.directory);
      return 'the environment of its parent is gone';
    }
    return seed;
  }

  /** Makes a seed for an environment unless there is one. Never rejects: `find` says what came of it. */
  async provide(python: string, sitePackages: string): Promise<void> {
    await this.#provide(python, sitePackages).catch((error: unknown) =>
      this.#options.log.warn({ error }, 'no environment for a parent could be made'),
    );
  }

  /** Settles when nothing is being made. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#making.values());
    await this.#queue;
  }

  /** A seed that fails whoever imports it. Its place is free when this resolves, and earlier: another one may be made there at once. */
  async discard({ directory }: Seed): Promise<void> {
    (await this.#all()).delete(directory);
    const aside = join(this.#options.root, `${MAKING}${await draftName()}`);
    try {
      await rename(directory, aside);
    } catch (error) {
      if (isObject(error) && error.code === 'ENOENT') return;
      throw error;
    }
    await rm(aside, { recursive: true, force: true });
  }

  async #provide(python: string, sitePackages: string): Promise<void> {
    const wanted = await this.#wanted(python, sitePackages);
    if (typeof wanted === 'string' || (await this.#matching(wanted)) !== undefined) return;
    const key = keyOf(wanted);
    if (this.#making.has(key) || Date.now() - (this.#failed.get(key)?.at ?? 0) < PAUSE_MS) return;
    if ((await this.#all()).size >= MOST) return;
    const made = this.#queue.then(() => this.#make(wanted, key));
    this.#queue = made.catch(() => undefined);
    this.#making.set(key, made);
    try {
      await made;
    } finally {
      this.#making.delete(key);
    }
  }

  async #wanted(python: string, sitePackages: string): Promise<Wanted | string> {
    const distributions = await readDistributions(sitePackages);
    if (!distributions.has(SDK)) return 'it does not use the SDK';
    const base = await realpath(python);
    // Seeds are made with it, by the daemon: a wheel may have put a program of its own there.
    if (base.startsWith(dirname(this.#options.root) + sep)) return 'its interpreter is a file of its own';
    return { sitePackages, base, distributions };
  }

  async #matching({ base, distributions }: Wanted): Promise<Seed | undefined> {
    for (const seed of (await this.#all()).values()) {
      if (seed.base === base && differenceFrom(seed.distributions, distributions) === undefined) return seed;
    }
    return undefined;
  }

  #all(): Promise<Map<string, Seed>> {
    this.#known ??= this.#read();
    return this.#known;
  }

  async #read(): Promise<Map<string, Seed>> {
    const { root } = this.#options;
    const found = new Map<string, Seed>();
    for (const name of await readdir(root).catch(() => [])) {
      const directory = join(root, name);
      const record = await readSeed(directory);
      const used = await stat(directory).catch(() => undefined);
      // Another daemon on this volume may be making it.
      if (used !== undefined && isDraft(name) && !(await isLeftBehind(name, used.mtimeMs))) continue;
      const isUnused = used === undefined || Date.now() - used.mtimeMs > UNUSED_MS;
      if (record === undefined || isUnused) await rm(directory, { recursive: true, force: true });
      // One of another version of the daemon may run beside this one.
      else if (record.amendments === AMENDMENTS_VERSION) found.set(directory, record.seed);
    }
    return found;
  }

  async #make(wanted: Wanted, key: string): Promise<void> {
    // Another one's may do by now.
    if ((await this.#matching(wanted)) !== undefined) return;
    const { root, log, signal } = this.#options;
    const started = performance.now();
    await mkdir(root, { recursive: true });
    const building = join(root, `${MAKING}${await draftName()}`);
    try {
      await this.#install(wanted, building);
      const sitePackages = await sitePackagesOf(building);
      const { sdk } = await patchSdk(sitePackages, log);
      const distributions = await readDistributions(sitePackages);
      if (!distributions.has(SDK)) throw new Error('uv did not install the SDK into it');
      const record = {
        base: wanted.base,
        distributions: Object.fromEntries(distributions),
        amendments: AMENDMENTS_VERSION,
      };
      await writeFile(join(building, RECORD), JSON.stringify(record));
      const directory = join(root, keyOf({ base: wanted.base, distributions }));
      await rm(directory, { recursive: true, force: true });
      await rename(building, directory);
      const made = await readSeed(directory);
      if (made !== undefined) (await this.#all()).set(directory, made.seed);
      const milliseconds = Math.round(performance.now() - started);
      log.info({ sdk, distributions: distributions.size, milliseconds }, 'made the environment of a parent');
    } catch (error) {
      const text = messageOf(error);
      if (!signal.aborted) this.#failed.set(key, { at: Date.now(), reason: `no parent for its SDK: ${text}` });
      await rm(building, { recursive: true, force: true });
      throw error;
    }
  }

  async #install({ base, distributions }: Wanted, building: string): Promise<void> {
    const { root, uv, indexArguments, signal } = this.#options;
    const call = { cwd: root, signal, timeoutSeconds: SECONDS };
    required(
      await uv({ ...call, python: base, args: ['venv', building, '--python', base, '--no-project', '--no-config'] }),
    );
    const lines = [...distributions].map(([name, version]) => `${name}==${version}`);
    const constraints = join(building, 'constraints.txt');
    await writeFile(constraints, `${lines.join('\n')}\n`);
    // The interpreter of the seed, by its path: where a variable names another one, uv would install into that, which is the operator's.
    const into = ['--python', join(building, 'bin', 'python')];
    const what = [`${SDK}==${distributions.get(SDK)}`, '-c', constraints, '--no-build', '--no-config'];
    // What a parent imports it compiles itself, and nothing else is ever read here: its children import from their own environments.
    const args = ['pip', 'install', ...into, ...what, '--link-mode', 'copy', ...(await indexArguments())];
    // Everything was just installed for the plugin: the index is asked for what the cache has lost.
    const known = await uv({ ...call, args: [...args, '--offline'] });
    if (!known.ok) required(await uv({ ...call, args }));
    await rm(constraints);
  }
}

function required({ ok, status, stderr }: CommandResult): void {
  if (!ok) throw new Error(`uv: ${status}, ${stderr.slice(-300)}`);
}

/** The same for all environments in which a seed finds what it needs. */
const keyOf = ({ base, distributions }: Pick<Wanted, 'base' | 'distributions'>): string =>
  fingerprint(
    `${base} ${AMENDMENTS_VERSION}`,
    [...distributions].map((pair) => pair.join('==')),
  );

async function isThere(seed: Seed): Promise<boolean> {
  const now = new Date();
  return await Promise.all([
    stat(join(seed.directory, RECORD)),
    stat(seed.python),
    utimes(seed.directory, now, now),
  ]).then(
    () => true,
    () => false,
  );
}

async function readSeed(directory: string): Promise<{ seed: Seed; amendments: unknown } | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, RECORD), 'utf8'));
    if (!isObject(value) || typeof value.base !== 'string' || !isObject(value.distributions)) return undefined;
    const distributions = new Map<string, string>();
    for (const [name, version] of Object.entries(value.distributions))
      if (typeof version === 'string') distributions.set(name, version);
    const seed = { directory, python: join(directory, 'bin', 'python'), base: value.base, distributions };
    return { seed, amendments: value.amendments };
  } catch {
    return undefined; // half made, or damaged
  }
}
