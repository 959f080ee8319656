import { PackageError, type Problem } from '../errors.ts';
import { parseYaml } from '../yaml/tree.ts';
import { decodeYaml, type References } from './decode-yaml.ts';
import { compileGlob } from './glob.ts';
import { presentDeclaration } from './present.ts';
import { complete, type ObjectShape, type ShapeNode } from './shape.ts';
import { agentStrategy, agentStrategyProvider } from './shapes/agent-strategy.ts';
import { datasource, datasourceProvider } from './shapes/datasource.ts';
import { endpoint, endpointProvider } from './shapes/endpoint.ts';
import { manifest } from './shapes/manifest.ts';
import { MODEL_GROUPS, model, modelProvider, positionFile } from './shapes/model.ts';
import { tool, toolProvider } from './shapes/tool.ts';
import { event, triggerProvider } from './shapes/trigger.ts';
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

interface Category {
  readonly files: keyof PluginFiles;
  readonly key: 'tool' | 'endpoint' | 'model' | 'agent_strategy' | 'datasource' | 'trigger';
  readonly provider: ObjectShape;
  /** the objects that files named by the provider file hold, and the key they are appended to */
  readonly child: ObjectShape;
  readonly list: string;
  /** words of messages about unreadable files */
  readonly providerWord: string;
  readonly childWord: string;
}

/** In the order in which they are read. */
const CATEGORIES: readonly Category[] = [
  {
    files: 'tools',
    key: 'tool',
    provider: toolProvider,
    child: tool,
    list: 'tools',
    providerWord: 'tool',
    childWord: 'tool',
  },
  {
    files: 'endpoints',
    key: 'endpoint',
    provider: endpointProvider,
    child: endpoint,
    list: 'endpoints',
    providerWord: 'endpoint',
    childWord: 'endpoint',
  },
  {
    files: 'models',
    key: 'model',
    provider: modelProvider,
    child: model,
    list: 'models',
    providerWord: 'model',
    childWord: 'model',
  },
  {
    files: 'agent_strategies',
    key: 'agent_strategy',
    provider: agentStrategyProvider,
    child: agentStrategy,
    list: 'strategies',
    providerWord: 'agent strategy',
    childWord: 'agent strategy',
  },
  {
    files: 'datasources',
    key: 'datasource',
    provider: datasourceProvider,
    child: datasource,
    list: 'datasources',
    providerWord: 'datasource',
    childWord: 'datasource',
  },
  {
    files: 'triggers',
    key: 'trigger',
    provider: triggerProvider,
    child: event,
    list: 'events',
    providerWord: 'trigger',
    childWord: 'event',
  },
];

export const MANIFEST = 'manifest.yaml';

/**
 * Reads manifest.yaml and every file it leads to, and merges them into one declaration (packages.md 9.6).
 * @throws PackageError with the texts of section 26.2
 */
export function assembleDeclaration(source: FileSource): Assembled {
  const assembler = new Assembler(source);
  return assembler.assemble();
}

class Assembler {
  readonly #source: FileSource;
  readonly #warnings: Problem[] = [];

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
      for (const path of paths) own[category.key] = this.#provider(path, category);
    }
    complete(manifest, own);
    own['verified'] = false;
    // the shape of the manifest produces declarations, which its table is checked against
    const declaration = presentDeclaration(own as unknown as PluginDeclaration);
    return { declaration, warnings: this.#warnings };
  }

  #provider(path: string, category: Category): Record<string, unknown> {
    const { value, references } = this.#read(path, category.provider, `${category.providerWord} file`, 'plugin file');
    const provider = value as Record<string, unknown>;
    const children = (provider[category.list] ?? []) as unknown[];
    provider[category.list] = children;
    for (const reference of references.files) {
      children.push(this.#read(reference.path, category.child, `${category.childWord} file`).value);
    }
    if (category.key === 'model') this.#models(provider, children, references);
    this.#judge(category.provider, provider, path);
    return provider;
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
    return decodeYaml(document, shape);
  }

  #judge(shape: ObjectShape, value: unknown, file: string): void {
    for (const problem of findViolations(shape, value)) this.#warnings.push({ ...problem, file });
  }

  #warn(file: string, message: string, line?: number): void {
    this.#warnings.push(line === undefined ? { message, file } : { message, file, line });
  }
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
  const { line, column, problems, cause } = error;
  return new PackageError(`${error.message}\n${context}`, { cause, file: error.file ?? file, line, column, problems });
}
