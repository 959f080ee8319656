/** `node packages/house/src/main.ts [folder]`: prints what breaks the rules of the house and fails if anything does. */
import { checkHouse } from './check.ts';
import { readHouse } from './house.ts';
import { rules } from './rules.ts';

const house = readHouse(process.argv[2] ?? '.');
const violations = checkHouse(house, rules);
for (const { file, line, rule, found, remedy } of violations) {
  console.error(`${file}:${line} ${rule}: ${found}\n  → ${remedy}`);
}
if (violations.length === 0) console.log(`The house: ${house.files.size} files keep its rules.`);
else {
  console.error(`\n${violations.length} place${violations.length === 1 ? '' : 's'} break the rules of the house.`);
  process.exitCode = 1;
}
