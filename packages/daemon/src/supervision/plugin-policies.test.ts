import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PluginPolicies, readPolicy } from './plugin-policies.ts';
import { fakeLog, testPolicy } from './testing.ts';

const IDENTIFIER = `acme/a:0.0.1@${'a'.repeat(64)}`;
let folder: string;
let file: string;
let notes: Map<string, string>;
let broken: Error | undefined;
let changes: number;
let told: number;
let lines: string[];
let policies: PluginPolicies;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'policies-'));
  file = join(folder, 'plugin-policies.json');
  notes = new Map();
  broken = undefined;
  changes = 0;
  told = 0;
  const log = fakeLog();
  lines = log.lines;
  policies = new PluginPolicies({
    base: { ...testPolicy({ idleMs: 300_000 }), callsPerMinute: 0, failuresToOpen: 0, openSeconds: 30 },
    file,
    notes: {
      list: async () => {
        if (broken !== undefined) throw broken;
        return new Map(notes);
      },
      write: async (_kind, pluginId, value) => void notes.set(pluginId, value),
      delete: async (_kind, pluginId) => notes.delete(pluginId),
    },
    log: log.log,
    onChanged: () => changes++,
    tellOthers: () => told++,
  });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the settings count until something is said; the API counts more than the file, field by field', async () => {
  await policies.look();
  expect(policies.policyOf(IDENTIFIER)).toEqual(testPolicy({ idleMs: 300_000 }));
  writeFileSync(file, JSON.stringify({ 'acme/a': { min: 1, max: 3, idle_seconds: 0 }, 'acme/b': { queue_max: 0 } }));
  await policies.look();
  expect(policies.policyOf(IDENTIFIER)).toEqual(testPolicy({ min: 1, max: 3, idleMs: undefined }));
  await policies.set('acme/a', { max: 5, calls_target: 2 });
  expect(policies.policyOf(IDENTIFIER)).toEqual(testPolicy({ min: 1, max: 5, target: 2, idleMs: undefined }));
  expect(policies.list()).toEqual([
    { plugin_id: 'acme/a', from: 'api', policy: { max: 5, calls_target: 2 } },
    { plugin_id: 'acme/a', from: 'file', policy: { min: 1, max: 3, idle_seconds: 0 } },
    { plugin_id: 'acme/b', from: 'file', policy: { queue_max: 0 } },
  ]);
  await policies.set('acme/a', {});
  rmSync(file);
  await policies.look();
  expect(policies.policyOf(IDENTIFIER)).toEqual(testPolicy({ idleMs: 300_000 }));
  expect([changes, told]).toEqual([4, 2]);
});

test('a minimum above the maximum of the settings raises it, a maximum below their minimum lowers that', async () => {
  await policies.set('acme/a', { min: 3 });
  expect(policies.policyOf(IDENTIFIER)).toMatchObject({ min: 3, max: 3 });
});

test.each([
  '{',
  '[]',
  '{"acme/a":7}',
  '{"acme/a":{"min":-1}}',
  '{"acme/a":{"mni":1}}',
  '{"acme/a":{"min":2,"max":1}}',
  '{"acme/a:0.0.1":{"min":2}}',
])('a broken file (%s) is told once and changes nothing', async (text) => {
  writeFileSync(file, '{"acme/a":{"min":1}}');
  await policies.look();
  writeFileSync(file, text);
  await policies.look();
  await policies.look();
  expect(lines.filter((line) => line.includes('do not count'))).toHaveLength(1);
  expect(policies.policyOf(IDENTIFIER).min).toBe(1);
});

test('the calls of one plugin are limited where that is said of it alone', async () => {
  expect(policies.limitsAny).toBe(false);
  writeFileSync(file, JSON.stringify({ 'acme/a': { calls_per_minute: 5 } }));
  await policies.look();
  expect(policies.limitsAny).toBe(true);
  const limits = policies.limitsOf('acme/a');
  expect(limits).toEqual({ callsPerMinute: 5, failuresToOpen: 0, openSeconds: 30 });
  expect(policies.limitsOf('acme/a')).toBe(limits);
  await policies.set('acme/a', { breaker_failures: 3, breaker_open_seconds: 1 });
  expect(policies.limitsOf('acme/a')).toEqual({ callsPerMinute: 5, failuresToOpen: 3, openSeconds: 1 });
  expect(policies.limitsOf('acme/b')).toEqual({ callsPerMinute: 0, failuresToOpen: 0, openSeconds: 30 });
  await policies.set('acme/a', {});
  rmSync(file);
  await policies.look();
  expect(policies.limitsAny).toBe(false);
});

test('a row that is not understood is left out, and the others count', async () => {
  notes.set('acme/b', '{"min":1,"of_a_newer_version":2}').set('acme/c', '{').set('acme/a', '{"min":1}');
  await policies.look();
  await policies.look();
  expect(policies.policyOf(IDENTIFIER).min).toBe(1);
  expect(policies.list().map(({ plugin_id }) => plugin_id)).toEqual(['acme/a']);
  expect(lines.filter((line) => line.includes('what was said of this plugin does not count'))).toHaveLength(2);
});

test('while the database does not answer what was said holds', async () => {
  await policies.set('acme/a', { min: 1 });
  broken = new Error('database is gone');
  await policies.look();
  expect(policies.policyOf(IDENTIFIER).min).toBe(1);
});

test('what is said is checked field by field', () => {
  expect(readPolicy({ min: 1, max: null })).toEqual({ min: 1 });
  expect(() => readPolicy({ min: 1.5 })).toThrow('min is not a whole number from 0 to 64');
  expect(() => readPolicy({ max: 0 })).toThrow('from 1 to 64');
  expect(() => readPolicy(null)).toThrow('an object');
});
