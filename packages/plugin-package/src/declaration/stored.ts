import { PackageError } from '../errors.ts';
import type { ModelDeclaration, PluginDeclaration } from './types.ts';

/** A declaration as JSON text; integers beyond 2^53 keep their digits. */
export function stringifyDeclaration(_declaration: PluginDeclaration): string {
  throw new PackageError('not built yet');
}

/** A declaration from stored JSON text: tolerant of null, missing and unknown keys, old rows included. */
export function parseDeclaration(_text: string): PluginDeclaration {
  throw new PackageError('not built yet');
}

/** The model of a `/model/schema` answer, templates applied. @throws PackageError with the validator's text */
export function decodeModelDeclaration(_json: unknown): ModelDeclaration {
  throw new PackageError('not built yet');
}
