import { type House, isForTests, type SourceFile } from '../house.ts';
import type { HouseRules } from '../rules.ts';
import type { Check, Violation } from '../violation.ts';

/** Imports point downwards, in the order of the table. Tests may use what is above them. */
export const layers: Check = (house, rules) => [
  ...[...house.files.values()].flatMap((file) => upward(file, rules)),
  ...notInTheTable(house, rules),
];

function upward(file: SourceFile, rules: HouseRules): Violation[] {
  const order = rules.layers[file.package];
  const own = placeOf(file.path);
  if (order === undefined || own === undefined || isForTests(file.path)) return [];
  const height = (place: string) => order.findIndex((layer) => layer.includes(place));
  return file.links.flatMap(({ target, line }) => {
    const place = placeOf(target);
    if (place === undefined || place === own || !target.startsWith(`packages/${file.package}/`)) return [];
    if (height(own) === -1 || height(place) < height(own)) return [];
    return [
      {
        file: file.path,
        line,
        rule: 'downwards-only',
        found: `${own} imports ${place}, which is ${height(place) === height(own) ? 'beside' : 'above'} it`,
        remedy:
          'move what is needed down, or hand it in from above; the order is the table in packages/house/src/rules.ts',
      },
    ];
  });
}

/** What is new has to be given its height. */
function notInTheTable(house: House, rules: HouseRules): Violation[] {
  const seen = new Set<string>();
  return [...house.files.values()].flatMap((file) => {
    const order = rules.layers[file.package];
    const place = placeOf(file.path);
    if (order === undefined || place === undefined || isForTests(file.path)) return [];
    if (seen.has(`${file.package}/${place}`) || order.some((layer) => layer.includes(place))) return [];
    seen.add(`${file.package}/${place}`);
    return [
      {
        file: file.path,
        line: 1,
        rule: 'downwards-only',
        found: `${place} is not in the table of layers`,
        remedy: `say in packages/house/src/rules.ts what ${place} stands on: one place, above all that it imports`,
      },
    ];
  });
}

/** The folder or file directly below `src/`. */
function placeOf(path: string): string | undefined {
  const [, , folder, place] = path.split('/');
  return folder === 'src' ? place : undefined;
}
