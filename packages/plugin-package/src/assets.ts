import { createHash } from 'node:crypto';
import type { PackageArchive } from './archive/index.ts';
import type { I18n, PluginDeclaration } from './declaration/index.ts';
import { PackageError } from './errors.ts';

export interface RemappedAssets {
  readonly declaration: PluginDeclaration;
  /** content of every referenced icon by its asset id */
  readonly media: ReadonlyMap<string, Uint8Array>;
}

export const ASSETS_FOLDER = '_assets/';

const LANGUAGES = ['en_US', 'zh_Hans', 'ja_JP', 'pt_BR'] as const;
const MODEL_ICONS = [
  ['icon_small', 'model icon small'],
  ['icon_large', 'model icon large'],
  ['icon_small_dark', 'model icon small dark'],
  ['icon_large_dark', 'model icon large dark'],
] as const;

/** Hex SHA-256 over content and key, with the key's extension (docs/wire/packages.md#icons-and-assets). */
export function assetId(key: string, content: Uint8Array): string {
  const extension = /\.[^./]*$/.exec(key)?.[0] ?? '';
  return createHash('sha256').update(content).update(key).digest('hex') + extension;
}

/**
 * A copy of the declaration in which every icon path is the id of its asset, with the assets that were met.
 * `assets` is keyed by the path below `_assets/`. @throws PackageError `file not found: x.svg\nfailed to remap tool icon`
 */
export function remapAssets(declaration: PluginDeclaration, assets: ReadonlyMap<string, Uint8Array>): RemappedAssets {
  const ids = new Map<string, string>();
  const media = new Map<string, Uint8Array>();
  const remap = (path: string, word: string): string => {
    if (path === '') return path;
    const known = ids.get(path);
    if (known !== undefined) return known;
    const content = assets.get(path);
    if (content === undefined) throw new PackageError(`file not found: ${path}\nfailed to remap ${word}`);
    const id = assetId(path, content);
    ids.set(path, id);
    media.set(id, content);
    return id;
  };
  return { declaration: mapIcons(declaration, remap), media };
}

/**
 * A copy of the declaration with every icon field replaced by what `change` makes of it, in the order in which upstream
 * looks at them; `word` is how messages call the field.
 */
export function mapIcons(
  declaration: PluginDeclaration,
  change: (path: string, word: string) => string,
): PluginDeclaration {
  const mapped = { ...declaration };
  const { model, tool, agent_strategy, datasource, trigger } = declaration;
  if (model !== undefined) {
    mapped.model = { ...model };
    for (const [key, word] of MODEL_ICONS) {
      const icons = model[key];
      if (icons !== null) mapped.model[key] = mapLanguages(icons, word, change);
    }
  }
  if (tool !== undefined) mapped.tool = { ...tool, identity: mapIdentity(tool.identity, 'tool icon', change) };
  if (agent_strategy !== undefined) {
    const identity = mapIdentity(agent_strategy.identity, 'agent icon', change);
    mapped.agent_strategy = { ...agent_strategy, identity };
  }
  if (datasource !== undefined) {
    const icon = change(datasource.identity.icon, 'datasource icon');
    const steps = datasource.datasources.map((step) => {
      return { ...step, identity: { ...step.identity, icon: change(step.identity.icon, 'datasource step icon') } };
    });
    mapped.datasource = { ...datasource, identity: { ...datasource.identity, icon }, datasources: steps };
  }
  if (trigger !== undefined) {
    mapped.trigger = { ...trigger, identity: mapIdentity(trigger.identity, 'trigger icon', change) };
  }
  mapped.icon = change(declaration.icon, 'plugin icon');
  mapped.icon_dark = change(declaration.icon_dark, 'plugin dark icon');
  return mapped;
}

function mapLanguages(icons: I18n, word: string, change: (path: string, word: string) => string): I18n {
  const mapped = { ...icons };
  for (const language of LANGUAGES) {
    const path = icons[language];
    if (path !== undefined) mapped[language] = change(path, `${word} ${language}`);
  }
  return mapped;
}

function mapIdentity<T extends { icon: string; icon_dark: string }>(
  identity: T,
  word: string,
  change: (path: string, word: string) => string,
): T {
  return { ...identity, icon: change(identity.icon, word), icon_dark: change(identity.icon_dark, `${word} dark`) };
}

/** The content of one asset by its path below `_assets/` (that prefix itself is taken off), or null. */
export function readAsset(archive: PackageArchive, path: string): Uint8Array | null {
  const name = ASSETS_FOLDER + (path.startsWith(ASSETS_FOLDER) ? path.slice(ASSETS_FOLDER.length) : path);
  return archive.has(name) ? archive.read(name) : null;
}

/** The assets of a package as a map that inflates a file when it is asked for. */
export class ArchiveAssets implements ReadonlyMap<string, Uint8Array> {
  readonly #archive: PackageArchive;
  readonly #keys: ReadonlySet<string>;

  constructor(archive: PackageArchive) {
    this.#archive = archive;
    this.#keys = new Set(
      archive.names.filter((name) => name.startsWith(ASSETS_FOLDER)).map((name) => name.slice(ASSETS_FOLDER.length)),
    );
  }

  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  get(key: string): Uint8Array | undefined {
    return this.#keys.has(key) ? this.#archive.read(ASSETS_FOLDER + key) : undefined;
  }

  keys(): MapIterator<string> {
    return this.#keys.keys();
  }

  *values(): MapIterator<Uint8Array> {
    for (const [, content] of this.entries()) yield content;
  }

  *entries(): MapIterator<[string, Uint8Array]> {
    for (const key of this.#keys) yield [key, this.#archive.read(ASSETS_FOLDER + key)];
  }

  [Symbol.iterator](): MapIterator<[string, Uint8Array]> {
    return this.entries();
  }

  forEach(callback: (value: Uint8Array, key: string, map: ReadonlyMap<string, Uint8Array>) => void): void {
    for (const [key, content] of this.entries()) callback(content, key, this);
  }
}
