import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import { parseUniqueIdentifier } from '@plugin-daemon/plugin-package';
import type { Readmes as ReadmeRows } from '../database/index.ts';
import { BytesCache } from './bytes-cache.ts';
import type { PackageStore } from './package-store.ts';
import { isRefusal, type PackageDescription, type Refusal } from './packages/package-jobs.ts';
import type { PackageWorkshop } from './packages/package-workshop.ts';
import type { SignaturePolicy } from './signature-policy.ts';

type Bytes = Uint8Array<ArrayBuffer>;

export interface PackageReaderOptions {
  /** PLUGIN_MEDIA_CACHE_SIZE: icons in memory, entries. */
  readonly mediaEntries: number;
  /** PLUGIN_ASSET_CACHE_SIZE: files taken out of packages in memory, entries. */
  readonly assetEntries: number;
  /** Bytes that each cache may take. */
  readonly cacheBytes?: number;
}

export interface PackageReaderParts {
  readonly store: PackageStore;
  readonly workshop: PackageWorkshop;
  readonly policy: SignaturePolicy;
  readonly readmes: ReadmeRows;
}

/** A file of a package; a package that has none of that name is kept too. */
interface Asset {
  readonly content: Bytes | undefined;
}

export interface Readme {
  readonly language: string;
  readonly content: string;
}

const DEFAULT_CACHE_BYTES = 32 * 1024 * 1024;
const DEFAULT_LANGUAGE = 'en_US';

/**
 * Reads stored packages for clients: their description, readme and files. A package is content-addressed, so what was read from
 * it once stays true; results are kept, bounded by entries and bytes, and a package is read by one worker at a time for all who
 * ask for the same.
 */
export class PackageReader {
  readonly #parts: PackageReaderParts;
  readonly #descriptions: BytesCache<PackageDescription>;
  readonly #media: BytesCache<Bytes>;
  readonly #assets: BytesCache<Asset>;
  /** Packages whose readme cannot be had, with the reason: asked again on every view of a plugin. */
  readonly #readmeFailures: BytesCache<string>;
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(parts: PackageReaderParts, options: PackageReaderOptions) {
    const maxBytes = options.cacheBytes ?? DEFAULT_CACHE_BYTES;
    this.#parts = parts;
    this.#media = new BytesCache({ maxEntries: options.mediaEntries, maxBytes });
    this.#assets = new BytesCache({ maxEntries: options.assetEntries, maxBytes });
    this.#descriptions = new BytesCache({ maxEntries: 256, maxBytes: maxBytes / 4 });
    this.#readmeFailures = new BytesCache({ maxEntries: 4096, maxBytes: 1024 * 1024 });
  }

  /** A package was uploaded, perhaps again and signed this time: what was known of it is replaced. */
  replaced(identifier: string, description: PackageDescription): void {
    this.#readmeFailures.delete(identifier);
    this.#descriptions.set(identifier, description, 2 * description.manifest.length);
  }

  /** @throws DaemonError `bad-request`: no such package, or the decoder's text */
  async describe(identifier: string): Promise<PackageDescription> {
    const known = this.#descriptions.get(identifier);
    if (known !== undefined) return known;
    return this.#once(`describe ${identifier}`, async () => {
      const { workshop, policy, store } = this.#parts;
      const rules = await policy.forReading();
      const described = await workshop.describe(await store.readPackage(identifier), checksumOf(identifier), rules);
      if (isRefusal(described)) throw refusal(described, 'bad-request');
      this.#descriptions.set(identifier, described, 2 * described.manifest.length);
      return described;
    });
  }

  /**
   * The readme in a language, else in English, else in the first of the others by name.
   * @throws DaemonError `internal`: no such package or no readme; `not-found`: the stored list is empty
   */
  async readme(identifier: string, language: string): Promise<Readme> {
    const { readmes } = this.#parts;
    let rows: readonly Readme[] = await readmes.list(identifier);
    if (rows.length === 0) rows = await this.#once(`readme ${identifier}`, () => this.#extractReadmes(identifier));
    const sorted = rows.toSorted((a, b) => (a.language < b.language ? -1 : 1));
    const chosen =
      sorted.find((row) => row.language === language) ??
      sorted.find((row) => row.language === DEFAULT_LANGUAGE) ??
      sorted[0];
    if (chosen === undefined) throw new DaemonError('not-found', 'no readme content available for this plugin');
    return { content: chosen.content, language: chosen.language };
  }

  /** An icon by its asset id. */
  async media(id: string): Promise<Bytes | undefined> {
    const known = this.#media.get(id);
    if (known !== undefined) return known;
    return this.#once(`media ${id}`, async () => {
      const content = await this.#parts.store.readMedia(id);
      if (content !== undefined) this.#media.set(id, content, content.byteLength);
      return content;
    });
  }

  /** A file below the package's `_assets/`; undefined when it has none of that name. */
  async asset(identifier: string, path: string): Promise<Bytes | undefined> {
    const key = `${identifier} ${path}`;
    const known = this.#assets.get(key);
    if (known !== undefined) return known.content;
    return this.#once(`asset ${key}`, async () => {
      const { store, workshop } = this.#parts;
      const package_ = await store.readPackage(identifier);
      const found = await workshop.asset(package_, checksumOf(identifier), path);
      if (isRefusal(found)) throw refusal(found, 'internal');
      const content = found.content ?? undefined;
      this.#assets.set(key, { content }, content?.byteLength ?? 0);
      return content;
    });
  }

  async #extractReadmes(identifier: string): Promise<readonly Readme[]> {
    const failure = this.#readmeFailures.get(identifier);
    if (failure !== undefined) throw readmeError(failure);
    const { store, workshop, readmes } = this.#parts;
    const package_ = await store.readPackage(identifier).catch((error: unknown) => {
      // Not remembered: the package may be uploaded at any time.
      throw readmeError(toDaemonError(error).message);
    });
    const found = await workshop.readmes(package_, checksumOf(identifier));
    if (isRefusal(found)) {
      if (found.damaged) throw refusal(found, 'internal');
      this.#readmeFailures.set(identifier, found.refused, 2 * found.refused.length);
      throw readmeError(found.refused);
    }
    const rows = found.readmes.map(([language, content]) => ({ language, content }));
    await readmes.insertIfAbsent(identifier, rows);
    return rows;
  }

  /** Joins work for the same thing that is under way. */
  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const underWay = this.#underWay.get(key);
    // The key names the kind of work, and each kind has one type of result.
    if (underWay !== undefined) return underWay as Promise<T>;
    const result = work().finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, result);
    return result;
  }
}

const checksumOf = (identifier: string): string => parseUniqueIdentifier(identifier).checksum;

/** Damage is never what the client did. */
const refusal = ({ refused, remedy, damaged }: Refusal, kind: 'bad-request' | 'internal'): DaemonError =>
  new DaemonError(damaged ? 'internal' : kind, refused, damaged && remedy !== undefined ? { remedy } : {});

const readmeError = (text: string): DaemonError =>
  new DaemonError('internal', `failed to get readme from database: ${text}`);
