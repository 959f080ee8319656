import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@plugin-daemon/values';
import { withDirectoryLock } from '../directory-lock.ts';
import { fingerprint } from '../fingerprint.ts';
import { draftName } from '../lives.ts';
import type { EnvironmentLog } from '../options.ts';
import type { PackageExtractor } from '../package-extractor.ts';
import type { PythonInterpreter } from '../python-discovery.ts';
import { AMENDMENTS_VERSION, type SdkState } from '../sdk-patches/index.ts';
import { settleAll } from '../settle-all.ts';
import { attachEnvironment } from './attachment.ts';
import { KnownRequests } from './known-requests.ts';
import {
  entriesIn,
  interpreterFile,
  isUnchanged,
  manifestFile,
  readRecord,
  recordFile,
  type StoredEnvironment,
  writeReadable,
  writeRecord,
} from './record.ts';

export interface StoreOptions {
  /** `.environments`, absolute. */
  readonly root: string;
  /** Reads all files of an environment, in a thread. */
  readonly files: Pick<PackageExtractor, 'openTree' | 'manifestOf' | 'differencesOf'>;
  /** `3.12.1`, of the interpreter at a path; undefined when there is none any more. */
  readonly versionOf: (python: string) => Promise<string | undefined>;
  readonly log: EnvironmentLog;
}

/** `same`: the store had it already; `repaired`: it had it, damaged. */
export interface Published {
  readonly stored: StoredEnvironment;
  readonly outcome: 'new' | 'same' | 'repaired';
}

export interface PublishRequest {
  /** The new environment, made for nobody else to see. It is gone afterwards. */
  readonly staging: string;
  readonly interpreter: PythonInterpreter;
  readonly sdk: SdkState;
  /** pyvenv.cfg as it was made, before anything was installed. */
  readonly configuration: string;
  /** What can be done while its files are read; it writes bytecode alone. */
  readonly meanwhile: () => Promise<void>;
  /** The environment of the plugin it was made for, which refers to it before anybody can collect it; nothing is there. */
  readonly own: string;
  readonly signal: AbortSignal;
}

/** What is wrong with an environment. */
export interface Damage {
  readonly problem: string;
  /** Distributions that are damaged in the installer's cache as well: their files are the same ones. */
  readonly distributions: readonly string[];
}

/** An environment whose every file was looked at is not looked at again for so long. */
const EXAMINED_MS = 10 * 60_000;

export class EnvironmentStore {
  readonly #options: StoreOptions;
  readonly #requests: KnownRequests;
  readonly #examined = new Map<string, number>();
  /** Those of which wheels were fetched anew because they did not have the files that they name. */
  readonly #installedAgain = new Set<string>();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#requests = new KnownRequests(join(options.root, '.known'));
  }

  get root(): string {
    return this.#options.root;
  }

  directoryOf(key: string): string {
    return join(this.root, key);
  }

  /** Where a plugin's environment is made before it is known what it will be. What an attempt that died has left there is removed. */
  async staging(identifier: string): Promise<string> {
    const name = createHash('sha256').update(identifier).digest('hex').slice(0, 32);
    const folder = join(this.root, `.new-${name}`);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    await mkdir(folder, { recursive: true, mode: 0o711 });
    // Whose it is.
    await writeFile(join(folder, await draftName()), '');
    return join(folder, 'venv');
  }

  async discard(staging: string): Promise<void> {
    await rm(join(staging, '..'), { recursive: true, force: true, maxRetries: 3 });
  }

  /** Only one at a time makes what several ask for. */
  async asking<T>(request: string, options: { signal: AbortSignal; onWait: () => void }, work: () => Promise<T>) {
    return await withDirectoryLock(join(this.root, '.known', `${request}.lock`), options, work);
  }

  /** A whole environment that has come of one of these requests before. */
  async find(requests: readonly string[]): Promise<StoredEnvironment | undefined> {
    for (const request of requests) {
      const key = await this.#requests.find(request);
      const found = key === undefined ? undefined : await this.whole(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async remember(requests: readonly string[], key: string, forMs: number | undefined): Promise<void> {
    for (const request of requests) await this.#requests.remember(request, key, forMs);
  }

  /** An environment, if it looks whole: its record, its interpreter, and what its site-packages are to hold. No file is read for it. */
  async whole(key: string): Promise<StoredEnvironment | undefined> {
    const root = this.directoryOf(key);
    const record = await readRecord(root);
    if (record === undefined || record.key !== key) return undefined;
    const entries = await entriesIn(root).catch(() => 0);
    if (entries !== record.entries) {
      this.#options.log.warn({ environment: key, entries, expected: record.entries }, 'an environment is not whole');
      return undefined;
    }
    if (await isUnchanged(record.interpreter)) return record;
    return await this.#withOtherInterpreter(root, record);
  }

  /**
   * Puts a new environment into the store, unless its like is there already, and beside one that is damaged: plugins that run may
   * still see that one, by a mount of their own.
   * @throws Error
   */
  async publish({
    staging,
    interpreter,
    sdk,
    configuration,
    meanwhile,
    own,
    signal,
  }: PublishRequest): Promise<Published> {
    const { files } = this.#options;
    // A wheel can bring any file: what Python takes its prefix from is ours.
    await writeReadable(join(staging, 'pyvenv.cfg'), configuration);
    const reading = files.manifestOf({ root: staging });
    await settleAll(reading, meanwhile());
    const { lines, size } = await reading;
    signal.throwIfAborted();
    const name = `${interpreter.path} ${interpreter.version.join('.')}`;
    const key = fingerprint(name, lines);
    const root = this.directoryOf(key);
    return await withDirectoryLock(this.#lock(key), { signal }, async () => {
      const known = await this.whole(key);
      if (known !== undefined) {
        const stored = { ...known, amendments: AMENDMENTS_VERSION };
        if (known.amendments !== AMENDMENTS_VERSION) await writeRecord(root, stored);
        await attachEnvironment(root, own);
        return { stored, outcome: 'same' };
      }
      const stored: StoredEnvironment = {
        key,
        ...sdk,
        amendments: AMENDMENTS_VERSION,
        interpreter: await interpreterFile(interpreter),
        entries: await entriesIn(staging),
        bytes: size,
        made: Math.floor(Date.now() / 1000),
      };
      await writeReadable(manifestFile(staging), [name, ...lines].join('\n'));
      await writeRecord(staging, stored);
      const before = await rename(root, `${join(this.root, '.old-')}${Date.now()}-${key}`).then(
        () => true,
        () => false,
      );
      await rename(staging, root);
      this.#examined.delete(key);
      await attachEnvironment(root, own);
      return { stored, outcome: before ? 'repaired' : 'new' };
    });
  }

  /** Makes a plugin's environment of one of the store. False when that is gone meanwhile. */
  async attach(key: string, own: string, signal: AbortSignal): Promise<boolean> {
    return await withDirectoryLock(this.#lock(key), { signal }, async () => {
      const root = this.directoryOf(key);
      if ((await readRecord(root)) === undefined) return false;
      const now = new Date();
      // Collecting goes by it.
      await utimes(recordFile(root), now, now);
      await attachEnvironment(root, own);
      return true;
    });
  }

  /**
   * Looks at every file of an environment. One that is damaged is no longer whole: the next start of each of its plugins makes it
   * anew. Returns what is wrong, undefined when nothing is, or when it was looked at not long ago.
   */
  async examine(key: string): Promise<Damage | undefined> {
    if (Date.now() - (this.#examined.get(key) ?? 0) < EXAMINED_MS) return undefined;
    const root = this.directoryOf(key);
    const damage = await this.#damageOf(root, key).catch((error: unknown) => ({
      problem: messageOf(error),
      distributions: [],
    }));
    if (damage === undefined) {
      if (this.#examined.size > 1000) this.#examined.clear();
      this.#examined.set(key, Date.now());
      return undefined;
    }
    this.#options.log.warn(
      { environment: key, problem: damage.problem },
      'an environment that plugins share is damaged',
    );
    await rm(recordFile(root), { force: true });
    return damage;
  }

  /** Removes what is known of environments that are gone. */
  async forgetRequests(): Promise<void> {
    await this.#requests.prune(async (key) => (await readRecord(this.directoryOf(key))) !== undefined);
  }

  /** Holds an environment still: nobody attaches, replaces or removes it meanwhile. */
  async holding<T>(key: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    return await withDirectoryLock(this.#lock(key), { signal }, work);
  }

  async #damageOf(root: string, key: string): Promise<Damage | undefined> {
    const [name = '', ...lines] = (await readFile(manifestFile(root), 'utf8')).split('\n');
    if (fingerprint(name, lines) !== key) return { problem: 'its manifest', distributions: [] };
    const { files, distributions, installedDamaged } = await this.#options.files.differencesOf({ root, lines });
    if (files.length > 0) return { problem: files.join(', '), distributions };
    // Some wheels are wrong about themselves: what has come of them a second time is what they are.
    if (installedDamaged.files.length === 0 || this.#installedAgain.has(key)) return undefined;
    if (this.#installedAgain.size > 1000) this.#installedAgain.clear();
    this.#installedAgain.add(key);
    const problem = `it was made of damaged wheels: ${installedDamaged.files.join(', ')}`;
    return { problem, distributions: installedDamaged.distributions };
  }

  /** The same file no longer: one of the same minor version runs what was compiled for it. */
  async #withOtherInterpreter(root: string, record: StoredEnvironment): Promise<StoredEnvironment | undefined> {
    const { log, versionOf } = this.#options;
    const { path, version } = record.interpreter;
    const now = await versionOf(path);
    if (now === undefined || minorOf(now) !== minorOf(version)) {
      log.warn({ environment: record.key, python: path, version, now }, 'the interpreter of an environment is gone');
      return undefined;
    }
    const [major = 0, minor = 0, patch = 0] = now.split('.').map(Number);
    const changed = { ...record, interpreter: await interpreterFile({ path, version: [major, minor, patch] }) };
    await writeRecord(root, changed);
    log.info(
      { environment: record.key, python: path, version, now },
      'the interpreter of an environment was exchanged',
    );
    return changed;
  }

  #lock(key: string): string {
    return join(this.root, `${key}.lock`);
  }
}

const minorOf = (version: string): string => version.split('.', 2).join('.');
