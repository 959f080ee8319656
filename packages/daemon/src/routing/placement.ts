import type { RuntimeType } from '@plugin-daemon/plugin-host/runtimes';
import type { StoredDeclaration } from '../database/index.ts';

/** The machine that runs a plugin. */
export type Whereabouts =
  /** This daemon itself, as a process or behind a debugging connection. */
  | { readonly at: 'here' }
  /** Another daemon of the same installation. */
  | { readonly at: 'node'; readonly nodeId: string }
  /** A function of a cloud. */
  | { readonly at: 'function'; readonly url: string };

/** Where the calls of a plugin go. */
export interface Placement {
  /** The plugin unique identifier. */
  readonly identifier: string;
  readonly runtimeType: RuntimeType;
  readonly where: Whereabouts;
  /** What the plugin declares, read when it is asked for: most calls know it already. Undefined if it is stored nowhere. */
  readonly declaration: () => Promise<StoredDeclaration | undefined>;
}
