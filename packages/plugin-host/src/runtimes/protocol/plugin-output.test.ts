import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Log } from '../../log/index.ts';
import { PluginOutput } from './plugin-output.ts';

interface Line {
  readonly level: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

let lines: Line[];
let output: PluginOutput;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  lines = [];
  const level = (name: string) => (fields: Line['fields'], text: string) =>
    void lines.push({ level: name, fields, text });
  // The four methods that plugin output uses.
  const log = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') };
  output = new PluginOutput(log as unknown as Log, { plugin: 'a/b:1@c' });
});

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['INFO', 'info'],
  ['debug', 'debug'],
  ['WARNING', 'warn'],
  ['CRITICAL', 'error'],
  ['made up', 'info'],
  ['constructor', 'info'],
  ['__proto__', 'info'],
])('a log event of level %s becomes %s', (given, expected) => {
  output.event(given, 'text');
  expect(lines).toEqual([{ level: expected, fields: { plugin: 'a/b:1@c', source: 'log' }, text: 'text' }]);
});

test('each source has its level', () => {
  output.stderr('a traceback');
  output.stdout('printed');
  output.stdout('{"the":"manifest"}');
  output.error('"data"');
  expect(lines.map(({ level, fields }) => [level, fields.source])).toEqual([
    ['warn', 'stderr'],
    ['info', 'stdout'],
    ['debug', 'stdout'],
    ['debug', 'error event'],
  ]);
});

test('a flood is cut off for the rest of the second, and its size is said in the next', () => {
  for (let n = 0; n < 200; n++) output.stdout(`line ${n}`);
  expect(lines).toHaveLength(50);
  vi.setSystemTime(1_001_000);
  output.stdout('calm');
  expect(lines.slice(50)).toEqual([
    { level: 'warn', fields: { plugin: 'a/b:1@c', dropped_lines: 150 }, text: 'plugin wrote more than is logged' },
    { level: 'info', fields: { plugin: 'a/b:1@c', source: 'stdout' }, text: 'calm' },
  ]);
});
