/**
 * The open calls of a tenant, and ending one of them. Binds and answers; invocation/ owns the sessions. Called by the server's route table.
 */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Invocations, Session } from '../../invocation/index.ts';
import { type AnyRoute, route } from '../route.ts';

export interface SessionRoutesDeps {
  readonly invocations: Pick<Invocations, 'find' | 'all'>;
  /** Asks the other nodes to end a session; absent where there are none. */
  readonly tellOthers?: ((tenantId: string, sessionId: string) => void) | undefined;
}

const session = {
  title: 'OpenCall',
  type: 'object',
  properties: {
    id: { type: 'string', description: 'Also in the header `X-Plugin-Session-Id` of its answer.' },
    plugin_unique_identifier: { type: 'string' },
    action: { type: 'string' },
    user_id: { type: 'string' },
    seconds: { type: 'number', description: 'Since its start.' },
  },
  required: ['id', 'plugin_unique_identifier', 'action', 'user_id', 'seconds'],
} as const;

const tag = 'Dispatch';

export function sessionRoutes({ invocations, tellOthers }: SessionRoutesDeps): readonly AnyRoute[] {
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/sessions',
      operationId: 'listOpenCalls',
      tag,
      summary: 'The open calls of plugins on this node, the oldest first.',
      data: { type: 'array', items: session },
      handle: ({ tenantId }) => invocations.all().filter(isOf(tenantId)).map(shown),
    }),
    route({
      method: 'DELETE',
      group: 'plugin',
      path: '/sessions/:session_id',
      operationId: 'endOpenCall',
      tag,
      summary:
        'End one open call: its caller gets an error, the plugin is told to stop, and nothing else ends with it.',
      description:
        'Answers true when the call was open here, false when the other nodes were asked to end it. Where there are none, a call that is not open is not found.',
      audit: { action: 'session.cancel', subjects: ({ params }) => [params.session_id ?? ''] },
      data: { type: 'boolean' },
      errorStatus: 'kind',
      handle: ({ tenantId, params }) => {
        const id = params.session_id ?? '';
        const found = invocations.find(id);
        if (found !== undefined && isOf(tenantId)(found)) {
          found.abort(cancelled());
          return true;
        }
        if (tellOthers === undefined)
          throw new DaemonError('not-found', 'session not found: it has ended, or never was', {
            remedy: 'GET /plugin/{tenant_id}/sessions lists those that are open',
          });
        tellOthers(tenantId, id);
        return false;
      },
    }),
  ];
}

/** What the caller of a call is told that somebody else ended. */
export const cancelled = (): DaemonError => new DaemonError('internal', 'the call was cancelled on request');

export const isOf =
  (tenantId: string) =>
  ({ envelope }: Session): boolean =>
    envelope.tenantId === tenantId;

const shown = ({ id, runtime, action, envelope, startedAt }: Session) => ({
  id,
  plugin_unique_identifier: runtime.identifier,
  action: action.action,
  user_id: envelope.userId,
  seconds: Math.round(performance.now() - startedAt) / 1000,
});
