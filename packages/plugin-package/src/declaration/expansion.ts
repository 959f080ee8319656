/** How much may become of a package, and of one of its files: the measure against alias bombs. */
import { PackageError } from '../errors.ts';
import type { YamlDocument, YamlNode } from '../yaml/index.ts';

/** Visits beyond the nodes of the file itself, that is, through aliases: the measure against alias bombs. */
const MAX_ALIASED_VISITS = 100_000;
/**
 * What a package may become beyond its own text: characters that come again through aliases and through files that are read twice, and
 * objects, each of which is filled with the fields that it lacks. One for all files of a package.
 */
export class Expansion {
  #characters = 1024 * 1024;
  #objects = 100_000;

  /** @throws PackageError */
  takeCharacters(count: number, file: string): void {
    this.#characters -= count;
    if (this.#characters < 0) throw new PackageError('yaml: document contains excessive aliasing', { file });
  }

  /** @throws PackageError */
  takeObject(file: string): void {
    if (--this.#objects < 0) throw new PackageError('yaml: the files of the plugin hold too many objects', { file });
  }
}

/** The visits of one document: as many as it has nodes and some more, and text beyond its own at the expense of the package. */
export class Visits {
  readonly #file: string;
  readonly #expansion: Expansion;
  #left: number;
  /** Characters of the file that were not come across yet, were every node visited once. */
  #fresh: number;

  constructor(document: YamlDocument, expansion: Expansion) {
    this.#file = document.file;
    this.#expansion = expansion;
    this.#fresh = document.length;
    this.#left = document.nodeCount + MAX_ALIASED_VISITS;
  }

  /** @throws PackageError */
  visit(node?: YamlNode): void {
    if (node?.kind === 'scalar') this.read(node.text.length);
    if (--this.#left >= 0) return;
    throw new PackageError('yaml: document contains excessive aliasing', { file: this.#file });
  }

  /** Text that goes into the declaration. @throws PackageError */
  read(characters: number): void {
    this.#fresh -= characters;
    if (this.#fresh >= 0) return;
    this.#expansion.takeCharacters(-this.#fresh, this.#file);
    this.#fresh = 0;
  }

  /** An object, which will be filled. @throws PackageError */
  object(): void {
    this.#expansion.takeObject(this.#file);
  }
}
