import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { SettingName, SettingValues } from './table.ts';

/** A process of its own for each core is as much as calls that compute can use. */
const MOST_INSTANCES = Math.min(4, availableParallelism());

/** What follows from the profile for settings that are not configured. */
export function derivedScaling(values: SettingValues, configured: ReadonlySet<SettingName>): Partial<SettingValues> {
  const automatic = values.DB_TYPE === 'sqlite' ? 'laptop' : 'server';
  const profile = values.DEPLOYMENT_PROFILE === 'auto' ? automatic : values.DEPLOYMENT_PROFILE;
  const server = profile === 'server';
  return {
    DEPLOYMENT_PROFILE: profile,
    ...(!configured.has('PLUGIN_POLICY_FILE') && { PLUGIN_POLICY_FILE: join(values.DATA_DIR, 'plugin-policies.json') }),
    ...(!configured.has('PLUGIN_IDLE_STOP_SECONDS') && server && { PLUGIN_IDLE_STOP_SECONDS: 0 }),
    PLUGIN_INSTANCES_MAX: Math.max(
      values.PLUGIN_INSTANCES_MIN,
      configured.has('PLUGIN_INSTANCES_MAX') ? values.PLUGIN_INSTANCES_MAX : server ? MOST_INSTANCES : 1,
    ),
  };
}
