/** Where nodes write down that they are there. One driver per folder; `conformance.suite.ts` runs over each of them. */

export interface Renewal {
  readonly id: string;
  /** Our entry, when it is new or changed: text of at most 1 MiB. */
  readonly entry: string | undefined;
  /** Open calls. */
  readonly load: number;
  /** How long the others believe in us without another renewal. */
  readonly leaseMs: number;
  /** The revision of what is known here; 0 for nothing. */
  readonly known: number;
}

export interface Renewed {
  /** false: nothing is known of us, and no entry was given. Nothing was renewed. */
  readonly accepted: boolean;
  /** Of what follows, for the next renewal. */
  readonly revision: number;
  /** Every node with a lease, us included. */
  readonly alive: readonly { readonly id: string; readonly load: number }[];
  /** Entries written after the revision that was known, ours included. */
  readonly changed: readonly { readonly id: string; readonly entry: string }[];
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
