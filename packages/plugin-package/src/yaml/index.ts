/**
 * YAML as plugin files need it: a tree of source texts with places, and what plain scalars mean. No values are made here;
 * that is for whoever knows the type of a field. Called by the declaration decoders and by linters.
 */
export { type Position, Positions, type Repair } from './positions.ts';
export { isMerge, isNull, type Resolved, resolve, tagOf, toBoolean, toInteger } from './scalars.ts';
export { strictTimestamp, timestampError } from './timestamp.ts';
export {
  parseYaml,
  type YamlDocument,
  type YamlMapping,
  type YamlNode,
  type YamlPair,
  type YamlScalar,
  type YamlSequence,
} from './tree.ts';
