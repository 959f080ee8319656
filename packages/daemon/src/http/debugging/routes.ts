import type { DebuggingKeys } from '../../runtimes/debugging/index.ts';
import { type AnyRoute, route } from '../route.ts';

export interface DebuggingRoutesDeps {
  readonly keys: Pick<DebuggingKeys, 'obtain' | 'rotate'>;
}

const data = {
  type: 'object',
  required: ['key'],
  properties: { key: { type: 'string', format: 'uuid', description: 'REMOTE_INSTALL_KEY of the plugin' } },
} as const;

/** The route table of the debugging keys. */
export function debuggingRoutes({ keys }: DebuggingRoutesDeps): readonly AnyRoute[] {
  const common = { method: 'POST', group: 'plugin', tag: 'Debugging', data } as const;
  return [
    route({
      ...common,
      path: '/debugging/key',
      operationId: 'getDebuggingKey',
      summary: "The tenant's key for debugging connections; it lives for two hours from now",
      handle: async ({ tenantId }) => ({ key: await keys.obtain(tenantId) }),
    }),
    route({
      ...common,
      path: '/debugging/key/rotate',
      operationId: 'rotateDebuggingKey',
      summary: 'A new key for debugging connections; the old one opens none any more, open ones stay',
      handle: async ({ tenantId }) => ({ key: await keys.rotate(tenantId) }),
    }),
  ];
}
