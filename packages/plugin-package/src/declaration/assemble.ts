import { isObject } from '@plugin-daemon/values';
import { violationText } from '@plugin-daemon/wire-schema';
import { PackageError, type Problem } from '../errors.ts';
import { parseYaml } from '../yaml/index.ts';
import { decodeYaml } from './decode-yaml.ts';
import { Expansion } from './expansion.ts';
import { compileGlob } from './glob.ts';
import { presentDeclaration } from './present.ts';
import type { References } from './references.ts';
import { complete, inTableOrder, type ObjectShape, type ShapeNode } from './shape.ts';
import { CATEGORIES, type Category, MODEL_GROUPS, manifest, model, positionFile } from './shapes/index.ts';
import { assertDeclarationSize } from './size.ts';
import type { PluginDeclaration, PluginFiles } from './types.ts';
import { findViolations } from './validate.ts';

/** Where the files of a plugin come from: a package, or a directory seen through its ignore rules. */
export interface FileSource {
  /** every file, in the order in which model files are to be found */
  readonly names: readonly string[];
  /** @throws PackageError */
  read(name: string): Uint8Array;
}

export interface Assembled {
  /** defaults inherited from the plugin are filled in; `verified` is false */
  readonly declaration: PluginDeclaration;
  /** what the field rules would refuse, and what only works by accident */
  readonly warnings: readonly Problem[];
}

export const MANIFEST = 'manifest.yaml';
/** so many are told of one package */
const MAX_WARNINGS = 500;

/**
 * Reads manifest.yaml and every file it leads to, and merges them into one declaration (docs/wire/packages.md#assembly).
 * @throws PackageError with the texts of docs/wire/packages.md#error-texts
 */
export function assembleDeclaration(source: FileSource): Assembled {
  const assembler = new Assembler(source);
  return assembler.assemble();
}

class Assembler {
  readonly #source: FileSource;
  readonly #warnings: Problem[] = [];
  readonly #expansion = new Expansion();
  readonly #readFiles = new Set<string>();

  constructor(source: FileSource) {
    this.#source = source;
  }

  assemble(): Assembled {
    const own = this.#decode(MANIFEST, manifest).value as Record<string, unknown>;
    this.#judge(manifest, own, MANIFEST);
    const files = own['plugins'] as PluginFiles;
    for (const category of CATEGORIES) {
      const paths = files[category.files] ?? [];
      if (paths.length > 1) {
        this.#warn(MANIFEST, `plugins.${category.files} names ${paths.length} files: only the last one counts`);
      }
      // all are read and must decode, the last one wins
      for (const path of paths) own[category.key] = this.#provider(path, category, own['description']);
    }
    complete(manifest, own);
    // the shape of the manifest produces declarations, which its table is checked against
    const merged = inTableOrder(manifest, { ...own, verified: false }) as unknown as PluginDeclaration;
    const declaration = presentDeclaration(merged);
    assertDeclarationSize(declaration);
    return { declaration, warnings: this.#warnings };
  }

  #provider(path: string, category: Category, pluginDescription: unknown): Record<string, unknown> {
    const { value, references } = this.#read(path, category.provider, `${category.providerWord} file`, 'plugin file');
    const provider = value as Record<string, unknown>;
    const children = (provider[category.list] ?? []) as unknown[];
    provider[category.list] = children;
    for (const reference of references.files) {
      children.push(this.#read(reference.path, category.child, `${category.childWord} file`).value);
    }
    if (category.key === 'model') this.#models(provider, children, references);
    const { identity } = provider;
    const inherits = INHERITING.includes(category.key) && isObject(identity);
    const described = inherits ? { ...provider, identity: withDescription(identity, pluginDescription) } : provider;
    this.#judge(category.provider, described, path);
    return inTableOrder(category.provider, provider);
  }

  #models(provider: Record<string, unknown>, models: unknown[], references: References): void {
    if (references.modelMap) {
      const position: Record<string, unknown> = {};
      for (const [group, word] of MODEL_GROUPS) {
        const file = references.positions.get(group)?.path;
        if (file !== undefined) position[group] = this.#read(file, positionFile, `${word} position file`).value ?? [];
      }
      provider['position'] = position;
    }
    if (references.modelGlobs.length === 0) return;
    const globs = references.modelGlobs.map((glob) => compileGlob(glob.path));
    for (const name of this.#source.names) {
      if (name.endsWith('_position.yaml')) continue;
      for (const matches of globs) if (matches(name)) models.push(this.#modelFile(name));
    }
  }

  #modelFile(name: string): unknown {
    try {
      return this.#decode(name, model).value;
    } catch (error) {
      throw rethrow(error, `failed to unmarshal model file: ${name}`, name);
    }
  }

  #read(path: string, shape: ShapeNode, word: string, decodeWord = word) {
    let bytes: Uint8Array;
    try {
      bytes = this.#source.read(path);
    } catch (error) {
      throw rethrow(error, `failed to read ${word}: ${path}`, path);
    }
    try {
      return this.#decodeBytes(bytes, path, shape);
    } catch (error) {
      throw rethrow(error, `failed to unmarshal ${decodeWord}: ${path}`, path);
    }
  }

  #decode(path: string, shape: ShapeNode) {
    return this.#decodeBytes(this.#source.read(path), path, shape);
  }

  #decodeBytes(bytes: Uint8Array, path: string, shape: ShapeNode) {
    const document = parseYaml(decodeText(bytes, path), path);
    for (const repair of document.repairs) {
      this.#warn(path, 'a continued line is indented no deeper than its key', repair.line);
    }
    // A list that names one file a thousand times is an alias in other words.
    if (this.#readFiles.has(path)) this.#expansion.takeCharacters(document.length, path);
    this.#readFiles.add(path);
    return decodeYaml(document, shape, this.#expansion);
  }

  #judge(shape: ObjectShape, value: unknown, file: string): void {
    for (const violation of findViolations(shape, value)) this.#warn(file, violationText(violation));
  }

  #warn(file: string, message: string, line?: number): void {
    if (this.#warnings.length >= MAX_WARNINGS) return;
    this.#warnings.push(line === undefined ? { message, file } : { message, file, line });
  }
}

/** Providers that take the plugin's description when they have none, so that its absence breaks no rule. */
const INHERITING: readonly Category['key'][] = ['tool', 'trigger'];

function withDescription(identity: Record<string, unknown>, description: unknown): Record<string, unknown> {
  const own = identity['description'];
  return isObject(own) && own['en_US'] === '' ? { ...identity, description } : identity;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new PackageError('yaml: invalid UTF-8', { cause, file });
  }
}

function rethrow(error: unknown, context: string, file: string): unknown {
  if (!(error instanceof PackageError)) return error;
  const { line, column, problems, cause, detail } = error;
  const message = `${error.message}\n${context}`;
  return new PackageError(message, { cause, file: error.file ?? file, line, column, problems, detail });
}
