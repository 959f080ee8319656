import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { createLog, createMetrics, type LogOptions, silentLog, TraceContext } from './index.ts';
import { zonedTimestamp } from './timestamp.ts';

const root = mkdtempSync(join(tmpdir(), 'telemetry-'));
afterAll(() => rmSync(root, { recursive: true }));

function collect(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'INFO',
    format: 'json',
    destination: { write: (line) => void lines.push(line) },
    ...options,
  });
  return { log, lines, parsed: () => lines.map((line): unknown => JSON.parse(line)) };
}

test('a JSON line has the fields that collectors of the existing daemon know', () => {
  const { log, parsed } = collect();
  const trace = TraceContext.from(undefined);
  log
    .child({ trace_id: trace.traceId, identity: { tenant_id: 't', user_id: 'u' } })
    .warn({ status: 404, path: '/x' }, 'HTTP request');
  log.info('no fields');
  expect(parsed()).toEqual([
    {
      severity: 'WARN',
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      service: 'dify-plugin-daemon',
      trace_id: trace.traceId,
      identity: { tenant_id: 't', user_id: 'u' },
      attributes: { status: 404, path: '/x' },
      message: 'HTTP request',
    },
    { severity: 'INFO', ts: expect.any(String), service: 'dify-plugin-daemon', message: 'no fields' },
  ]);
});

test('lines below the level are not written', () => {
  const { log, lines } = collect({ level: 'WARN' });
  log.debug('a');
  log.info({ b: 1 }, 'b');
  log.error('c');
  expect(lines).toHaveLength(1);
  expect(log.isLevelEnabled('info')).toBe(false);
  expect(silentLog.isLevelEnabled('error')).toBe(false);
});

test('an error is its text with its causes, and its stack beside the attributes', () => {
  const { log, parsed } = collect();
  const error = new Error('outer', { cause: new Error('inner') });
  log.error({ error, plugin: 'p' }, 'failed');
  expect(parsed()).toMatchObject([
    { attributes: { error: 'outer: inner', plugin: 'p' }, stack_trace: expect.stringContaining('telemetry.test') },
  ]);
});

test('secrets do not reach the log, by name or by value', () => {
  const { log, lines, parsed } = collect({ secrets: ['the"server-key', undefined, 'short'] });
  log.info(
    {
      api_key: 'a1',
      headers: { 'X-Api-Key': 'a2', 'x-request-id': 'r' },
      list: [{ password: 'a3' }],
      key: 'storage/key',
    },
    'call with the"server-key and short',
  );
  expect(parsed()).toMatchObject([
    {
      attributes: {
        api_key: '[redacted]',
        headers: { 'X-Api-Key': '[redacted]', 'x-request-id': 'r' },
        list: [{ password: '[redacted]' }],
        key: 'storage/key',
      },
      message: 'call with [redacted] and short',
    },
  ]);
  expect(lines.join('')).not.toMatch(/a1|a2|a3|server-key/);
});

test('a text line is readable, quoted where it must be, with the stack after it', () => {
  const { log, lines } = collect({ format: 'text' });
  log
    .child({ component: 'installation', trace_id: 'abc', identity: { tenant_id: 't' } })
    .info({ plugin: 'a/b:1', note: 'two words', count: 3, meta: { a: 1 } }, 'installed');
  log.error({ err: new Error('broken') }, 'failed');
  expect(lines[0]).toMatch(
    /^\S+Z INFO dify-plugin-daemon installation trace_id=abc tenant_id=t installed plugin=a\/b:1 note="two words" count=3 meta={"a":1}\n$/,
  );
  expect(lines[1]).toMatch(/ERROR dify-plugin-daemon failed error=broken\n {2}Error: broken\n\s+at /);
});

const ESC = '\u001b';

test.each(['text', 'json'])(
  'what a plugin or a request says forges no line and plays with no terminal: %s',
  (format) => {
    const { log, lines } = collect({ format });
    const forged = `done\n2026-01-01T00:00:00.000Z INFO dify-plugin-daemon http HTTP request`;
    const hostile = `${forged}\r${ESC}[2K${ESC}]0;title\u0007\u009b31m\u202e\u2028\ud800\u0000`;
    log.info({ text: hostile, [hostile]: 1, nested: { [hostile]: [hostile] } }, hostile);
    log.child({ component: hostile }).warn('component');
    log.error({ error: Object.assign(new Error(hostile), { stack: `Error: ${hostile}\n    at x` }) }, 'failed');
    expect(lines).toHaveLength(3);
    for (const line of lines) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(line).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2028]/);
      expect(line.isWellFormed()).toBe(true);
    }
    const starts = lines
      .join('')
      .split('\n')
      .filter((line) => /^(\d{4}-|\{)/.test(line));
    expect(starts).toHaveLength(3);
  },
);

test('texts are cut, whatever holds them, and no secret is cut in two', () => {
  const secret = 'a-secret-of-this-daemon';
  const { log, lines, parsed } = collect({ secrets: [secret] });
  const long = 'ä'.repeat(2040) + secret + 'x'.repeat(1_000_000);
  const deep: Record<string, unknown> = {};
  let at = deep;
  for (let n = 0; n < 30_000; n++) at = at['in'] = {} as Record<string, unknown>;
  log.info({ long, list: Array.from({ length: 1000 }, () => long), deep, bytes: Buffer.alloc(1 << 20) }, long);
  log.error({ error: new Error(long, { cause: { toString: 1 } }) }, 'failed');
  for (const line of lines) {
    expect(line.length).toBeLessThan(60_000);
    expect(line).not.toContain('a-secret');
  }
  expect(parsed()).toMatchObject([
    { message: expect.stringMatching(/^ä+\[redac.*bytes more\)$/) },
    { message: 'failed' },
  ]);
});

test('hooks, passwords and queries in addresses are not written', () => {
  const { log, lines } = collect();
  log.info(
    { hook_id: 'h1', url: 'https://user:p1@host/path?token=t1&x=2', list: ['/e/abcdefghijkl1/x'] },
    'called http://host/e/abcdefghijkl2/y?z=t2',
  );
  expect(lines.join('')).not.toMatch(/h1|p1|t1|t2|abcdef/);
  expect(lines.join('')).toContain('host/path');
});

test('on a terminal lines are short and coloured, in a file they are neither', () => {
  const file = join(root, 'terminal.log');
  const checksum = 'ab12'.repeat(16);
  const { log, lines } = collect({ format: 'text', terminal: true, file });
  log.child({ component: 'installation' }).warn({ plugin: `a/b:0.0.1@${checksum}` }, `installed ${checksum}`);
  log.close();
  const shown = stripVTControlCharacters(lines[0] ?? '');
  expect(lines[0]).toContain(`${ESC}[33mWARN`);
  expect(shown).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} WARN {2}installation installed ab12ab12… plugin=a\/b:0\.0\.1@ab12ab12…\n$/,
  );
  expect(readFileSync(file, 'utf8')).toMatch(
    /^\d{4}-\S+Z WARN dify-plugin-daemon installation installed ab12ab12… plugin=/,
  );
});

test('the log file is put away by size, without losing a line or its name', () => {
  const file = join(root, 'rotated', 'server.log');
  const { log } = collect({ file, fileMaxBytes: 1000, fileBackups: 2, format: 'text' });
  for (let n = 0; n < 30; n++) log.info(`line ${n} ${'x'.repeat(100)}`);
  log.close();
  expect(readdirSync(dirname(file)).toSorted()).toEqual(['server.log', 'server.log.1', 'server.log.2']);
  const kept = ['server.log.2', 'server.log.1', 'server.log'].map((name) => {
    const path = join(dirname(file), name);
    expect([name, statSync(path).size <= 1000, statSync(path).mode & 0o777]).toEqual([name, true, 0o600]);
    return readFileSync(path, 'utf8');
  });
  const numbers = [...kept.join('').matchAll(/line (\d+) /g)].map(([, n]) => Number(n));
  // The oldest are gone, of the others none.
  expect(numbers.length).toBeGreaterThan(10);
  expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, n) => 30 - numbers.length + n));
});

test('a file that cannot be put away is written on', () => {
  const file = join(root, 'stuck', 'server.log');
  mkdirSync(`${file}.1/full`, { recursive: true });
  const { log } = collect({ file, fileMaxBytes: 200, fileBackups: 1, format: 'text' });
  for (let n = 0; n < 10; n++) log.info(`line ${n} ${'x'.repeat(50)}`);
  log.close();
  expect(readFileSync(file, 'utf8').match(/line \d/g)).toHaveLength(10);
});

test('timestamps follow the zone, across its changes', () => {
  const berlin = zonedTimestamp('Europe/Berlin');
  expect(berlin('2026-01-02T03:04:05.678Z')).toBe('2026-01-02T04:04:05.678+01:00');
  expect(berlin('2026-07-02T03:04:05.678Z')).toBe('2026-07-02T05:04:05.678+02:00');
  expect(zonedTimestamp('Asia/Kolkata')('2026-01-01T20:00:00Z')).toBe('2026-01-02T01:30:00.000+05:30');
  expect(zonedTimestamp('America/St_Johns')('2026-01-01T02:00:00Z')).toBe('2025-12-31T22:30:00.000-03:30');
});

test('the log file gets the same lines, is private, and is appended to', () => {
  const file = join(root, 'logs', 'server.log');
  for (const message of ['first', 'second']) {
    const { log, lines } = collect({ file });
    log.info(message);
    log.close();
    expect(readFileSync(file, 'utf8').endsWith(lines.join(''))).toBe(true);
  }
  expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(3);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a log file that cannot be opened is an error at start', () => {
  expect(() => collect({ file: '/dev/null/server.log' })).toThrow(/ENOTDIR|EEXIST/);
});

/** Output of a process that logs and is then ended by `end`. */
function lastWords(end: string): string[] {
  const module = fileURLToPath(new URL('./index.ts', import.meta.url));
  const program = `import { createLog } from ${JSON.stringify(module)};
    const log = createLog({ level: 'INFO', format: 'text' });
    for (let i = 0; i < 100; i++) log.info({ i }, 'word');
    ${end}`;
  try {
    const args = ['--input-type=module', '-e', program];
    return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split('\n');
  } catch (error) {
    if (error instanceof Error && 'stdout' in error) return String(error.stdout).trim().split('\n');
    throw error;
  }
}

test.each([
  ["log.error('and then'); process.kill(process.pid, 'SIGKILL');", 101],
  // A timer that is due later than the one that writes.
  ["setTimeout(() => process.kill(process.pid, 'SIGKILL'), 500);", 100],
  ['process.exitCode = 3;', 100],
  ['process.exit(3);', 100],
  ["throw new Error('unexpected');", 100],
])('a process that ends by %s has written its %i lines', (end, count) => {
  expect(lastWords(end)).toHaveLength(count);
});

test('what is said after the log was closed stands on stdout, and fails nobody', () => {
  const file = join(root, 'closed.log');
  const program = `
    import { createLog } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const log = createLog({ level: 'INFO', format: 'json', file: ${JSON.stringify(file)} });
    log.info('before');
    log.close();
    log.info('after');
    log.warn('after');
    log.info('at the end');`;
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  const messages = (text: string) => [...text.matchAll(/"message":"([^"]*)"/g)].map(([, message]) => message);
  expect(messages(output)).toEqual(['before', 'after', 'after', 'at the end']);
  expect(messages(readFileSync(file, 'utf8'))).toEqual(['before']);
});

test('every metric family is declared from the start, with its labels', async () => {
  const metrics = createMetrics({ enabled: true });
  metrics.plugin_http_requests_total.inc({ method: 'GET', endpoint: '/health/check', status: 200 });
  metrics.plugin_invocation_duration_seconds.observe(
    { plugin_id: 'p', plugin_type: 'tool', runtime_type: 'local', operation: 'invoke_tool' },
    0.2,
  );
  const page = await metrics.render();
  expect(page).toContain('plugin_http_requests_total{method="GET",endpoint="/health/check",status="200"} 1');
  expect(page).toMatch(/plugin_invocation_duration_seconds_bucket\{le="0.25",.*\} 1/);
  expect(page).toContain('active_sessions_total 0');
  const { render: _, collect: __, contentType: ___, ...recorders } = metrics;
  expect(page.match(/^# TYPE /gm)).toHaveLength(Object.keys(recorders).length);
  expect(metrics.contentType).toContain('text/plain');
});

test('metrics that are off record nothing and never fail', async () => {
  const metrics = createMetrics({ enabled: false, processMetrics: true });
  metrics.active_sessions_total.inc({});
  metrics.plugin_runtime_status.remove({ plugin_id: 'p', runtime_type: 'local' });
  expect((await metrics.render()).trim()).toBe('');
});

test('a valid traceparent is adopted, anything else replaced by fresh ids', () => {
  const header = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-00`;
  const adopted = TraceContext.from(header);
  expect([adopted.traceId, adopted.spanId]).toEqual(['a1'.repeat(16), 'b2'.repeat(8)]);
  expect(adopted.traceparent).toBe(`00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`);
  for (const bad of [
    undefined,
    '',
    'nonsense',
    header.replace('00-', '01-'),
    `00-${'0'.repeat(32)}-${'b2'.repeat(8)}-01`,
  ]) {
    const made = TraceContext.from(bad);
    expect(made.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(made.traceparent).toBe(made.traceparent);
    expect(made.traceId).not.toBe(TraceContext.from(bad).traceId);
  }
});
