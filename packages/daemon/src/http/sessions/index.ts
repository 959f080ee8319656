/**
 * The open calls of a tenant on all nodes, and ending one of them. Binds and answers; invocation/ owns the sessions. Called by the server's
 * route table.
 */
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isObject } from '@plugin-daemon/values';
import type { Invocations, Session } from '../../invocation/index.ts';
import type { NodeCalls } from '../handover.ts';
import { askOthers, rowsOf, SILENT_NODES_HEADER, tellOfSilent } from '../other-nodes.ts';
import { type AnyRoute, route } from '../route.ts';

export interface SessionRoutesDeps {
  readonly invocations: Pick<Invocations, 'find' | 'all'>;
  /** What this node is called. */
  readonly nodeName?: string;
  /** The other nodes; absent where there can be none. */
  readonly nodes?: NodeCalls | undefined;
  /** Has those end a session that could not be asked directly; absent where there can be none. */
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
    node: { type: 'string', description: 'The node that serves it; NODE_NAME.' },
  },
  required: ['id', 'plugin_unique_identifier', 'action', 'user_id', 'seconds', 'node'],
} as const;

const tag = 'Dispatch';

export function sessionRoutes({
  invocations,
  nodeName = '',
  nodes,
  tellOthers,
}: SessionRoutesDeps): readonly AnyRoute[] {
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/sessions',
      operationId: 'listOpenCalls',
      tag,
      summary: 'The open calls of plugins on all nodes, the oldest first.',
      description: `Nodes that did not answer are named in the header \`${SILENT_NODES_HEADER}\`: their calls are missing.`,
      data: { type: 'array', items: session },
      handle: async (call) => {
        const { tenantId, request } = call;
        const own = invocations.all().filter(isOf(tenantId)).map(shown(nodeName));
        const others = await askOthers(nodes, request);
        tellOfSilent(others, call);
        return [...own, ...rowsOf(others, readRow)].sort((one, other) => other.seconds - one.seconds);
      },
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
        'Answers true when the call was open, on whichever node; false when a node that did not answer may have it: it was told to end it. A call that no node has is not found.',
      audit: { action: 'session.cancel', subjects: ({ params }) => [params.session_id ?? ''] },
      data: { type: 'boolean' },
      errorStatus: 'kind',
      handle: async (call) => {
        const { tenantId, params, request } = call;
        const id = params.session_id ?? '';
        const found = invocations.find(id);
        if (found !== undefined && isOf(tenantId)(found)) {
          found.cancel(cancelled());
          return true;
        }
        const others = await askOthers(nodes, request);
        if (others.answers.some(({ data }) => data === true)) return true;
        if (others.silent.length === 0 || tellOthers === undefined)
          throw new DaemonError('not-found', 'session not found: it has ended, or never was', {
            remedy: 'GET /plugin/{tenant_id}/sessions lists those that are open',
          });
        tellOfSilent(others, call);
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

interface OpenCall {
  readonly id: string;
  readonly plugin_unique_identifier: string;
  readonly action: string;
  readonly user_id: string;
  readonly seconds: number;
  readonly node: string;
}

const shown =
  (node: string) =>
  ({ id, runtime, action, envelope, startedAt }: Session): OpenCall => ({
    id,
    plugin_unique_identifier: runtime.identifier,
    action: action.action,
    user_id: envelope.userId,
    seconds: Math.round(performance.now() - startedAt) / 1000,
    node,
  });

function readRow(row: unknown, node: string): OpenCall | undefined {
  if (!isObject(row)) return undefined;
  const { id, plugin_unique_identifier, action, user_id, seconds } = row;
  if (typeof id !== 'string' || typeof plugin_unique_identifier !== 'string' || typeof action !== 'string')
    return undefined;
  if (typeof user_id !== 'string' || typeof seconds !== 'number') return undefined;
  return { id, plugin_unique_identifier, action, user_id, seconds, node };
}
