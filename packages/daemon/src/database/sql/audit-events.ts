import { newId } from '../ids.ts';
import type { AuditEventRecord, NewAuditEvent } from '../records.ts';
import type { AuditEvents } from '../repositories.ts';
import { type Sql, type SqlContext, timeValue } from './context.ts';
import { auditEventRecord, newTimes } from './rows.ts';

export class SqlAuditEvents implements AuditEvents {
  readonly #sql: Sql;

  constructor({ sql }: SqlContext) {
    this.#sql = sql;
  }

  async append(event: NewAuditEvent): Promise<void> {
    await this.#sql
      .insertInto('audit_events')
      .values({ id: newId(), ...newTimes().columns, ...event })
      .execute();
  }

  async list({ limit, before, tenantId }: Parameters<AuditEvents['list']>[0]): Promise<readonly AuditEventRecord[]> {
    // Ids are made in the order of time.
    let query = this.#sql.selectFrom('audit_events').selectAll().orderBy('id', 'desc').limit(limit);
    if (before !== undefined) query = query.where('id', '<', before);
    if (tenantId !== undefined) query = query.where('tenant_id', '=', tenantId);
    return (await query.execute()).map(auditEventRecord);
  }

  async prune(before: Date): Promise<number> {
    const { numDeletedRows } = await this.#sql
      .deleteFrom('audit_events')
      .where('created_at', '<', timeValue(before))
      .executeTakeFirstOrThrow();
    return Number(numDeletedRows);
  }
}
