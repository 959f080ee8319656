import type { YamlNode } from '../yaml/index.ts';
import type { ModelPosition } from './types.ts';

/** A path that a file names, with the place where it does. */
export interface FileReference {
  readonly path: string;
  readonly at: number;
}

/** What a provider file says besides its values: the files that hold the rest of it. */
export interface References {
  /** tool, endpoint, strategy, datasource or event files, in order */
  readonly files: FileReference[];
  /** set when `models` is a map */
  modelMap: boolean;
  readonly positions: Map<keyof ModelPosition, FileReference>;
  /** globs over the package's files, in order */
  readonly modelGlobs: FileReference[];
}

export function noReferences(): References {
  return { files: [], modelMap: false, positions: new Map(), modelGlobs: [] };
}

/** Nodes that are no scalars have no text; what they name is then looked for under an empty name. */
export function reference(node: YamlNode): FileReference {
  return { path: node.kind === 'scalar' ? node.text : '', at: node.at };
}

export function isModelGroup(name: string): name is keyof ModelPosition {
  return ['llm', 'text_embedding', 'tts', 'speech2text', 'moderation', 'rerank'].includes(name);
}
