import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { byPart, missingCases, partOf, readComparison, report } from './differences.ts';

const OUTPUT = `/plugin/:tenant_id/dispatch/tool/invoke :: tool raise
    /body/code: expected -500 got 0
/plugin/:tenant_id/management/install/upload/package :: a :: strange name
    /status: expected 200 got 500
allowed to differ, but does not: /health/check :: health
300 same, 4 allowed, 2 different, 1 missing, 45 not recorded
`;

test('differences, counts and stale entries are read', () => {
  const comparison = readComparison(OUTPUT);
  expect(comparison.counts).toEqual({ same: 300, allowed: 4, different: 2, missing: 1, notRecorded: 45 });
  expect(comparison.differences).toEqual([
    { route: '/plugin/:tenant_id/dispatch/tool/invoke', case: 'tool raise', text: '/body/code: expected -500 got 0' },
    {
      route: '/plugin/:tenant_id/management/install/upload/package',
      case: 'a :: strange name',
      text: '/status: expected 200 got 500',
    },
  ]);
  expect(comparison.stale).toEqual(['/health/check :: health']);
});

test('a comparison that broke off is an error', () => {
  expect(() => readComparison('TypeError: x')).toThrow('did not come to its end');
});

test('each route belongs to a part', () => {
  expect(partOf('/e/:hook_id/*path')).toBe('endpoints');
  expect(partOf('/plugin/:tenant_id/management/install/tasks/:id')).toBe('installation');
  expect(partOf('inner API requests')).toBe('backwards invocation');
  expect(partOf('/health/check')).toBe('http');
  expect([...byPart(readComparison(OUTPUT).differences).keys()]).toEqual(['invocation', 'package intake']);
});

test('the report names every case', () => {
  const comparison = readComparison(OUTPUT);
  const text = report('Conformance', comparison.counts, comparison.differences, comparison.stale);
  expect(text).toContain('300 same, 4 deliberate, 2 different');
  expect(text).toContain('- **tool raise** /body/code: expected -500 got 0');
  expect(text).toContain('equal now: `/health/check :: health`');
});

test('cases that were never recorded are found, optional ones aside', () => {
  using expectedDirectory = mkdtempDisposableSync(join(tmpdir(), 'expected-'));
  using actualDirectory = mkdtempDisposableSync(join(tmpdir(), 'actual-'));
  const [expected, actual] = [expectedDirectory.path, actualDirectory.path];
  const cases = ['a', 'b', 'real maths', 'third party: x', 'install: just after'].map((name) => ({
    case: name,
    response: {},
  }));
  writeFileSync(join(expected, 'r.json'), JSON.stringify({ route: '/r', cases }));
  writeFileSync(join(actual, 'r.json'), JSON.stringify({ route: '/r', cases: cases.slice(0, 1) }));
  expect(missingCases(expected, actual).map((d) => d.case)).toEqual(['b']);
});
