import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { NewAuditEvent } from '../index.ts';
import type { UnderTest } from './fixtures.ts';

const event = (tenantId: string, subject: string): NewAuditEvent => ({
  action: 'plugin.install',
  tenant_id: tenantId,
  subject,
  address: '2001:db8::1',
  credential: 'server-key',
  outcome: 'accepted',
  detail: '',
  trace_id: '',
});

export function auditEventConformance(on: UnderTest): void {
  describe('audit events', () => {
    test('are listed newest first, by tenant and by pages, as they were written', async () => {
      const { auditEvents } = on.database;
      const tenant = randomUUID();
      const subjects = Array.from({ length: 7 }, (_, n) => `acme/audited-${n}`);
      for (const subject of subjects) {
        await auditEvents.append(event(tenant, subject));
        await auditEvents.append(event(randomUUID(), subject));
      }
      const first = await auditEvents.list({ limit: 4, tenantId: tenant });
      expect(first.map(({ subject }) => subject)).toEqual(subjects.toReversed().slice(0, 4));
      expect(first[0]).toEqual({
        ...event(tenant, 'acme/audited-6'),
        id: expect.any(String),
        created_at: expect.stringMatching(/^\d{4}-.*Z$/),
        updated_at: expect.any(String),
      });
      const rest = await auditEvents.list({ limit: 4, tenantId: tenant, before: first[3]?.id ?? '' });
      expect(rest.map(({ subject }) => subject)).toEqual(subjects.toReversed().slice(4));
      expect((await auditEvents.list({ limit: 3 })).length).toBe(3);
    });

    test('of whatever the request named are kept, cut to what there is room for', async () => {
      const { auditEvents } = on.database;
      const tenant = `${randomUUID()}${'t'.repeat(300)}`;
      await auditEvents.append({ ...event(tenant, 'acme/x'), trace_id: 'f'.repeat(100) });
      const kept = on.database.auditEvents.list({ limit: 9, tenantId: tenant.slice(0, 255) });
      expect(await kept).toMatchObject([{ tenant_id: tenant.slice(0, 255), trace_id: 'f'.repeat(63) }]);
    });

    test('take texts of any length', async () => {
      const tenant = randomUUID();
      const detail = 'ü😀'.repeat(600);
      await on.database.auditEvents.append({ ...event(tenant, `a/b:0.0.1@${'c'.repeat(64)}`), detail });
      expect(await on.database.auditEvents.list({ limit: 1, tenantId: tenant })).toMatchObject([{ detail }]);
    });

    test('are forgotten when they are older than a time', async () => {
      const tenant = randomUUID();
      await on.database.auditEvents.append(event(tenant, 'acme/old'));
      await on.database.auditEvents.prune(new Date(Date.now() - 3_600_000));
      expect(await on.database.auditEvents.list({ limit: 9, tenantId: tenant })).toHaveLength(1);
      expect(await on.database.auditEvents.prune(new Date(Date.now() + 3_600_000))).toBeGreaterThan(0);
      expect(await on.database.auditEvents.list({ limit: 9, tenantId: tenant })).toEqual([]);
    });
  });
}
