export interface Plugin {
  readonly identifier: string;
  /** Ids of the nodes where it runs or starts. */
  readonly homes: Set<string>;
  /** The node where it started last. */
  last: string | undefined;
}

export interface Call {
  readonly plugin: Plugin;
  /** The node that the balancer chose. */
  readonly entry: string;
  readonly workMs: number;
  /** Nodes that did not take it. */
  readonly tried: Set<string>;
  /** The node that took it. */
  at: string | undefined;
  /** Answered, refused or lost. */
  ended: boolean;
}
