import { PluginOutput } from '@plugin-daemon/plugin-host/runtimes/protocol';
import { expect, test } from 'vitest';
import { createLog } from './index.ts';

function severityOf(line: string): unknown {
  const lines: string[] = [];
  const log = createLog({ level: 'DEBUG', format: 'json', destination: { write: (text) => void lines.push(text) } });
  new PluginOutput(log, { plugin: 'p' }).stderr(line);
  return JSON.parse(lines[0] ?? '{}').severity;
}

test.each([
  ['INFO:werkzeug:Press CTRL+C to quit', 'INFO'],
  ['2026-11-28 07:31:39,123 - root - INFO - started', 'INFO'],
  ['2026-11-28 07:31:39.123 | DEBUG    | module:run:12 - x', 'DEBUG'],
  ['[2026-11-28 07:31:39] [INFO] x', 'INFO'],
  ['2026-11-28 [info     ] event', 'INFO'],
  ['INFO:     Started server process [1]', 'INFO'],
  ['WARNING: x', 'WARN'],
  ['ERROR:root:x', 'ERROR'],
  ['CRITICAL:root:x', 'ERROR'],
  ['Traceback (most recent call last):', 'WARN'],
  ['for your information: error in line 3', 'WARN'],
  ['ValueError: INFORMATION', 'WARN'],
  [`${'x'.repeat(200)} INFO `, 'WARN'],
  ['', 'WARN'],
])('a line of stderr keeps the level it names: %s', (line, severity) => {
  expect(severityOf(line)).toBe(severity);
});
