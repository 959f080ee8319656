import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { expect, test } from 'vitest';
import { outward, PluginFailure } from './failure.ts';
import { RecentFailures } from './recent-failures.ts';

function log() {
  const lines: [string, Record<string, unknown>][] = [];
  const at = (level: string) => (fields: object, _message: string) => void lines.push([level, { ...fields }]);
  return { lines, warn: at('warn'), error: at('error') };
}

const about = { tenant_id: 't', endpoint_id: 'e', plugin: 'acme/hooks:0.0.1@abc' };
const SECRET = 'postgres://admin:hunter2@db at /data/cwd/acme/main.py';

test.each([
  ['a plugin that fails', new PluginFailure(JSON.stringify({ error_type: 'X', message: SECRET })), 'warn'],
  ['a plugin that does not start', new DaemonError('runtime-unavailable', SECRET), 'warn'],
  ['the daemon', new DaemonError('internal', 'x', { remedy: SECRET }), 'error'],
])('what %s says is told to the log, and an id to the caller', (_who, error, level) => {
  const told = log();
  const recent = new RecentFailures();
  const shown = outward(error, about, told, recent);
  expect(shown).toMatchObject({ kind: 'internal', status: 500 });
  expect(JSON.stringify([shown.wireMessage, shown.args])).not.toContain('hunter2');
  const [entry] = told.lines;
  expect(entry?.[0]).toBe(level);
  expect(entry?.[1]).toMatchObject({ tenant_id: 't', error: error.wireMessage, error_id: shown.args?.['error_id'] });
  const id = String(shown.args?.['error_id']);
  expect(shown.message).toContain(id);
  expect(recent.find('t', id)).toMatchObject({ endpoint_id: 'e', error: error.wireMessage });
  expect(recent.find('another', id)).toBeUndefined();
});

test.each([
  new DaemonError('bad-request', 'endpoint not found', { status: 404 }),
  new DaemonError('not-routable', 'no available node, plugin runtime not found'),
  new DaemonError('too-large', 'larger than 5 bytes'),
  new DaemonError('over-budget', 'there is no room'),
  new DaemonError('internal', 'killed by timeout', { status: 504 }),
])('what the daemon says to callers stays (%s)', (error) => {
  const told = log();
  expect(outward(error, about, told, new RecentFailures())).toBe(error);
  expect(told.lines).toEqual([]);
});

test('what strangers can make us remember is bounded in number and length', () => {
  const recent = new RecentFailures();
  const failure = (error_id: string, error: string) => ({
    error_id,
    time: '',
    endpoint_id: 'e',
    plugin_unique_identifier: 'p',
    error,
  });
  for (let n = 0; n < 1001; n++) recent.add('t', failure(`${n}`, 'x'.repeat(n === 1000 ? 1 << 20 : 1)));
  expect(recent.find('t', '0')).toBeUndefined();
  expect(recent.find('t', '1')).toBeDefined();
  expect(recent.find('t', '1000')?.error).toBe(`${'x'.repeat(4096)}…`);
});

test('without a tenant nothing is kept: nobody could ask for it', () => {
  const recent = new RecentFailures();
  const shown = outward(new DaemonError('internal', 'x'), undefined, log(), recent);
  expect(recent.find('', String(shown.args?.['error_id']))).toBeUndefined();
});
