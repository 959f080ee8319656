import { isObject } from '@plugin-daemon/values';
import { jsonTypeOf } from '@plugin-daemon/wire-schema';
import { PackageError } from '../errors.ts';
import { exactInteger, isRawNumber } from '../exact-integer.ts';
import { strictTimestamp, timestampError } from '../yaml/index.ts';
import { plainDecimal } from './decimal.ts';
import { absentValue, type FieldNode, isLeftOut, type ObjectShape, type ShapeNode, typeName, zeroOf } from './shape.ts';

export interface JsonOptions {
  /** values of a wrong type count as absent instead of being refused: for rows that other versions wrote */
  readonly lenient?: boolean;
  /** what stands in front of the keys in messages; default: the type of the whole value */
  readonly root?: string;
}

/**
 * Decodes JSON by a shape (docs/wire/packages.md#json): keys match without regard to case, unknown ones are ignored, null is
 * as good as absent. Absent values are those before completion.
 * @throws PackageError
 */
export function decodeJson(value: unknown, shape: ShapeNode, options: JsonOptions = {}): unknown {
  return new JsonDecoder(options.lenient ?? false).decode(value, shape, options.root ?? '');
}

/** Objects in one value that is decoded: `{}` becomes many times its own size, as absent fields are filled in. */
const MAX_OBJECTS = 100_000;

class JsonDecoder {
  readonly #lenient: boolean;
  #left = MAX_OBJECTS;

  constructor(lenient: boolean) {
    this.#lenient = lenient;
  }

  decode(value: unknown, shape: ShapeNode, path: string): unknown {
    if (value === null || value === undefined) return zeroOf(shape);
    const decoded = this.#value(value, shape, path);
    return decoded === undefined ? zeroOf(shape) : decoded;
  }

  /** undefined for a value of the wrong type, when that is tolerated. */
  #value(value: unknown, shape: ShapeNode, path: string): unknown {
    switch (shape.kind) {
      case 'any':
        return value;
      case 'object':
        return isRecord(value) ? value : this.#mismatch(value, shape, path);
      case 'record':
        return isRecord(value) ? this.#object(value, shape, path) : this.#mismatch(value, shape, path);
      case 'array':
        return Array.isArray(value) ? this.#list(value, shape.of, path) : this.#mismatch(value, shape, path);
      case 'configs':
        if (Array.isArray(value)) return this.#list(value, shape.of, path);
        // trigger providers take lists only
        if (!isRecord(value) || (shape.strict && !this.#lenient)) return this.#mismatch(value, shape, path);
        return Object.entries(value).map(([name, config]) => ({
          ...asRecord(this.decode(config, shape.of, `${path}.${name}`)),
          name,
        }));
      case 'entries':
        return Array.isArray(value) ? this.#entries(value, shape.of, path) : this.#mismatch(value, shape, path);
      case 'models':
        if (isRecord(value)) return [];
        return Array.isArray(value) ? this.#list(value, shape.of, path) : this.#mismatch(value, shape, path);
      default:
        return this.#scalar(value, shape, path);
    }
  }

  #object(value: Record<string, unknown>, shape: ObjectShape, path: string): Record<string, unknown> {
    if (--this.#left < 0) fail(`the declaration has more than ${MAX_OBJECTS} objects, the limit`);
    const decoded: Record<string, unknown> = {};
    const folded = foldedKeys(value);
    for (const field of shape.fields) {
      let raw = Object.hasOwn(value, field.key) ? value[field.key] : folded?.get(field.key);
      if (raw === undefined && field.fallback !== undefined) raw = value[field.fallback];
      const held = this.#field(
        raw,
        field,
        `${path === '' ? shape.type : path}${shape.hooks.json?.within ?? ''}.${field.key}`,
      );
      if (held !== undefined) decoded[field.key] = held;
    }
    try {
      shape.hooks.decoded?.(decoded);
    } catch (error) {
      if (!this.#lenient) throw error;
    }
    return decoded;
  }

  #field(raw: unknown, field: FieldNode, path: string): unknown {
    if (raw === null || raw === undefined) return absentValue(field);
    const value = this.#value(raw, field.shape, path);
    if (value === undefined) return absentValue(field);
    return isLeftOut(field, value) ? undefined : value;
  }

  /** Null elements keep their place, as zero values. */
  #list(values: readonly unknown[], of: ShapeNode, path: string): unknown[] {
    return values.map((value) => this.decode(value, of, path));
  }

  /** Texts are names of files, which a debugging plugin cannot send: they are dropped. */
  #entries(values: readonly unknown[], of: ObjectShape, path: string): unknown[] {
    const items: unknown[] = [];
    values.forEach((value) => {
      if (typeof value !== 'string') items.push(this.decode(value, of, path));
    });
    return items;
  }

  #scalar(value: unknown, shape: ShapeNode, path: string): unknown {
    switch (shape.kind) {
      case 'string':
        return typeof value === 'string' ? value : this.#mismatch(value, shape, path);
      case 'boolean':
        return typeof value === 'boolean' ? value : this.#mismatch(value, shape, path);
      case 'number':
        return typeof value === 'number' ? value : this.#mismatch(value, shape, path);
      case 'int':
      case 'int64':
      case 'uint64': {
        const integer = typeof value === 'number' ? Number.isInteger(value) : isRawNumber(value);
        if (!integer || (shape.kind === 'uint64' && typeof value === 'number' && value < 0)) {
          return this.#mismatch(value, shape, path);
        }
        return typeof value === 'number' ? exactInteger(BigInt(value)) : value;
      }
      case 'timestamp': {
        const time = typeof value === 'string' ? strictTimestamp(value) : null;
        if (time !== null) return time;
        return this.#lenient ? undefined : fail(timestampError(String(value)));
      }
      case 'decimal':
        return this.#decimal(value);
      default:
        return this.#mismatch(value, shape, path);
    }
  }

  #decimal(value: unknown): unknown {
    try {
      return plainDecimal(typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
    } catch (error) {
      if (this.#lenient) return undefined;
      throw error;
    }
  }

  #mismatch(value: unknown, shape: ShapeNode, path: string): undefined {
    if (this.#lenient) return undefined;
    const wrongNumber = typeof value === 'number' && (shape.kind === 'int' || shape.kind === 'int64');
    fail(
      `json: cannot unmarshal ${wrongNumber ? `number ${value}` : isRawNumber(value) ? 'number' : jsonTypeOf(value)} into Go struct field ${path} of type ${jsonTypeName(shape)}`,
    );
  }
}

function jsonTypeName(shape: ShapeNode): string {
  return (shape.kind === 'record' ? shape.hooks.json?.typeName : undefined) ?? typeName(shape);
}

function fail(message: string): never {
  throw new PackageError(message);
}

/** Keys by their lower-case form, or null when every key is lower case already but for those of i18n objects. */
function foldedKeys(value: Record<string, unknown>): Map<string, unknown> | null {
  const keys = Object.keys(value);
  if (!keys.some((key) => /[A-Z]/.test(key))) return null;
  const folded = new Map<string, unknown>();
  for (const key of keys) {
    folded.set(key.toLowerCase(), value[key]);
    const language = LANGUAGES.get(key.toLowerCase());
    if (language !== undefined) folded.set(language, value[key]);
  }
  return folded;
}

const LANGUAGES = new Map(['en_US', 'ja_JP', 'zh_Hans', 'pt_BR'].map((key) => [key.toLowerCase(), key]));

const isRecord = (value: unknown): value is Record<string, unknown> => isObject(value) && !isRawNumber(value);

function asRecord(value: unknown): Record<string, unknown> {
  return isRecord(value) ? value : {};
}
