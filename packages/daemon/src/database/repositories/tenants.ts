/** What tenants have beside plugins, and what was done for whom. */
import type { AuditEventRecord, EndpointRecord, NewAuditEvent, Page } from '../records.ts';

export interface Endpoints {
  /** Answered from memory after the first read, dropped on every write. */
  findByHookId(hookId: string): Promise<EndpointRecord | undefined>;
  find(tenantId: string, endpointId: string): Promise<EndpointRecord | undefined>;
  /** Newest first. */
  listByTenant(tenantId: string, page: Page): Promise<readonly EndpointRecord[]>;
  listByPlugin(tenantId: string, pluginId: string, page: Page): Promise<readonly EndpointRecord[]>;
}

export interface TenantStorages {
  /**
   * Adds bytes to what a plugin uses in a tenant, unless the sum would pass the limit. A negative number always
   * succeeds and stops at 0. Atomic: parallel calls cannot pass the limit together.
   * @returns `ok: false` with the present size when refused
   */
  reserve(tenantId: string, pluginId: string, bytes: number, limit: number): Promise<{ ok: boolean; size: number }>;
  /** Gives bytes back, not below 0. */
  release(tenantId: string, pluginId: string, bytes: number): Promise<void>;
  /** Bytes in use (rows of older databases that exist twice are summed). */
  size(tenantId: string, pluginId: string): Promise<number>;
}

/** Who did what. Rows are only added, and forgotten with age. */
export interface AuditEvents {
  append(event: NewAuditEvent): Promise<void>;
  /** Newest first. @param page.before the id of the last one seen */
  list(page: {
    readonly limit: number;
    readonly before?: string;
    readonly tenantId?: string;
  }): Promise<readonly AuditEventRecord[]>;
  /** Removes what was written before a time; the number of removed ones. */
  prune(before: Date): Promise<number>;
}
