import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { DebuggingKeys } from '../../runtimes/debugging/index.ts';
import { type AnyRoute, route } from '../route.ts';

export interface DebuggingRoutesDeps {
  /** undefined while debugging connections are switched off. */
  readonly keys: Pick<DebuggingKeys, 'obtain' | 'rotate'> | undefined;
}

const data = {
  type: 'object',
  required: ['key'],
  properties: {
    key: {
      type: 'string',
      description: 'REMOTE_INSTALL_KEY of the plugin, a UUID; empty while PLUGIN_REMOTE_INSTALLING_ENABLED is false',
    },
  },
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
      // Dify's page of plugins asks whenever it is opened, and shows an error for every answer that is none.
      handle: async ({ tenantId }) => ({ key: keys === undefined ? '' : await keys.obtain(tenantId) }),
    }),
    route({
      ...common,
      path: '/debugging/key/rotate',
      operationId: 'rotateDebuggingKey',
      audit: { action: 'debugging-key.rotate', subjects: () => ['debugging key'] },
      summary: 'A new key for debugging connections; the old one opens none any more, open ones stay',
      handle: async ({ tenantId }) => {
        if (keys === undefined)
          throw new DaemonError('bad-request', 'debugging connections are switched off', {
            remedy: 'Set PLUGIN_REMOTE_INSTALLING_ENABLED=true',
          });
        return { key: await keys.rotate(tenantId) };
      },
    }),
  ];
}
