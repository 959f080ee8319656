import { expect, test } from 'vitest';
import type { Run, RunFailure, RunFile } from './run.ts';
import { failedFiles, failureText, slowest, stillFailing } from './verdict.ts';

const failure = (name: string, error = 'Error: no'): RunFailure => ({ name, errors: [error] });
const file = (path: string, failed: readonly RunFailure[], passed: readonly string[] = []): RunFile => ({
  path,
  seconds: 1,
  passed,
  failed,
});
const run = (files: readonly RunFile[], errors: readonly string[] = []): Run => ({ files, errors });

const first = run([file('a.test.ts', [failure('one')], ['two']), file('b.test.ts', [], ['three'])]);

test('only the files that failed are tried again', () => {
  expect(failedFiles(first)).toEqual(['a.test.ts']);
  expect(failedFiles(run([file('b.test.ts', [], ['three'])]))).toEqual([]);
});

test('what belongs to no file, and what fails everywhere, is not tried again', () => {
  expect(failedFiles({ ...first, errors: ['Error: stray'] })).toEqual([]);
  expect(failedFiles(run(Array.from({ length: 13 }, (_, n) => file(`${n}.test.ts`, [failure('x')]))))).toEqual([]);
});

test.each<[what: string, second: Run, open: readonly string[]]>([
  ['passes', run([file('a.test.ts', [], ['one', 'two'])]), []],
  ['fails', run([file('a.test.ts', [failure('one')], ['two'])]), ['a.test.ts > one']],
  ['passes and fails under the same name', run([file('a.test.ts', [failure('one')], ['one'])]), ['a.test.ts > one']],
  ['is skipped', run([file('a.test.ts', [], ['two'])]), ['a.test.ts > one']],
  ['passes beside one that fails now', run([file('a.test.ts', [failure('two')], ['one'])]), ['a.test.ts > two']],
  ['is not there', run([]), ['a.test.ts > one']],
  ['passes beside a stray error', run([file('a.test.ts', [], ['one'])], ['Error: x\nat y']), ['Error: x']],
])('a test that %s the second time', (_what, second, open) => {
  expect(stillFailing(first, second)).toEqual(open);
});

test('a text names every failure, and shows the first lines of some', () => {
  const failures = Array.from({ length: 20 }, (_, n) =>
    failure(`test ${n}`, `\u001b[31mError ${n}\u001b[39m\n\n${'x\n'.repeat(99)}`),
  );
  const text = failureText(run([file('a.test.ts', failures)])).split('\n');
  expect(text.filter((line) => line.startsWith('✗'))).toHaveLength(20);
  expect(text.slice(0, 2)).toEqual(['✗ a.test.ts > test 0', '    Error 0']);
  expect(text.length).toBeLessThan(150);
  expect(failureText(run([], ['Error: stray']))).toBe('✗ an error that belongs to no file\n    Error: stray');
});

test('the slowest come first', () => {
  const files = [3, 10, 7].map((seconds) => ({ ...file(`${seconds}.test.ts`, []), seconds }));
  expect(slowest(run(files), 2)).toEqual(['    10 10.test.ts', '     7 7.test.ts']);
});
