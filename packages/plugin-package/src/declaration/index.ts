/**
 * What a plugin declares (docs/wire/packages.md#yaml): the tables of every file, decoders from YAML and JSON, rules,
 * assembly from many files into one declaration, and what is made of it for answers. Pure functions over values; files are
 * read through the FileSource a caller brings. Called by decodePackage, the daemon and the command line tool.
 */
export { type Assembled, assembleDeclaration, type FileSource, MANIFEST } from './assemble.ts';
export { validateManifest } from './cross-checks.ts';
export { plainDecimal } from './decimal.ts';
export { decodeYaml } from './decode-yaml.ts';
export { compileGlob, matches, parseGlob } from './glob.ts';
export { declarationCategory, presentDeclaration } from './present.ts';
export {
  declarationFromRegistration,
  decodeRegisteredList,
  decodeRegisteredManifest,
  type Registration,
  remoteChecksum,
} from './remote.ts';
export {
  type Absent,
  complete,
  type FieldNode,
  list,
  listed,
  max,
  nullable,
  type ObjectShape,
  object,
  oneOf,
  type Rule,
  required,
  type ScalarShape,
  type Shape,
  type ShapeNode,
  text,
  zero,
} from './shape.ts';
export {
  CATEGORIES,
  type Category,
  CONFIG_TYPES,
  i18n,
  MODEL_GROUPS,
  MODEL_TYPES,
  manifest as MANIFEST_SHAPE,
  positionFile as POSITION_FILE_SHAPE,
  SCOPES,
  TAGS,
  tagRule,
  tagText,
  versionRule,
} from './shapes/index.ts';
export { assertDeclarationSize, MAX_DECLARATION_BYTES } from './size.ts';
export { decodeDeclaration, decodeModelDeclaration, parseDeclaration, stringifyDeclaration } from './stored.ts';
export { PARAMETER_TEMPLATES } from './templates.ts';
export type * from './types.ts';
export { findViolations, requireValid } from './validate.ts';
