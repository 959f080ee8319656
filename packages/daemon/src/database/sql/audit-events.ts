import { newId } from '../ids.ts';
import type { AuditEventRecord, NewAuditEvent } from '../records.ts';
import type { AuditEvents } from '../repositories/index.ts';
import { tables } from '../schema.ts';
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
      .values({ id: newId(), ...newTimes().columns, ...fitting(event) })
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

const lengths: ReadonlyMap<string, number> = new Map(
  Object.entries(tables.find(({ name }) => name === 'audit_events')?.columns ?? {}).flatMap(([name, { kind }]) =>
    typeof kind === 'object' ? [[name, kind.varchar]] : [],
  ),
);

/** Texts cut to what their columns hold: a request may name a tenant of any length, and its trace belongs here all the same. */
function fitting(event: NewAuditEvent): NewAuditEvent {
  const cut = Object.entries(event).map(([name, text]) => [name, String(text).slice(0, lengths.get(name))]);
  // The same names with texts.
  return Object.fromEntries(cut) as unknown as NewAuditEvent;
}
