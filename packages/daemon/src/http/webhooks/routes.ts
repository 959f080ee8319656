import { type AnyRoute, route } from '../route.ts';
import { answerCall, type WebhookDeps } from './call.ts';

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'] as const;

/** The route table of the webhooks. */
export function webhookRoutes(deps: WebhookDeps): readonly AnyRoute[] {
  return methods.map((method) =>
    route({
      method,
      group: 'public',
      path: '/e/:hook_id/*',
      aliases: ['/e/:hook_id'],
      operationId: `webhook${method.charAt(0)}${method.slice(1).toLowerCase()}`,
      rest: 'path',
      tag: 'Webhooks',
      summary: 'Call the endpoint plugin behind a hook; everything below the hook is passed on',
      produces: '*/*',
      errorStatus: 'kind',
      handleRaw: ({ params, request, signal }, reply) =>
        answerCall(deps, params.hook_id ?? '', request, reply.raw, signal),
    }),
  );
}
