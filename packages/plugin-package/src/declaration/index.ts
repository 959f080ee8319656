/**
 * What a plugin declares (docs/wire/packages.md#yaml): the tables of every file, decoders from YAML and JSON, rules,
 * assembly from many files into one declaration, and what is made of it for answers. Pure functions over values; files are
 * read through the FileSource a caller brings. Called by decodePackage, the daemon and the command line tool.
 */
export { type Assembled, assembleDeclaration, type FileSource, MANIFEST } from './assemble.ts';
export { checkFile, type Finding, type FindingKind, nodeAt } from './check-file.ts';
export { validateManifest } from './cross-checks.ts';
export { plainDecimal } from './decimal.ts';
export { declarationCategory, presentDeclaration } from './present.ts';
export {
  declarationFromRegistration,
  decodeRegisteredList,
  decodeRegisteredManifest,
  type Registration,
  remoteChecksum,
} from './remote.ts';
export type { Absent, FieldNode, ObjectShape, Rule, ScalarShape, ShapeNode } from './shape.ts';
export { CATEGORIES, type Category } from './shapes/categories.ts';
export { manifest as MANIFEST_SHAPE } from './shapes/manifest.ts';
export { MODEL_GROUPS, MODEL_TYPES, positionFile as POSITION_FILE_SHAPE } from './shapes/model.ts';
export { CONFIG_TYPES, SCOPES, TAGS } from './shapes/shared.ts';
export { assertDeclarationSize, MAX_DECLARATION_BYTES } from './size.ts';
export { decodeDeclaration, decodeModelDeclaration, parseDeclaration, stringifyDeclaration } from './stored.ts';
export { PARAMETER_TEMPLATES } from './templates.ts';
export type * from './types.ts';
export { findViolations, type Violation } from './validate.ts';
