/** Where nodes write down that they are there. One driver per folder; `conformance.suite.ts` runs over each of them. */

/** `''` for what a node tells of itself, else one of `entryParts`: the plugins ready there whose fingerprint begins so. */
export type EntryPart = string;

/** What a node tells of itself. Its plugins are told in parts, so that a change of one costs the others a few of them and not all. */
export interface EntryChange {
  /** It is told anew as a whole: parts that are not among these are empty. */
  readonly whole: boolean;
  /** Text of each part that changed, of at most 1 MiB. */
  readonly parts: ReadonlyMap<EntryPart, string>;
}

export interface Renewal {
  readonly id: string;
  /** Of our entry, what is new or changed. */
  readonly entry: EntryChange | undefined;
  /** Open calls. */
  readonly load: number;
  /** How long the others believe in us without another renewal. */
  readonly leaseMs: number;
  /** The revision of what is known here; 0 for nothing. */
  readonly known: number;
}

export interface Renewed {
  /** false: nothing is known of us, and no whole entry was given. Nothing was renewed. */
  readonly accepted: boolean;
  /** Of what follows, for the next renewal. */
  readonly revision: number;
  /** Every node with a lease, us included. */
  readonly alive: readonly { readonly id: string; readonly load: number }[];
  /** Parts of entries written after the revision that was known, ours included, in no order. */
  readonly changed: readonly { readonly id: string; readonly part: EntryPart; readonly text: string }[];
  /** The clock by which leases are judged, in ms since 1970. */
  readonly now: number;
}

export interface NodeDirectory {
  /** Joins or renews, forgets nodes whose lease ran out, and tells what the others have written since. @throws when it cannot be reached */
  renew(renewal: Renewal): Promise<Renewed>;
  /** Signs off. */
  leave(id: string): Promise<void>;
  /** Told when some node says that others should look now; may be late, or missed. @returns ends it */
  watch(listener: () => void): () => void;
  /** Says so. Never throws. */
  announce(): void;
}
