import { type Log, silentLog } from '@plugin-daemon/plugin-host/log';
import { expect, test, vi } from 'vitest';
import { JOURNAL_LIMITS, type JournalLine, PluginJournal, type PluginJournalLimits } from './plugin-journal.ts';

const TENANT = 't1';
const ONE = 'acme/one:0.0.1@aa';
const of = (pluginId: string, tenantId = TENANT) => ({ pluginId, tenantId });

function journal(limits: Partial<PluginJournalLimits> = {}): { journal: PluginJournal; log: Log } {
  const made = new PluginJournal((text) => text.replaceAll('s3cret', '[redacted]'), { ...JOURNAL_LIMITS, ...limits });
  return { journal: made, log: made.listeningTo(silentLog) };
}

const texts = (lines: readonly JournalLine[]): string[] => lines.map((line) => line.message);

test('what is logged about a plugin is a line of it, other lines are not; the log gets all as before', () => {
  const info = vi.fn();
  const { journal: kept } = journal();
  const log = kept.listeningTo({ ...silentLog, info, child: () => ({ ...silentLog, info }) } as unknown as Log);
  log.info({ plugin: ONE, source: 'stderr' }, 'hello');
  log.child({ plugin: ONE }).info({ source: 'log' }, 'from a child');
  log.info('nobody’s');
  log.warn({ plugin: ONE, error: 'exit code 1' }, 'plugin ended');
  log.debug({ plugin: ONE, source: 'stdout' }, '{"manifest":1}');
  expect(kept.lines(of('acme/one'), 10)).toEqual([
    expect.objectContaining({ level: 'info', source: 'stderr', message: 'hello', plugin_unique_identifier: ONE }),
    expect.objectContaining({ level: 'info', source: 'log', message: 'from a child' }),
    expect.objectContaining({ level: 'warn', source: 'daemon', message: 'plugin ended: exit code 1' }),
  ]);
  expect(info.mock.calls).toEqual([
    [{ plugin: ONE, source: 'stderr' }, 'hello'],
    [{ source: 'log' }, 'from a child'],
    ['nobody’s'],
  ]);
  expect(texts(kept.lines(of('acme/one'), 1))).toEqual(['plugin ended: exit code 1']);
  expect(kept.lines(of('acme/one'), 0)).toEqual([]);
  expect(kept.lines(of('acme/on'), 10)).toEqual([]);
});

test('lines of a debugging connection are its tenant’s alone, secrets nobody’s', () => {
  const { journal: kept, log } = journal();
  log.info({ plugin: ONE, tenant_id: 't2', source: 'stdout' }, 'mine');
  log.info({ plugin: ONE, source: 'stdout' }, 'it is s3cret');
  expect(texts(kept.lines(of('acme/one'), 10))).toEqual(['it is [redacted]']);
  expect(texts(kept.lines(of('acme/one', 't2'), 10))).toEqual(['mine', 'it is [redacted]']);
});

test('lines, texts, plugins and all together are bounded', () => {
  const { journal: kept, log } = journal({ lines: 3, messageCharacters: 5, characters: 1000, totalCharacters: 1500 });
  for (let at = 0; at < 10; at++) log.info({ plugin: ONE }, `${at}`);
  expect(texts(kept.lines(of('acme/one'), 10))).toEqual(['7', '8', '9']);
  log.info({ plugin: ONE }, 'x'.repeat(100));
  expect(texts(kept.lines(of('acme/one'), 1))).toEqual(['xxxxx… (95 more characters)']);
  for (let at = 0; at < 20; at++) log.info({ plugin: `acme/p${at}:0.0.1@aa` }, 'x');
  expect(kept.lines(of('acme/one'), 10)).toEqual([]);
  const left = Array.from({ length: 20 }, (_, at) => kept.lines(of(`acme/p${at}`), 10).length);
  expect(left.reduce((sum, each) => sum + each, 0)).toBe(6);
  expect(left[19]).toBe(1);
});

test('a follower sees what comes, loses the oldest when it is slow, and ends with its signal or the journal', async () => {
  const { journal: kept, log } = journal({ behind: 2, followers: 2 });
  log.info({ plugin: ONE }, 'before');
  const leave = new AbortController();
  const follow = (signal: AbortSignal) => kept.follow(of('acme/one'), signal)[Symbol.asyncIterator]();
  const lines = follow(leave.signal);
  const first = lines.next();
  log.info({ plugin: ONE }, 'a');
  log.info({ plugin: 'acme/other:0.0.1@aa' }, 'other');
  expect((await first).value).toMatchObject({ message: 'a' });
  for (const text of ['b', 'c', 'd', 'e']) log.info({ plugin: ONE }, text);
  expect((await lines.next()).value).toMatchObject({ source: 'daemon', message: '2 lines were lost: read faster' });
  expect((await lines.next()).value).toMatchObject({ message: 'd' });
  expect((await lines.next()).value).toMatchObject({ message: 'e' });
  const other = follow(new AbortController().signal);
  const waiting = other.next();
  expect(() => follow(leave.signal)).toThrow('follow plugin logs already');
  const last = lines.next();
  leave.abort();
  expect(await last).toEqual({ done: true, value: undefined });
  kept.close();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect(await follow(new AbortController().signal).next()).toMatchObject({ done: true });
});
