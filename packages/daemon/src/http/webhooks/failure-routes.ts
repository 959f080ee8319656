import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { max, record, required, string } from '@plugin-daemon/wire-schema';
import { type AnyRoute, route } from '../route.ts';
import type { RecentFailures } from './recent-failures.ts';

const FailureRequest = record('', {
  error_id: string('ErrorID').check(required, max(64)).describe('As the caller of the webhook was told it.'),
});

const failure = {
  title: 'WebhookFailure',
  type: 'object',
  properties: {
    error_id: { type: 'string' },
    time: { type: 'string', format: 'date-time' },
    endpoint_id: { type: 'string' },
    plugin_unique_identifier: { type: 'string', description: 'author/name:version@checksum' },
    error: { type: 'string', description: 'What went wrong, with what the plugin said; 4,096 characters at most.' },
  },
  required: ['error_id', 'time', 'endpoint_id', 'plugin_unique_identifier', 'error'],
} as const;

/** The route that tells what strangers are not told. */
export function webhookFailureRoutes(deps: { readonly failures: Pick<RecentFailures, 'find'> }): readonly AnyRoute[] {
  return [
    route({
      method: 'GET',
      group: 'plugin',
      path: '/endpoint/failure',
      operationId: 'findWebhookFailure',
      tag: 'Endpoints',
      summary: 'Why a webhook failed, by the error id that its caller was told.',
      description:
        'The last 1,000 failures of the last ten minutes, on the node that answered the webhook; the log keeps them longer.',
      request: FailureRequest,
      data: failure,
      handle: ({ tenantId, input: { error_id } }) => {
        const found = deps.failures.find(tenantId, error_id);
        if (found !== undefined) return found;
        throw new DaemonError('not-found', 'no webhook of this tenant failed under this error id lately', {
          remedy: 'The log of the plugin daemon has older ones, and those of other nodes',
        });
      },
    }),
  ];
}
