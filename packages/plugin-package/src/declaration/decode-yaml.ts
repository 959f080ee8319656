import { PackageError } from '../errors.ts';
import { exactInteger } from '../exact-integer.ts';
import type { YamlDocument, YamlMapping, YamlNode, YamlPair, YamlScalar, YamlSequence } from '../yaml/index.ts';
import {
  isMerge,
  isNull,
  resolve,
  strictTimestamp,
  tagOf,
  timestampError,
  toBoolean,
  toInteger,
} from '../yaml/index.ts';
import { plainDecimal } from './decimal.ts';
import { Expansion, Visits } from './expansion.ts';
import { isModelGroup, noReferences, type References, reference } from './references.ts';
import {
  absentValue,
  type EntriesShape,
  type FieldNode,
  isLeftOut,
  type ObjectShape,
  type ScalarShape,
  type ShapeNode,
  type TaggedShape,
  zeroOf,
} from './shape.ts';
import { YamlProblems } from './yaml-problems.ts';

const INTEGER_RANGES = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

/**
 * Decodes a document by a shape: the field's type decides what a scalar means, unknown keys are not looked at, repeated
 * keys are errors only where they are decoded (docs/wire/packages.md#yaml). Absent values are those before completion.
 * @throws PackageError listing every mismatch as `yaml: unmarshal errors:\n  line 6: …`
 */
export function decodeYaml(
  document: YamlDocument,
  shape: ShapeNode,
  expansion: Expansion = new Expansion(),
): { value: unknown; references: References } {
  const decoder = new YamlDecoder(document, expansion);
  const value = decoder.decodeAll(shape);
  return { value, references: decoder.references };
}

class YamlDecoder {
  readonly references: References = noReferences();
  readonly #document: YamlDocument;
  readonly #problems: YamlProblems;
  readonly #visits: Visits;

  constructor(document: YamlDocument, expansion: Expansion) {
    this.#document = document;
    this.#problems = new YamlProblems(document);
    this.#visits = new Visits(document, expansion);
  }

  /** The whole document. @throws PackageError */
  decodeAll(shape: ShapeNode): unknown {
    const value = this.#decode(this.#document.root, shape);
    this.#problems.finish();
    return value;
  }

  /** undefined where nothing usable was found; a mismatch is noted then. */
  #decode(node: YamlNode | null, shape: ShapeNode): unknown {
    if (node === null || isNull(node)) return zeroOf(shape);
    const value = this.#value(node, shape);
    return value === undefined ? zeroOf(shape) : value;
  }

  #value(node: YamlNode, shape: ShapeNode): unknown {
    this.#visits.visit(node);
    switch (shape.kind) {
      case 'record':
        return node.kind === 'mapping' ? this.#object(node, shape) : this.#problems.mismatch(node, shape);
      case 'array':
        return node.kind === 'sequence' ? this.#list(node, shape.of) : this.#problems.mismatch(node, shape);
      case 'configs':
        if (node.kind === 'sequence') return this.#list(node, shape.of);
        return node.kind === 'mapping'
          ? this.#configMap(node, shape.of, shape.strict)
          : this.#problems.mismatch(node, shape);
      case 'entries':
        return node.kind === 'sequence' ? this.#entries(node, shape) : [];
      case 'models':
        if (node.kind === 'sequence') return this.#list(node, shape.of);
        if (node.kind === 'mapping') this.#modelMap(node);
        return [];
      case 'tagged':
        return node.kind === 'mapping' ? this.#tagged(node, shape) : this.#problems.mismatch(node, shape);
      case 'any':
        return this.#any(node, false);
      case 'object':
        return node.kind === 'mapping' ? this.#map(node, true) : this.#problems.mismatch(node, shape);
      default:
        if (node.kind === 'scalar') return this.#scalar(node, shape);
        // a time written as a mapping has never been looked into
        if (node.kind === 'mapping' && shape.kind === 'timestamp') return undefined;
        return this.#problems.mismatch(node, shape);
    }
  }

  #object(node: YamlMapping, shape: ObjectShape): Record<string, unknown> | undefined {
    this.#visits.object();
    const pairs = this.#pairs(node);
    if (pairs === undefined) return undefined;
    const value: Record<string, unknown> = {};
    for (const field of shape.fields) {
      let child = pairs.get(field.key);
      if (field.fallback !== undefined && isEmpty(child)) child = pairs.get(field.fallback);
      const decoded = field.context === undefined ? this.#field(child, field) : this.#inContext(child, field);
      if (decoded !== undefined) value[field.key] = decoded;
    }
    this.#hook(shape, value, node);
    return value;
  }

  #field(child: YamlNode | undefined, field: FieldNode): unknown {
    if (child === undefined || isNull(child)) {
      // absent configs are an empty list in YAML: only JSON can say that they are null, which a rule objects to
      return field.shape.kind === 'configs' ? [] : absentValue(field);
    }
    if (field.mappingOnly && child.kind !== 'mapping') return absentValue(field);
    const value = this.#value(child, field.shape);
    if (value === undefined) return absentValue(field);
    return isLeftOut(field, value) ? undefined : value;
  }

  /** A field whose errors come apart from all others, after a few words. */
  #inContext(child: YamlNode | undefined, field: FieldNode): unknown {
    this.#problems.finish();
    try {
      const value = this.#field(child, field);
      this.#problems.finish();
      return value;
    } catch (error) {
      if (!(error instanceof PackageError)) throw error;
      throw new PackageError(`${field.context}: ${error.message}`, error);
    }
  }

  /** Errors of a hook end decoding at once, as errors of a custom decoder do. */
  #hook(shape: ObjectShape, value: Record<string, unknown>, node: YamlNode): void {
    if (shape.hooks.decoded === undefined) return;
    this.#problems.located(node, () => shape.hooks.decoded?.(value));
  }

  #list(node: YamlSequence, of: ShapeNode): unknown[] {
    const items: unknown[] = [];
    for (const item of node.items) {
      if (isNull(item)) continue;
      const value = this.#value(item, of);
      if (value !== undefined) items.push(value);
    }
    return items;
  }

  /** Pairs are taken as they come: a key that occurs twice is two configs. */
  #configMap(node: YamlMapping, of: ObjectShape, strict: boolean): unknown[] {
    const items: unknown[] = [];
    for (const { key, value } of node.pairs) {
      this.#visits.visit();
      const name = key.kind === 'scalar' ? key.text : '';
      if (value.kind === 'mapping') {
        const config = this.#object(value, of);
        if (config !== undefined) items.push({ ...config, name });
      } else if (strict) {
        this.#problems.fail(value, `expected mapping value for key ${name}`);
      }
    }
    return items;
  }

  #entries(node: YamlSequence, shape: EntriesShape): unknown[] {
    const items: unknown[] = [];
    for (const item of node.items) {
      this.#visits.visit();
      if (item.kind === 'scalar') this.references.files.push({ path: item.text, at: item.at });
      else if (item.kind === 'mapping' || shape.strict) {
        const value = this.#value(item, shape.of);
        if (value !== undefined) items.push(value);
      }
    }
    return items;
  }

  #tagged(node: YamlMapping, shape: TaggedShape): Record<string, unknown> | undefined {
    const pairs = this.#pairs(node);
    if (pairs === undefined) return undefined;
    const tag = pairs.get('type');
    const type = tag?.kind === 'scalar' && !isNull(tag) ? tag.text : '';
    const variant = Object.hasOwn(shape.variants, type) ? shape.variants[type] : undefined;
    if (variant === undefined) return { type, value: null };
    return { type, value: this.#decode(pairs.get('value') ?? null, variant) };
  }

  /** Of a key that occurs twice the last position counts, and the globs of both. */
  #modelMap(node: YamlMapping): void {
    this.references.modelMap = true;
    for (const { key, value } of node.pairs) {
      const group = key.kind === 'scalar' ? key.text : '';
      if (!isModelGroup(group) || value.kind !== 'mapping') continue;
      for (const part of value.pairs) {
        const name = part.key.kind === 'scalar' ? part.key.text : '';
        if (name === 'position') this.references.positions.set(group, reference(part.value));
        else if (name === 'predefined' && part.value.kind === 'sequence') {
          this.references.modelGlobs.push(...part.value.items.map(reference));
        }
      }
    }
  }

  #scalar(node: YamlScalar, shape: ScalarShape): unknown {
    if (shape.kind === 'string') return node.text;
    const resolved = resolve(node);
    switch (shape.kind) {
      case 'boolean':
        return toBoolean(resolved) ?? this.#problems.mismatch(node, shape);
      case 'int':
      case 'int64':
      case 'uint64': {
        const [min, max] = INTEGER_RANGES[shape.kind];
        return toInteger(resolved, min, max) ?? this.#problems.mismatch(node, shape);
      }
      case 'number':
        if (resolved.tag === '!!int') return Number(resolved.value);
        return resolved.tag === '!!float' ? this.#finite(node, resolved.value) : this.#problems.mismatch(node, shape);
      case 'timestamp': {
        const time = resolved.tag === '!!timestamp' ? resolved.value : strictTimestamp(node.text);
        return time ?? this.#problems.fail(node, timestampError(node.text));
      }
      case 'decimal':
        return this.#problems.located(node, () => plainDecimal(node.text));
      default:
        return this.#problems.mismatch(node, shape);
    }
  }

  /** A value of no declared type. `textKeys`: keys of mappings may be of any type and become text. */
  #any(node: YamlNode, textKeys: boolean): unknown {
    if (node.kind === 'mapping') return this.#map(node, textKeys);
    if (node.kind === 'sequence') {
      return node.items.map((item) => {
        this.#visits.visit(item);
        return this.#any(item, textKeys) ?? null;
      });
    }
    const resolved = resolve(node);
    switch (resolved.tag) {
      case '!!null':
        return null;
      case '!!merge':
        return node.text;
      case '!!int':
        return exactInteger(resolved.value);
      case '!!float':
        return this.#finite(node, resolved.value);
      default:
        return resolved.value;
    }
  }

  #map(node: YamlMapping, textKeys: boolean): Record<string, unknown> | undefined {
    const pairs = this.#pairs(node, !textKeys);
    if (pairs === undefined) return undefined;
    const value: Record<string, unknown> = {};
    for (const [key, child] of pairs) {
      this.#visits.visit(child);
      this.#visits.read(key.length);
      // defined, not assigned: a key `__proto__` is a key like any other
      const held = this.#any(child, textKeys) ?? null;
      Object.defineProperty(value, key, { value: held, enumerable: true, configurable: true, writable: true });
    }
    return value;
  }

  #finite(node: YamlNode, value: number): unknown {
    if (Number.isFinite(value)) return value;
    const name = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
    return this.#problems.fail(node, `json: unsupported value: ${name}`);
  }

  /** Keys with their nodes; merge keys looked through; undefined when a key occurs twice, which is noted. */
  #pairs(node: YamlMapping, textKeysOnly = false): Map<string, YamlNode> | undefined {
    const pairs = new Map<string, YamlNode>();
    const first = new Map<string, YamlPair>();
    const merged: YamlNode[] = [];
    const before = this.#problems.count;
    for (const pair of node.pairs) {
      if (isMerge(pair.key)) {
        merged.push(pair.value);
        continue;
      }
      if (textKeysOnly && tagOf(pair.key) !== '!!str' && tagOf(pair.key) !== '!!merge') {
        this.#problems.fail(pair.key, 'json: unsupported type: map[interface {}]interface {}');
      }
      const name = this.#keyText(pair.key);
      if (name === undefined) continue;
      const earlier = first.get(name);
      if (earlier === undefined) {
        first.set(name, pair);
        pairs.set(name, pair.value);
      } else {
        const { line } = this.#document.positions.of(earlier.key.at);
        this.#problems.note(pair.key, `mapping key ${JSON.stringify(name)} already defined at line ${line}`, {
          tag: 'duplicate-key',
          key: name,
        });
      }
    }
    if (this.#problems.count > before) return undefined;
    for (const source of merged) this.#merge(source, pairs);
    return pairs;
  }

  #keyText(key: YamlNode): string | undefined {
    if (key.kind === 'scalar') return key.text;
    this.#problems.note(key, `cannot unmarshal ${tagOf(key)} into string`);
    return undefined;
  }

  #merge(source: YamlNode, pairs: Map<string, YamlNode>): void {
    const sources = source.kind === 'sequence' ? source.items : [source];
    for (const one of sources) {
      this.#visits.visit();
      if (one.kind !== 'mapping')
        this.#problems.fail(one, 'yaml: map merge requires map or sequence of maps as the value');
      for (const [key, value] of this.#pairs(one) ?? []) {
        this.#visits.visit();
        if (!pairs.has(key)) pairs.set(key, value);
      }
    }
  }
}

/** What makes a reader look at the fallback key: nothing, an empty scalar or an empty collection. */
function isEmpty(node: YamlNode | undefined): boolean {
  if (node === undefined || node.kind === 'scalar') return true;
  return node.kind === 'mapping' ? node.pairs.length === 0 : node.items.length === 0;
}
