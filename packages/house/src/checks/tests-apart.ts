import { isForTests } from '../house.ts';
import type { Check } from '../violation.ts';

/** What is there for tests is not part of the product. */
export const testsApart: Check = (house) =>
  [...house.files.values()]
    .filter(({ path }) => !isForTests(path))
    .flatMap(({ path, links }) =>
      links
        .filter(({ target }) => house.files.has(target) && isForTests(target))
        .map(({ target, line }) => ({
          file: path,
          line,
          rule: 'tests-apart',
          found: `${target} is there for tests`,
          remedy: 'move what the product needs out of it, or give the file a name without "test", "testing" or "fake"',
        })),
    );
