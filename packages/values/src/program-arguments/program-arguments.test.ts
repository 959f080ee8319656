import { expect, test } from 'vitest';
import { readArguments } from './index.ts';

const program = {
  name: 'npm run measure',
  words: '[NAME…]',
  about: 'Measures.',
  options: {
    runs: { type: 'string', takes: 'N', default: '3', help: 'how often' },
    list: { type: 'boolean', short: 'l', default: false, help: 'shows the names' },
    json: { type: 'string', takes: 'FILE', help: 'where to' },
  },
} as const;

test('options and words are told apart; what is not given has its default', () => {
  expect(readArguments(program, ['tool', '--runs', '5', '-l', 'llm'])).toMatchObject({
    values: { runs: '5', list: true },
    words: ['tool', 'llm'],
  });
  expect(readArguments(program, [])).toMatchObject({ values: { runs: '3', list: false }, words: [] });
});

test.each([['--help'], ['-h'], ['tool', '--nope', '--help']])('%s shows every option', (...args) => {
  expect(readArguments(program, args)).toEqual({
    exitCode: 0,
    text: `npm run measure -- [NAME…] [OPTION…]

Measures.

  --runs N     how often (3)
  -l, --list   shows the names
  --json FILE  where to
  -h, --help   shows this
`,
  });
});

test.each([
  [['--nope'], "Unknown option '--nope'"],
  [['--runs'], "Option '--runs <value>' argument missing"],
  [['--runs', '--list'], "Option '--runs' argument is ambiguous"],
  [['--list=yes'], "Option '-l, --list' does not take an argument"],
])('%j is refused with one line', (args, problem) => {
  expect(readArguments(program, args)).toEqual({
    exitCode: 2,
    text: `npm run measure: ${problem}; --help shows what there is\n`,
  });
});

test('what follows -- is not asked for help, and a program without words takes none', () => {
  expect(readArguments(program, ['--', '--help'])).toMatchObject({ words: ['--help'] });
  const { words: _, ...wordless } = program;
  expect(readArguments(wordless, ['tool'])).toMatchObject({ exitCode: 2, text: expect.stringContaining("'tool'") });
});
