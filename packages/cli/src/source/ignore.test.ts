import { expect, test } from 'vitest';
import { compileRule, DEFAULT_EXCLUDES, ignoredBy, parseIgnoreFile } from './ignore.ts';

const RULES = parseIgnoreFile(
  '  *.log  \r\n\n# comment\nbuild/\n/notes.md\nlogs/**\n\\#hash\na/**/z\n*.s[ao]\n[broken\n',
  'x',
);
const ignored = (path: string, directory = false): boolean =>
  ignoredBy(RULES, path.split('/'), directory) !== undefined;

test.each([
  'top.log',
  'a/b/f.log',
  'build/x/y',
  'notes.md',
  'logs/z',
  '#hash',
  'a/z',
  'a/b/c/z',
  'lib/x.so',
  'build/x.txt',
])('%s is left out', (path) => {
  expect(ignored(path)).toBe(true);
});

test.each(['keep/me.txt', '.difyignore', '.git/config', 'a/notes.md', 'x/a/z', 'x.se', 'b/[broken'])(
  '%s is packed',
  (path) => {
    expect(ignored(path)).toBe(false);
  },
);

test('a pattern for folders matches folders alone', () => {
  expect(ignored('build', true)).toBe(true);
  expect(ignored('build', false)).toBe(false);
});

test('the last rule decides, so that exceptions work', () => {
  const rules = parseIgnoreFile('*.md\n!README.md\n', 'x');
  expect(ignoredBy(rules, ['notes.md'], false)?.pattern).toBe('*.md');
  expect(ignoredBy(rules, ['README.md'], false)).toBeUndefined();
  const own = [...DEFAULT_EXCLUDES.map((pattern) => compileRule(pattern, 'default')), ...parseIgnoreFile('!.env', 'x')];
  expect(ignoredBy(own, ['.env'], false)).toBeUndefined();
  expect(ignoredBy(own, ['.venv'], true)).toBeDefined();
});
