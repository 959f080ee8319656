import type { EndpointRecord, JsonObject } from '../database/index.ts';
import type { EndpointConfig } from './declaration.ts';

/** An endpoint as Dify reads it: settings in the clear where they are no secrets, masked where they are. */
export interface PresentedEndpoint {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
  readonly name: string;
  readonly hook_id: string;
  readonly tenant_id: string;
  readonly user_id: string;
  readonly plugin_id: string;
  readonly expired_at: string;
  readonly enabled: boolean;
  readonly settings: JsonObject;
  readonly declaration: NonNullable<EndpointConfig['group']>;
}

/** What an endpoint shows whose plugin is no longer installed. */
export const orphaned: Pick<PresentedEndpoint, 'settings' | 'declaration'> = {
  settings: {},
  declaration: { settings: [], endpoints: [] },
};

export function present(
  record: EndpointRecord,
  { settings, declaration }: Pick<PresentedEndpoint, 'settings' | 'declaration'>,
): PresentedEndpoint {
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
  };
}
