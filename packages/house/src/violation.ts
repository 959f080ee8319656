import type { House } from './house.ts';
import type { HouseRules } from './rules.ts';

export interface Violation {
  readonly file: string;
  readonly line: number;
  /** Name of the rule, as printed. */
  readonly rule: string;
  readonly found: string;
  readonly remedy: string;
}

/** One rule: all places where the house breaks it. */
export type Check = (house: House, rules: HouseRules) => readonly Violation[];
