import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCitations, readRepository } from './index.ts';

const contract = {
  path: 'docs/wire/http-api.md',
  text: '# HTTP\n\n## Envelope and errors\n\n```\n## no heading\n```\n## Envelope and errors\n',
};

function problemsOf(text: string, path = 'packages/daemon/src/x.ts'): string[] {
  return checkCitations([contract, { path, text }]).map(({ line, problem }) => `${line}: ${problem}`);
}

test('whatever this repository cites is in it', () => {
  const files = readRepository(join(import.meta.dirname, '../../../..'));
  expect(files.some(({ path }) => path === 'docs/wire/http-api.md')).toBe(true);
  expect(checkCitations(files)).toEqual([]);
});

test.each([
  'docs/wire/http-api.md',
  'docs/wire/http-api.md#envelope-and-errors',
  'docs/wire/http-api.md#envelope-and-errors-1',
])('a heading that is there may be cited: %s', (citation) => {
  expect(problemsOf(`/** Why it is so (${citation}). */`)).toEqual([]);
});

test.each([
  ['docs/wire/http.md', '1: cites docs/wire/http.md, which is not there'],
  ['docs/wire/http-api.md#envelopes', '1: cites docs/wire/http-api.md#envelopes: no such heading'],
  ['docs/wire/http-api.md#no-heading', '1: cites docs/wire/http-api.md#no-heading: no such heading'],
])('one that is not is named: %s', (citation, problem) => {
  expect(problemsOf(`// ${citation}`)).toEqual([problem]);
  expect(problemsOf(`const message = 'see ${citation}';`)).toEqual([problem]);
});

// Put together here, because this file is looked at as well.
const sign = '\u00a7';
test.each([
  `// as in http-api ${sign}4.1`,
  ` * (runtime-protocols ${sign} 6)`,
  `/** (${'quirk'} 30) */`,
  `const limit = 5; // ${'Quirk'} D16`,
  ` * Never twice (${'Q'}-17).`,
  ` * Written first (${'T'}1, ${'T'}2).`,
  ` * packages.md ${'section'} 7`,
  `// ${'lifecycle-and'}-cluster`,
])('a document that is not here may not be cited: %s', (line) => {
  expect(problemsOf(`\n${line}`)).toEqual([expect.stringMatching(/^2: cites a .*: cite a heading of docs\/wire\//)]);
});

test.each([`// RFC 9112 ${'section'} 3.2.2`, 'const question = "Q-17";', '// what sections are for'])(
  'what everybody can read, and what is no comment, may stand: %s',
  (line) => {
    expect(problemsOf(line)).toEqual([]);
  },
);

test('links of documents are followed from where they stand', () => {
  const at = 'docs/operations.md';
  expect(
    problemsOf('[a](wire/http-api.md#envelope-and-errors) [b](../docs) [c](https://example.org/x.md#y)', at),
  ).toEqual([]);
  expect(problemsOf('[a](http-api.md)', at)).toEqual(['1: cites docs/http-api.md, which is not there']);
  expect(problemsOf('# Here\n[a](#here) [b](#there)', at)).toEqual([
    '2: cites docs/operations.md#there: no such heading',
  ]);
});

describe('commands and paths in prose', () => {
  const files = [
    { path: 'package.json', text: '{"scripts":{"bench":"node x.ts","start":"node y.ts"}}' },
    { path: 'packages/cli/package.json', text: '{"scripts":{"build":"node build.ts"}}' },
    { path: 'packages/cli/src/main.ts', text: '' },
    { path: 'docs/cli.md', text: '## dify plugin install\n\nAlso: `dify plugin upload`.\n' },
  ];
  const problems = (text: string) =>
    checkCitations([...files, { path: 'docs/operations.md', text }]).map(({ problem }) => problem);

  test.each([
    '`npm run bench -- memory`, `npm start`',
    'npm run build -w packages/cli',
    '`npx dify plugin install x`, `dify plugin upload`, the dify plugin daemon',
    'see `packages/cli/src/main.ts`, `packages/cli` and what is made: `packages/cli/dist/dify.js`',
  ])('what is there may be told: %s', (line) => expect(problems(line)).toEqual([]));

  test.each([
    ['npm run benches', 'tells to run npm run benches, which is no script of package.json'],
    ['npm test', 'tells to run npm test, which is no script of package.json'],
    ['npm run bench -w packages/cli', 'tells to run npm run bench -w packages/cli, which is no script of package.json'],
    ['`dify plugin instal`', 'tells to run dify plugin instal, which is no command of docs/cli.md'],
    ['`packages/cli/src/mian.ts`', 'names packages/cli/src/mian.ts, which is not there'],
    ['.ci/own', 'names .ci/own, which is not there'],
  ])('what is not is named: %s', (line, problem) => expect(problems(line)).toEqual([problem]));
});
