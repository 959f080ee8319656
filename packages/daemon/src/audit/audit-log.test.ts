import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createLog } from '../telemetry/index.ts';
import { AuditLog, type AuditRecord } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'audit-'));
afterAll(() => rmSync(root, { recursive: true }));

const event: AuditRecord = {
  action: 'plugin.install',
  tenant_id: 't',
  subject: 'a/b:0.0.1@c',
  address: '127.0.0.1',
  credential: 'server-key',
  outcome: 'done',
  detail: '',
  trace_id: '',
};

function open(append: (written: AuditRecord) => Promise<void>, retentionDays = 0) {
  const lines: string[] = [];
  const pruned: Date[] = [];
  const audit = new AuditLog({
    file: join(root, 'audit.jsonl'),
    events: {
      append,
      list: async () => [],
      prune: async (before) => {
        pruned.push(before);
        return 0;
      },
    },
    retentionDays,
    log: createLog({ level: 'INFO', format: 'json', destination: { write: (line) => void lines.push(line) } }),
  });
  return { audit, lines, pruned };
}

const written = () =>
  readFileSync(join(root, 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));

test('an event stands in the file at once, private, and in the database in its order', async () => {
  const rows: string[] = [];
  const { audit } = open(async ({ subject }) => void rows.push(subject));
  audit.record(event);
  expect(written()).toEqual([{ ts: expect.stringMatching(/Z$/), ...event }]);
  expect(statSync(join(root, 'audit.jsonl')).mode & 0o777).toBe(0o600);
  audit.record({ ...event, subject: 'second' });
  audit.record({ ...event, subject: `x\n${'y'.repeat(10_000)}` });
  await audit.close();
  expect(rows).toEqual(['a/b:0.0.1@c', 'second', expect.stringMatching(/^x\\n.*bytes more\)$/)]);
  expect(written()).toHaveLength(3);
});

test('a database that fails holds nothing up, and is told', async () => {
  const { audit, lines } = open(async () => {
    throw new Error('the disk is full');
  });
  audit.record(event);
  await audit.close();
  expect(lines.join('')).toMatch(/"ERROR".*the disk is full.*audit event/);
});

test('events are forgotten with age, unless they are kept for ever', async () => {
  const forever = open(async () => undefined);
  await forever.audit.prune();
  await forever.audit.close();
  expect(forever.pruned).toEqual([]);
  const { audit, pruned } = open(async () => undefined, 30);
  await audit.prune();
  await audit.close();
  const [before] = pruned;
  expect(Math.round((Date.now() - (before?.getTime() ?? 0)) / 86_400_000)).toBe(30);
});
