import { cycles } from './checks/cycles.ts';
import { doors } from './checks/doors.ts';
import { environment } from './checks/environment.ts';
import { layers } from './checks/layers.ts';
import { packageBorders } from './checks/package-borders.ts';
import { testsApart } from './checks/tests-apart.ts';
import type { House } from './house.ts';
import type { HouseRules } from './rules.ts';
import type { Check, Violation } from './violation.ts';

const checks: readonly Check[] = [cycles, doors, layers, packageBorders, environment, testsApart];

/** Every violation, in the order of the files. */
export function checkHouse(house: House, rules: HouseRules): Violation[] {
  return checks
    .flatMap((check) => check(house, rules))
    .sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}
