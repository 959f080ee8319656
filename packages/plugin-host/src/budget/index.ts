/**
 * Budgets of bytes: what strangers can make the daemon keep is counted by kind, for each owner (a plugin, a tenant, an address) and
 * in all.
 *
 * Owns the counting and the words of a refusal, and nothing that is counted. A part that keeps foreign bytes gets a budget through its
 * constructor, made in compose/ from a setting. Where the sender can be made to wait, `acquire` before reading; where it cannot, grow
 * a `room` and refuse with its limit named.
 */

export { type BudgetSpec, ByteBudget } from './byte-budget.ts';
export type { Exceeded, Room } from './room.ts';
