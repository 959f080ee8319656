/**
 * Inside view of the formats for tools that check plugins: YAML with positions, the tables of fields and rules, and the
 * assembly of a declaration from any set of files. Called by the command line tool; everyone else uses index.ts.
 */
export { checksumOf } from './archive/checksum.ts';
export { type Assembled, assembleDeclaration, type FileSource } from './declaration/assemble.ts';
export { decodeYaml } from './declaration/decode-yaml.ts';
export { compileGlob, matches, parseGlob } from './declaration/glob.ts';
export type { FieldNode, ObjectShape, Rule, ShapeNode } from './declaration/shape.ts';
export { agentStrategy, agentStrategyProvider } from './declaration/shapes/agent-strategy.ts';
export { datasource, datasourceProvider } from './declaration/shapes/datasource.ts';
export { endpoint, endpointProvider } from './declaration/shapes/endpoint.ts';
export { manifest } from './declaration/shapes/manifest.ts';
export { MODEL_GROUPS, model, modelProvider, positionFile } from './declaration/shapes/model.ts';
export { tool, toolProvider } from './declaration/shapes/tool.ts';
export { event, triggerProvider } from './declaration/shapes/trigger.ts';
export { findViolations } from './declaration/validate.ts';
export { parseYaml } from './yaml/tree.ts';
