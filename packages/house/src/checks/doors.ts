import { posix } from 'node:path';
import { type House, isForTests } from '../house.ts';
import type { Check } from '../violation.ts';

/**
 * A folder with an `index.ts` is a room: whoever is outside imports that file and no other. A room inside a room has a door of its own, to
 * which one may go directly. A package's `src/` is a room for other packages alone. What a room offers tests (`testing.ts`, `testing/`,
 * `test-….ts`, `fake-….ts`) is a second door, for tests.
 */
export const doors: Check = (house, rules) =>
  [...house.files.values()].flatMap((file) =>
    file.links
      .filter(
        ({ target }) =>
          house.files.has(target) && !target.endsWith('/index.ts') && !Object.hasOwn(rules.sideDoors, target),
      )
      .filter(({ target }) => !(isForTests(file.path) && isForTests(target)))
      .flatMap(({ target, line }) => {
        const room = roomOf(house, target);
        if (room === undefined || file.path.startsWith(`${room}/`)) return [];
        return [
          {
            file: file.path,
            line,
            rule: 'through-the-door',
            found: `${target} is inside ${room}/, which has a door`,
            remedy: `import ${room}/index.ts, which exports what others need; or move what both need below both`,
          },
        ];
      }),
  );

/** The innermost room that a file is in. */
function roomOf(house: House, path: string): string | undefined {
  for (let folder = posix.dirname(path); folder.split('/').length > 3; folder = posix.dirname(folder)) {
    if (house.files.has(`${folder}/index.ts`)) return folder;
  }
  return undefined;
}
