import { posix } from 'node:path';
import type { House, SourceFile } from '../house.ts';
import type { HouseRules } from '../rules.ts';
import type { Check, Violation } from '../violation.ts';

/** Packages reach each other by name, through their `exports`, downwards, and only where `package.json` says so. */
export const packageBorders: Check = (house, rules) =>
  [...house.files.values()].flatMap((file) => [...relative(file), ...byName(house, file, rules)]);

function relative(file: SourceFile): Violation[] {
  return file.links
    .filter(({ target }) => !target.startsWith(`packages/${file.package}/`))
    .map(({ target, line }) => ({
      file: file.path,
      line,
      rule: 'package-borders',
      found: `${target} belongs to another package`,
      remedy: 'import the package by its name, and export there what is needed here',
    }));
}

function byName(house: House, file: SourceFile, rules: HouseRules): Violation[] {
  const own = house.packages.get(file.package);
  return file.bare.flatMap(({ specifier, line }) => {
    const found = [...house.packages].find(([, { name }]) => specifier === name || specifier.startsWith(`${name}/`));
    if (found === undefined) return [];
    const [folder, { name, exports }] = found;
    const say = (what: string, remedy: string): Violation => ({
      file: file.path,
      line,
      rule: 'package-borders',
      found: what,
      remedy,
    });
    const problems: Violation[] = [];
    if (folder !== file.package && !own?.dependencies.includes(name)) {
      problems.push(say(`${name} is not among the dependencies`, `name it in packages/${file.package}/package.json`));
    }
    if (!exports.includes(posix.join('.', specifier.slice(name.length)).replace(/^(?!\.$)/, './'))) {
      problems.push(say(`${specifier} is not exported`, `import ${name}, whose door exports what others need`));
    }
    if (rules.packages.indexOf(folder) >= rules.packages.indexOf(file.package)) {
      problems.push(
        say(
          `the package ${file.package} imports ${folder}, which does not stand below it`,
          'move what is needed down; the order is the table in packages/house/src/rules.ts',
        ),
      );
    }
    return problems;
  });
}
