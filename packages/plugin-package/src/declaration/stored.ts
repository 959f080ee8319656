import { PackageError } from '../errors.ts';
import { parseExactJson } from '../exact-integer.ts';
import { decodeJson } from './decode-json.ts';
import { presentDeclaration } from './present.ts';
import { complete } from './shape.ts';
import { manifest, model } from './shapes/index.ts';
import type { ModelDeclaration, PluginDeclaration } from './types.ts';
import { requireValid } from './validate.ts';

/** A declaration as JSON text; integers beyond 2^53 keep their digits. (JSON.stringify does the same.) */
export function stringifyDeclaration(declaration: PluginDeclaration): string {
  return JSON.stringify(declaration);
}

/**
 * A declaration from stored JSON text: tolerant of null, missing, unknown and mistyped keys, as rows of other versions
 * have them; defaults are filled in. @throws PackageError when the text is no JSON object
 */
export function parseDeclaration(text: string): PluginDeclaration {
  let json: unknown;
  try {
    json = parseExactJson(text);
  } catch (cause) {
    throw new PackageError('the stored declaration is not valid JSON', { cause });
  }
  return decodeDeclaration(json);
}

/** As `parseDeclaration`, from a JSON value. */
export function decodeDeclaration(json: unknown): PluginDeclaration {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new PackageError('the stored declaration is not a JSON object');
  }
  const value = decodeJson(json, manifest, { lenient: true });
  complete(manifest, value);
  // the table of the manifest is checked against this type
  return presentDeclaration(value as PluginDeclaration);
}

/**
 * The model of a `/model/schema` answer: templates applied, defaults filled in (docs/wire/packages.md#model-rules-and-templates).
 * @throws PackageError with all violations
 */
export function decodeModelDeclaration(
  json: unknown,
  names?: {
    /** what paths in messages of rules begin with */ readonly inRules: string;
    /** what paths in messages of decoding begin with */ readonly inJson: string;
  },
): ModelDeclaration {
  const value = decodeJson(json, model, names && { root: names.inJson });
  requireValid(names === undefined ? model : { ...model, type: names.inRules }, value);
  complete(model, value);
  return value as ModelDeclaration;
}
