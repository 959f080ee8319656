import { expect, test } from 'vitest';
import { compareVersions } from './version.ts';

test('versions are ordered as PEP 440 orders them', () => {
  const ordered = [
    '0.0.1.dev1',
    '0.0.1a1',
    '0.0.1b8',
    '0.0.1b69',
    '0.0.1b70.dev2',
    '0.0.1b70',
    '0.0.1rc1',
    '0.0.1',
    '0.0.1.post1',
    '0.1.0',
    '0.1.1',
    '0.1.10',
    '0.9.0',
    '1.0',
    '1!0.1',
  ];
  for (const [i, left] of ordered.entries()) {
    for (const [j, right] of ordered.entries()) {
      expect(Math.sign(compareVersions(left, right) ?? Number.NaN), `${left} ${right}`).toBe(Math.sign(i - j));
    }
  }
});

test('spellings of one version are equal, other texts are no versions', () => {
  expect(compareVersions('v0.1', '0.1.0+local')).toBe(0);
  expect(compareVersions('0.1-beta.2', '0.1b2')).toBe(0);
  expect(compareVersions('0.1', 'newest')).toBeUndefined();
  expect(compareVersions('', '0.1')).toBeUndefined();
});
