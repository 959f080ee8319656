import type { JsonSchema } from '@plugin-daemon/wire-schema';

const text = { type: 'string' } as const;
const time = { type: 'string', format: 'date-time' } as const;

const fields = {
  id: text,
  created_at: time,
  updated_at: time,
  name: text,
  hook_id: { type: 'string', pattern: '^[a-z0-9]{16}$', description: 'The webhook is /e/{hook_id}/' },
  tenant_id: text,
  user_id: text,
  plugin_id: text,
  expired_at: { ...time, description: 'Always 2050-01-01T00:00:00Z; never evaluated' },
  enabled: { type: 'boolean' },
  settings: { type: 'object', description: 'Decrypted; secrets masked' },
  declaration: {
    type: 'object',
    required: ['settings', 'endpoints'],
    properties: {
      settings: { type: 'array', items: { type: 'object' } },
      endpoints: {
        type: 'array',
        items: {
          type: 'object',
          properties: { path: text, method: text, hidden: { type: 'boolean' } },
        },
      },
    },
  },
};

const problem = {
  type: 'string',
  description:
    'Only where something is wrong: why the secrets are missing from `settings` (they cannot be decrypted) or everything is (the plugin is gone, or has no endpoints any more), and what to do. Such an endpoint can be updated with secrets entered anew, and removed',
} as const;

/** The endpoints of a list. */
export const endpointListSchema: JsonSchema = {
  type: 'array',
  items: { title: 'Endpoint', type: 'object', required: Object.keys(fields), properties: { ...fields, problem } },
};
