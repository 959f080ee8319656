import { describe, expect, test } from 'vitest';
import { StoredDeclaration } from '../index.ts';
import { endpointRecord, installationRecord, installTaskRecord } from './rows.ts';

const times = { created_at: null, updated_at: null };
const ids = { id: 'i', tenant_id: 't', plugin_id: 'a/b', plugin_unique_identifier: 'a/b:1' };

/** What stands in columns of JSON after years, disks and people. */
const odd: readonly (string | null)[] = [
  null,
  '',
  ' ',
  '{',
  '[',
  'NaN',
  'null',
  '7',
  '"x"',
  '[1,null,"x"]',
  '{"a":1}{"b":2}',
  '\ufeff{}',
  '\0',
  '['.repeat(100_000),
  `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
];

describe.each(odd.map((text) => [text?.slice(0, 12) ?? null, text] as const))('a row that holds %j', (_shown, text) => {
  test('is an installation, an endpoint, a task like any other', () => {
    const installation = { ...ids, ...times, runtime_type: null, endpoints_setups: null, endpoints_active: null };
    expect(installationRecord({ ...installation, source: null, meta: text }).meta).toEqual({});
    const endpoint = { ...ids, ...times, name: null, hook_id: 'h', user_id: null, expired_at: null, enabled: null };
    expect(endpointRecord({ ...endpoint, settings: text }).settings).toEqual({});
    const task = { ...ids, ...times, status: 'running', total_plugins: 1, completed_plugins: 0 };
    for (const item of installTaskRecord({ ...task, plugins: text }).plugins)
      expect(item).toMatchObject({ plugin_unique_identifier: '', status: 'failed' });
  });

  test('as a declaration says what is wrong, and what to do', () => {
    const stored = new StoredDeclaration('a/b:1', 'a/b', text ?? '');
    let outcome: unknown;
    try {
      outcome = stored.value;
    } catch (error) {
      outcome = error;
    }
    expect(outcome).toSatisfy(
      (value) =>
        (value instanceof Error && 'remedy' in value && value.message.includes('the stored declaration of a/b:1')) ||
        (typeof value === 'object' && value !== null && !(value instanceof Error)),
    );
  });
});
