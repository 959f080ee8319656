import { PackageError } from '../errors.ts';
import { isNull, parseYaml, type YamlDocument, type YamlNode } from '../yaml/index.ts';
import { decodeYaml } from './decode-yaml.ts';
import type { ObjectShape, ShapeNode } from './shape.ts';
import { findViolations } from './validate.ts';

export type FindingKind = 'syntax' | 'type' | 'rule' | 'unknown-key' | 'indentation';

/** Something to say about one place of one file; line and column count from 1. */
export interface Finding {
  readonly kind: FindingKind;
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Keys that belong to the SDK or to older formats: nobody decodes them here, and they are no mistakes. */
const FOREIGN_KEYS = new Set(['extra', 'execution', 'zh_Hant', 'ko_KR']);

/**
 * Everything there is to say about one file of a package, without regard to the others: for a linter. Never throws for
 * what the file holds.
 */
export function checkFile(source: string, file: string, shape: ShapeNode): Finding[] {
  let document: YamlDocument;
  try {
    document = parseYaml(source, file);
  } catch (error) {
    return [fromError(error, file, 'syntax')];
  }
  const findings: Finding[] = document.repairs.map(({ line }) => {
    return { kind: 'indentation', message: 'indent this line deeper than its key', file, line, column: 1 };
  });
  try {
    const { value } = decodeYaml(document, shape);
    if (shape.kind === 'object') {
      for (const { message, keys } of findViolations(shape, value)) {
        findings.push({ kind: 'rule', message, file, ...document.positions.of(nodeAt(document.root, keys)?.at ?? 0) });
      }
    }
  } catch (error) {
    findings.push(...fromDecodeError(error, file));
  }
  if (document.root !== null) collectUnknownKeys(document.root, shape, document, findings, new Set());
  return findings;
}

/** The node that keys lead to, or the last one that exists on the way. */
export function nodeAt(root: YamlNode | null, keys: readonly (string | number)[]): YamlNode | null {
  let node = root;
  for (const key of keys) {
    const next = node === null ? null : childOf(node, key);
    if (next === null) return node;
    node = next;
  }
  return node;
}

function childOf(node: YamlNode, key: string | number): YamlNode | null {
  if (node.kind === 'sequence') {
    // null elements are dropped when a list is decoded, so they do not count
    return typeof key === 'number' ? (node.items.filter((item) => !isNull(item))[key] ?? null) : null;
  }
  if (node.kind === 'scalar') return null;
  // configs written as a map are numbered in file order
  if (typeof key === 'number') return node.pairs[key]?.value ?? null;
  return node.pairs.find((pair) => pair.key.kind === 'scalar' && pair.key.text === key)?.value ?? null;
}

function collectUnknownKeys(
  node: YamlNode,
  shape: ShapeNode,
  document: YamlDocument,
  findings: Finding[],
  seen: Set<YamlNode>,
): void {
  // through aliases a node may be met often
  if (seen.has(node)) return;
  seen.add(node);
  if (shape.kind === 'object') {
    if (node.kind === 'mapping') collectOfObject(node, shape, document, findings, seen);
  } else if ('of' in shape) {
    const children =
      node.kind === 'sequence' ? node.items : node.kind === 'mapping' ? node.pairs.map((p) => p.value) : [];
    if (shape.kind === 'models' && node.kind === 'mapping') return;
    for (const child of children) collectUnknownKeys(child, shape.of, document, findings, seen);
  }
}

function collectOfObject(
  node: Extract<YamlNode, { kind: 'mapping' }>,
  shape: ObjectShape,
  document: YamlDocument,
  findings: Finding[],
  seen: Set<YamlNode>,
): void {
  for (const { key, value } of node.pairs) {
    if (key.kind !== 'scalar') continue;
    const field = shape.fields.find((one) => one.key === key.text || one.fallback === key.text);
    if (field !== undefined) collectUnknownKeys(value, field.shape, document, findings, seen);
    else if (!FOREIGN_KEYS.has(key.text) && key.text !== '<<') {
      const message = `the key ${JSON.stringify(key.text)} means nothing here`;
      findings.push({ kind: 'unknown-key', message, file: document.file, ...document.positions.of(key.at) });
    }
  }
}

function fromDecodeError(error: unknown, file: string): Finding[] {
  if (!(error instanceof PackageError) || error.problems.length === 0) return [fromError(error, file, 'type')];
  return error.problems.map(({ message, line = 1, column = 1 }) => ({ kind: 'type', message, file, line, column }));
}

function fromError(error: unknown, file: string, kind: FindingKind): Finding {
  if (!(error instanceof PackageError)) throw error;
  return { kind, message: error.message, file, line: error.line ?? 1, column: error.column ?? 1 };
}
