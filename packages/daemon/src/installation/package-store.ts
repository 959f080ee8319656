import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { hasArchiveEnd } from '@plugin-daemon/plugin-package';
import { type ObjectStorage, type ObjectStream, objectKey } from '../storage/index.ts';

export interface PackageStorePrefixes {
  /** PLUGIN_PACKAGE_CACHE_PATH */
  readonly packages: string;
  /** PLUGIN_INSTALLED_PATH */
  readonly installed: string;
  /** PLUGIN_MEDIA_CACHE_PATH */
  readonly media: string;
}

type Bytes = Uint8Array<ArrayBuffer>;

export const packageMissing = (): DaemonError =>
  new DaemonError('bad-request', 'plugin package not found, please upload it firstly');

/**
 * The objects of packages: the packages themselves, their copies that mark them installed, and their icons
 * (docs/wire/state.md#object-keys).
 *
 * The installed copies are written and removed exactly as upstream does, which takes them for the list of plugins to run, so that
 * it finds its state in place after a downgrade. They are read only where the package itself is gone or a beginning of it: its prefix is
 * called a cache, and is cleared like one, or a disk was full.
 */
export class PackageStore {
  readonly #objects: ObjectStorage;
  readonly #prefixes: PackageStorePrefixes;

  constructor(objects: ObjectStorage, prefixes: PackageStorePrefixes) {
    this.#objects = objects;
    this.#prefixes = prefixes;
  }

  /**
   * @throws DaemonError `plugin package not found, please upload it firstly`, the same on every storage (docs/wire/state.md#object-keys)
   */
  async readPackage(identifier: string): Promise<Bytes> {
    const content = await this.#objects.read(this.#package(identifier));
    if (content !== undefined && hasEnd(content)) return owned(content);
    const copy = await this.#objects.read(this.#installed(identifier));
    // Of two that are damaged the first is told of.
    const best = copy !== undefined && (content === undefined || hasEnd(copy)) ? copy : content;
    if (best === undefined) throw packageMissing();
    return owned(best);
  }

  /** The package as it comes from the storage; the caller consumes or destroys the stream. @throws as readPackage */
  async openPackage(identifier: string, signal?: AbortSignal): Promise<ObjectStream> {
    const content = await this.#objects.readStream(this.#package(identifier), signal);
    if (content !== undefined && content.size !== 0) return content;
    const copy = await this.#objects.readStream(this.#installed(identifier), signal);
    if (copy === undefined) {
      if (content === undefined) throw packageMissing();
      return content;
    }
    content?.stream.destroy();
    return copy;
  }

  hasPackage(identifier: string): Promise<boolean> {
    return this.#objects.exists(this.#package(identifier));
  }

  writePackage(identifier: string, content: Uint8Array): Promise<void> {
    return this.#objects.write(this.#package(identifier), content);
  }

  /** The identifiers of all packages, and whatever else lies among them. */
  listPackages(): Promise<readonly string[]> {
    return this.#objects.list(this.#prefixes.packages);
  }

  /** When a package was uploaded last; undefined when there is none. */
  async packageStoredAt(identifier: string): Promise<Date | undefined> {
    return (await this.#objects.stat(this.#package(identifier)))?.lastModified;
  }

  async deletePackage(identifier: string): Promise<void> {
    await this.#objects.delete(this.#package(identifier));
  }

  /** Copies the package to the installed ones, unless it is there. @throws as readPackage */
  async markInstalled(identifier: string): Promise<void> {
    const [from, to] = [this.#package(identifier), this.#installed(identifier)];
    const done = (await this.#objects.exists(to))
      ? await this.#objects.exists(from)
      : await this.#objects.copy(from, to);
    if (!done) throw packageMissing();
  }

  async unmarkInstalled(identifier: string): Promise<void> {
    await this.#objects.delete(this.#installed(identifier));
  }

  async readMedia(id: string): Promise<Bytes | undefined> {
    const content = await this.#objects.read(this.#media(id));
    return content === undefined ? undefined : owned(content);
  }

  hasMedia(id: string): Promise<boolean> {
    return this.#objects.exists(this.#media(id));
  }

  writeMedia(id: string, content: Uint8Array): Promise<void> {
    return this.#objects.write(this.#media(id), content);
  }

  async deleteMedia(id: string): Promise<void> {
    await this.#objects.delete(this.#media(id));
  }

  #package(identifier: string): string {
    return objectKey(this.#prefixes.packages, identifier);
  }

  #installed(identifier: string): string {
    return objectKey(this.#prefixes.installed, identifier);
  }

  #media(id: string): string {
    return objectKey(this.#prefixes.media, id);
  }
}

const hasEnd = ({ buffer, byteOffset, byteLength }: Uint8Array): boolean =>
  hasArchiveEnd(Buffer.from(buffer, byteOffset, byteLength));

/** The same bytes as a view of an ordinary buffer, without a copy where possible. */
function owned(content: Uint8Array): Bytes {
  const { buffer } = content;
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, content.byteOffset, content.byteLength)
    : new Uint8Array(content);
}
