/** Reads manifest.yaml and every YAML file it leads to; each problem becomes a finding, and reading goes on. */
import { missingFile, PackageError } from '@plugin-daemon/plugin-package';
import {
  agentStrategy,
  agentStrategyProvider,
  compileGlob,
  datasource,
  datasourceProvider,
  decodeYaml,
  endpoint,
  endpointProvider,
  event,
  MODEL_GROUPS,
  manifest,
  model,
  modelProvider,
  type ObjectShape,
  parseYaml,
  positionFile,
  type ShapeNode,
  tool,
  toolProvider,
  triggerProvider,
} from '@plugin-daemon/plugin-package/schema';
import { CliError } from '../errors.ts';
import type { PluginFiles } from '../source/source.ts';
import type { Findings, Severity } from './finding.ts';
import { violationFindings } from './violations.ts';
import { adviceOn } from './yaml-advice.ts';
import { descend, itemsOf, place, textOf, type YamlDocument, type YamlNode } from './yaml-tree.ts';

export type Role = 'manifest' | 'provider' | 'child' | 'model' | 'position';

/** A YAML file that could be read, with what it is. */
export interface ReadFile {
  document: YamlDocument;
  role: Role;
  /** Key below `plugins` that led here. */
  kind: string;
  /** Undefined when it did not decode. */
  value?: unknown;
}

interface Kind {
  key: string;
  provider: ObjectShape;
  child: ObjectShape;
  list: string;
}

const KINDS: readonly Kind[] = [
  { key: 'tools', provider: toolProvider, child: tool, list: 'tools' },
  { key: 'models', provider: modelProvider, child: model, list: 'models' },
  { key: 'endpoints', provider: endpointProvider, child: endpoint, list: 'endpoints' },
  { key: 'agent_strategies', provider: agentStrategyProvider, child: agentStrategy, list: 'strategies' },
  { key: 'datasources', provider: datasourceProvider, child: datasource, list: 'datasources' },
  { key: 'triggers', provider: triggerProvider, child: event, list: 'events' },
];

/** Fields that the daemon fills by itself, or that real plugins leave out without harm. */
function severityOf(role: Role, path: string): Severity {
  if (role === 'manifest') return 'error';
  // A model without a label is shown by its name; nobody refuses a model file.
  if (role === 'model') return 'warning';
  if (role === 'provider' && /^identity\.description(?:\.en_US)?$/.test(path)) return 'warning';
  if (/(^|\.)parameters$/.test(path)) return 'warning';
  return 'error';
}

export class YamlReader {
  readonly files: ReadFile[] = [];
  readonly #sources: PluginFiles;
  readonly #findings: Findings;

  constructor(sources: PluginFiles, findings: Findings) {
    this.#sources = sources;
    this.#findings = findings;
  }

  readAll(): void {
    const own = this.#read('manifest.yaml', manifest, 'manifest', 'manifest', undefined, undefined);
    if (own === undefined) return;
    for (const kind of KINDS) {
      const paths = itemsOf(descend(own.document.root, 'plugins', kind.key));
      if (paths.length > 1)
        this.#findings.at(
          own.document,
          paths[0],
          'warning',
          'manifest/several-providers',
          `plugins.${kind.key} names ${paths.length} files: only the last one counts`,
          'keep one file and list everything in it',
        );
      for (const node of paths) this.#provider(kind, node, own.document);
    }
  }

  #provider(kind: Kind, node: YamlNode, from: YamlDocument): void {
    const path = textOf(node) ?? '';
    const provider = this.#read(path, kind.provider, 'provider', kind.key, from, node);
    if (provider === undefined) return;
    const { root } = provider.document;
    if (kind.key === 'models') return this.#models(provider.document);
    const list = descend(root, kind.list);
    for (const item of itemsOf(list))
      if (item.kind === 'scalar') this.#read(item.text, kind.child, 'child', kind.key, provider.document, item);
    if (itemsOf(list).length === 0)
      this.#findings.at(
        provider.document,
        list ?? root ?? undefined,
        'warning',
        'provider/empty',
        `${kind.list} is empty: the provider offers nothing`,
        `name at least one file under ${kind.list}`,
      );
  }

  #models(document: YamlDocument): void {
    const models = descend(document.root, 'models');
    if (models === undefined || models.kind !== 'mapping') return;
    const groups = new Set<string>(MODEL_GROUPS.map(([group]) => group));
    for (const pair of models.pairs) {
      const group = textOf(pair.key) ?? '';
      if (!groups.has(group)) {
        this.#findings.at(
          document,
          pair.key,
          'warning',
          'models/unknown-group',
          `models.${group} is not read`,
          `use one of ${[...groups].join(', ')}`,
        );
        continue;
      }
      const position = descend(pair.value, 'position');
      if (position !== undefined && textOf(position) !== undefined)
        this.#read(textOf(position) ?? '', positionFile, 'position', 'models', document, position);
      for (const pattern of itemsOf(descend(pair.value, 'predefined'))) this.#glob(document, pattern);
    }
  }

  #glob(document: YamlDocument, pattern: YamlNode): void {
    const text = textOf(pattern) ?? '';
    let matches: (path: string) => boolean;
    try {
      matches = compileGlob(text);
    } catch {
      this.#findings.at(
        document,
        pattern,
        'error',
        'models/pattern',
        `${text} is not a pattern`,
        'write a path with * and ?, such as models/llm/*.yaml',
      );
      return;
    }
    const found = this.#sources.names.filter((name) => !name.endsWith('_position.yaml') && matches(name));
    if (found.length === 0)
      this.#findings.at(
        document,
        pattern,
        'warning',
        'models/no-match',
        `${text} matches no file`,
        'add a model file or correct the pattern',
      );
    for (const name of found) this.#read(name, model, 'model', 'models', document, pattern);
  }

  #read(
    path: string,
    shape: ObjectShape | ShapeNode,
    role: Role,
    kind: string,
    from: YamlDocument | undefined,
    node: YamlNode | undefined,
  ): ReadFile | undefined {
    if (this.files.some((file) => file.document.file === path && file.role === role)) return undefined;
    let text: string;
    try {
      if (!this.#sources.has(path)) throw missingFile(path);
      text = new TextDecoder('utf-8', { fatal: true }).decode(this.#sources.read(path));
    } catch (error) {
      if (error instanceof TypeError) {
        this.#findings.add({
          severity: 'error',
          rule: 'yaml/encoding',
          message: 'the file is not UTF-8 text',
          remedy: 'save it as UTF-8',
          file: path,
        });
      } else if (error instanceof CliError) {
        this.#findings.add({
          severity: 'error',
          rule: 'file/unreadable',
          message: error.message,
          file: path,
          ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
        });
      } else if (from === undefined) {
        this.#findings.add({
          severity: 'error',
          rule: 'file/missing',
          message: `${path} is missing`,
          remedy: 'name the folder that holds manifest.yaml; dify plugin init creates a new plugin',
          file: path,
        });
      } else {
        const remedy = /^\.?\.?\//.test(path)
          ? 'paths are relative to the root of the plugin, without ./ or ../'
          : `create ${path} or correct the path; it is relative to the root of the plugin and must not be ignored`;
        this.#findings.at(from, node, 'error', 'file/missing', `${path} does not exist in the package`, remedy);
      }
      return undefined;
    }
    const file: ReadFile | undefined = this.#parse(path, text, role, kind);
    if (file === undefined) return undefined;
    this.files.push(file);
    this.#decode(file, shape);
    return file;
  }

  #parse(path: string, text: string, role: Role, kind: string): ReadFile | undefined {
    try {
      const document = parseYaml(text, path);
      for (const repair of document.repairs) {
        this.#findings.add({
          severity: 'warning',
          rule: 'yaml/indentation',
          message: 'a continued line is indented no deeper than its key',
          remedy: 'indent it further: other parsers refuse the file',
          file: path,
          line: repair.line,
          column: 1,
        });
      }
      return { document, role, kind };
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      this.#findings.add({
        severity: 'error',
        rule: 'yaml/syntax',
        message: error.detail?.tag === 'syntax' ? error.detail.reason : error.message,
        remedy: 'correct the YAML at this place',
        file: path,
        ...positionOf(error),
      });
      return undefined;
    }
  }

  #decode(file: ReadFile, shape: ObjectShape | ShapeNode): void {
    const { document } = file;
    try {
      file.value = decodeYaml(document, shape).value;
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      const problems = error.problems.length > 0 ? error.problems : [error];
      for (const problem of problems) {
        const at =
          problem.detail?.tag === 'unknown-template'
            ? this.#find(document, 'use_template', problem.detail.name)
            : undefined;
        this.#findings.add({
          severity: 'error',
          ...adviceOn(problem),
          file: document.file,
          ...(at ?? positionOf(problem)),
        });
      }
      return;
    }
    if (shape.kind !== 'record') return;
    for (const finding of violationFindings(document, shape, file.value, (path) => severityOf(file.role, path)))
      this.#findings.add(finding);
  }

  /** Where a key has a value, for errors that do not know their place. */
  #find(document: YamlDocument, key: string, value: string): { line: number; column: number } | undefined {
    const search = (node: YamlNode | null): YamlNode | undefined => {
      if (node?.kind === 'sequence') return node.items.map(search).find((found) => found !== undefined);
      if (node?.kind !== 'mapping') return undefined;
      for (const pair of node.pairs) {
        if (textOf(pair.key) === key && textOf(pair.value) === value) return pair.value;
        const inside = search(pair.value);
        if (inside !== undefined) return inside;
      }
      return undefined;
    };
    return place(document, search(document.root));
  }
}

function positionOf(error: { line?: number | undefined; column?: number | undefined }): {
  line?: number;
  column?: number;
} {
  return {
    ...(error.line === undefined || error.line === 0 ? {} : { line: error.line }),
    ...(error.column === undefined || error.column === 0 ? {} : { column: error.column }),
  };
}
