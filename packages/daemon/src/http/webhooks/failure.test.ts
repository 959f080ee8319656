import { expect, test } from 'vitest';
import { DaemonError } from '../../errors/index.ts';
import { outward, PluginFailure } from './failure.ts';

function log() {
  const lines: [string, Record<string, unknown>][] = [];
  const at = (level: string) => (fields: object, _message: string) => void lines.push([level, { ...fields }]);
  return { lines, warn: at('warn'), error: at('error') };
}

const SECRET = 'postgres://admin:hunter2@db at /data/cwd/acme/main.py';

test.each([
  ['a plugin that fails', new PluginFailure(JSON.stringify({ error_type: 'X', message: SECRET })), 'warn'],
  ['a plugin that does not start', new DaemonError('runtime-unavailable', SECRET), 'warn'],
  ['the daemon', new DaemonError('internal', 'x', { remedy: SECRET }), 'error'],
])('what %s says is told to the log, and an id to the caller', (_who, error, level) => {
  const told = log();
  const shown = outward(error, { tenant_id: 't' }, told);
  expect(shown).toMatchObject({ kind: 'internal', status: 500 });
  expect(JSON.stringify([shown.wireMessage, shown.args])).not.toContain('hunter2');
  const [entry] = told.lines;
  expect(entry?.[0]).toBe(level);
  expect(entry?.[1]).toMatchObject({ tenant_id: 't', error: error.wireMessage, error_id: shown.args?.['error_id'] });
  expect(shown.message).toContain(String(shown.args?.['error_id']));
});

test.each([
  new DaemonError('bad-request', 'endpoint not found', { status: 404 }),
  new DaemonError('not-routable', 'no available node, plugin runtime not found'),
  new DaemonError('too-large', 'larger than 5 bytes'),
  new DaemonError('over-budget', 'there is no room'),
  new DaemonError('internal', 'killed by timeout', { status: 504 }),
])('what the daemon says to callers stays (%s)', (error) => {
  const told = log();
  expect(outward(error, {}, told)).toBe(error);
  expect(told.lines).toEqual([]);
});
