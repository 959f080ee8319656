import { isForTests } from '../house.ts';
import { LineNumbers } from '../imports.ts';
import type { Check } from '../violation.ts';

const READ = /\bprocess\s*\.\s*env\b|\{[^}\n]*\benv\b[^}\n]*\}\s*=\s*process\b|\bprocess\s*\[\s*'env'\s*\]/g;
const COMMENT = /^\s*(?:\/\/|\/?\*)/;

/** Parts are handed what they need; the environment is read where the table says, and by tests. */
export const environment: Check = (house, rules) => [
  ...[...house.files.values()]
    .filter(({ path }) => !isForTests(path) && !Object.hasOwn(rules.environmentReaders, path))
    .flatMap(({ path, text }) => {
      const lines = new LineNumbers(text);
      return [...text.matchAll(READ)]
        .filter(({ index }) => !COMMENT.test(lines.textAt(index)))
        .map(({ index }) => ({
          file: path,
          line: lines.of(index),
          rule: 'no-environment',
          found: 'the environment is read',
          remedy:
            'take the value as a parameter or an option; only programs and config/ read the environment (packages/house/src/rules.ts)',
        }));
    }),
  ...Object.keys(rules.environmentReaders)
    .filter((path) => !READ_ONCE.test(house.files.get(path)?.text ?? ''))
    .map((path) => ({
      file: path,
      line: 1,
      rule: 'no-environment',
      found: 'may read the environment, but does not',
      remedy: 'remove it from the table in packages/house/src/rules.ts',
    })),
];

const READ_ONCE = new RegExp(READ.source);
