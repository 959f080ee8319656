/**
 * Inside view of the formats for tools that check plugins: YAML with positions, the tables of fields and rules, and the
 * assembly of a declaration from any set of files. Called by the command line tool; everyone else uses index.ts.
 */
export { checksumOf } from './archive/index.ts';
export type { FieldNode, ObjectShape, ShapeNode } from './declaration/index.ts';
export {
  type Assembled,
  assembleDeclaration,
  compileGlob,
  decodeYaml,
  type FileSource,
  findViolations,
  matches,
  parseGlob,
} from './declaration/index.ts';
export {
  agentStrategy,
  agentStrategyProvider,
  datasource,
  datasourceProvider,
  endpoint,
  endpointProvider,
  event,
  MODEL_GROUPS,
  manifest,
  model,
  modelProvider,
  positionFile,
  tool,
  toolProvider,
  triggerProvider,
} from './declaration/shapes/index.ts';
export { parseYaml } from './yaml/index.ts';
