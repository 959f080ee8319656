import type { EndpointRecord } from '../database/index.ts';
import type { EndpointConfig } from './declaration.ts';

/** An endpoint as Dify reads it: settings in the clear where they are no secrets, masked where they are. */
export interface PresentedEndpoint extends EndpointRecord {
  readonly declaration: NonNullable<EndpointConfig['group']>;
  /** Why settings or declaration are not what they should be, and what to do. Absent where all is well. */
  readonly problem?: string;
}

type Shown = Pick<PresentedEndpoint, 'settings' | 'declaration' | 'problem'>;

/** What an endpoint shows whose plugin is no longer installed, or has no endpoints any more. */
export const orphaned = (problem: string): Shown => ({
  settings: {},
  declaration: { settings: [], endpoints: [] },
  problem,
});

export function present(record: EndpointRecord, { settings, declaration, problem }: Shown): PresentedEndpoint {
  const { id, created_at, updated_at, name, hook_id, tenant_id, user_id, plugin_id, expired_at, enabled } = record;
  return {
    id,
    created_at,
    updated_at,
    name,
    hook_id,
    tenant_id,
    user_id,
    plugin_id,
    // Written without a fraction by everything that ever stored it.
    expired_at: expired_at.replace('.000Z', 'Z'),
    enabled,
    settings,
    declaration: { settings: declaration.settings, endpoints: declaration.endpoints },
    ...(problem !== undefined && { problem }),
  };
}
