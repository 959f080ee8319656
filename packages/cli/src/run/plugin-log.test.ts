import { PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { expect, test } from 'vitest';
import { plainLog } from './plugin-log.ts';

const lines: [string, string][] = [];
const log = plainLog((level, message) => lines.push([level, message]));
const said = (say: () => void): [string, string][] => {
  lines.length = 0;
  say();
  return [...lines];
};

test('what a plugin says keeps where it comes from; the manifest that the SDK prints is left out', () => {
  const output = new PluginOutput(log, { plugin: 'p', pid: 1 }, Number.POSITIVE_INFINITY);
  expect(
    said(() => {
      output.event('WARNING', 'careful');
      output.stderr('INFO: a line');
      output.stdout('print');
      output.stdout('{"version":"0.0.1"}');
      output.stdout('{"mine":1}');
      output.error('{"error_type":"X"}');
      output.fault(new Error('broken'));
    }),
  ).toEqual([
    ['warn', 'careful'],
    ['stderr', 'INFO: a line'],
    ['info', 'print'],
    ['info', '{"mine":1}'],
    ['error', '{"error_type":"X"}'],
    ['error', 'what a plugin wrote could not be dealt with (broken)'],
  ]);
});

test('an author sees every line, however many', () => {
  const output = new PluginOutput(log, {}, Number.POSITIVE_INFINITY);
  expect(said(() => Array.from({ length: 500 }, (_, n) => output.stdout(`line ${n}`)))).toHaveLength(500);
});

test('what the runtime has to say comes with its figures', () => {
  expect(said(() => log.child({}).warn({ plugin: 'p', silent_seconds: 61, busy: false }, 'plugin is silent'))).toEqual([
    ['warn', 'plugin is silent (silent seconds 61, busy false)'],
  ]);
});
