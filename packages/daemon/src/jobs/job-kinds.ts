/** Every kind of job: what is done on demand, under a name, and what recurs. */

interface OnDemand {
  readonly recurs: false;
}

interface Recurring {
  readonly recurs: true;
  /** From the beginning of one round to that of the next. */
  readonly everyMs: number;
}

const onDemand: OnDemand = { recurs: false };
const every = (everyMs: number): Recurring => ({ recurs: true, everyMs });

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

export const jobKinds = {
  /** Makes a plugin version ready and writes the rows of whoever waits for it. The name is the version's unique identifier. */
  install: onDemand,
  /** Takes install tasks over whose node is gone, and forgets finished ones. */
  'install-tasks': every(5 * SECOND_MS),
  /** Removes what is left of debugging connections of nodes that are gone. */
  debugging: every(10 * SECOND_MS),
  /** Forgets audit events that are old enough. */
  audit: every(24 * HOUR_MS),
  /** Removes packages that nobody refers to. */
  packages: every(6 * HOUR_MS),
} as const satisfies Record<string, OnDemand | Recurring>;

export type JobKind = keyof typeof jobKinds;
/** What a job is called among those of its kind; recurring ones are called like their kind. */
export type JobName = string;

type KindsThat<Recurs extends boolean> = {
  [Kind in JobKind]: (typeof jobKinds)[Kind]['recurs'] extends Recurs ? Kind : never;
}[JobKind];
export type OnDemandKind = KindsThat<false>;
export type RecurringKind = KindsThat<true>;

const names = Object.entries(jobKinds);

export const recurringKinds: readonly { readonly kind: JobKind; readonly everyMs: number }[] = names.flatMap(
  // The keys of the table.
  ([kind, spec]) => (spec.recurs ? [{ kind: kind as JobKind, everyMs: spec.everyMs }] : []),
);

export const isJobKind = (kind: string): kind is JobKind => Object.hasOwn(jobKinds, kind);
