/**
 * The rules of the house, as data, and a checker that reads the imports of every source file and says where one is broken. Owns
 * `rules.ts`, the table of layers and exceptions; reads files, writes nothing, and imports nothing of the other packages. Run by `npm run lint`.
 */
export { checkHouse } from './check.ts';
export { type House, readHouse } from './house.ts';
export { type HouseRules, rules } from './rules.ts';
export type { Violation } from './violation.ts';
