/**
 * Operators' routes, below `/admin`: the audit log, processes and environments of plugins, and those of the serverless platform
 * (docs/wire/http-api.md#admin). On the local platform the latter say that they are not for it, in the words that tools know. Called by the
 * server's route table when ADMIN_API_ENABLED is on.
 */

import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { isUniqueIdentifier } from '@plugin-daemon/plugin-package';
import { int, record, required, rule, string } from '@plugin-daemon/wire-schema';
import type { AuditEvents } from '../../database/index.ts';
import type { Functions, ReinstallEvent } from '../../functions/index.ts';
import { type AnyRoute, route } from '../route.ts';
import { type EnvironmentDependencies, environmentRoutes } from './environments.ts';
import { type PluginPolicyDependencies, pluginPolicyRoutes } from './plugin-policies.ts';

const identifier = () => ({
  plugin_unique_identifier: string('PluginUniqueIdentifier')
    .check(
      required,
      rule('plugin_unique_identifier', (value) => typeof value === 'string' && isUniqueIdentifier(value)),
    )
    .describe('The plugin version whose function is meant.'),
});
const Reinstall = record('', identifier());
const SwitchEndpoint = record('', identifier(), {
  function_name: string('FunctionName').check(required),
  function_url: string('FunctionURL').check(required),
});

const progress = {
  title: 'ReinstallProgress',
  type: 'object',
  properties: { event: { enum: ['info', 'done', 'error'] }, data: { type: 'string' } },
  required: ['event', 'data'],
} as const;

const line = { type: 'string' } as const;
const auditEvent = {
  title: 'AuditEvent',
  type: 'object',
  properties: {
    id: line,
    created_at: line,
    updated_at: line,
    action: line,
    tenant_id: line,
    subject: line,
    address: line,
    credential: line,
    outcome: line,
    detail: line,
    trace_id: line,
  },
  required: ['id', 'created_at', 'action', 'tenant_id', 'subject', 'address', 'credential', 'outcome'],
} as const;

const MAX_BODY_BYTES = 1024 * 1024;
const tag = 'Admin';

export interface AdminDependencies extends PluginPolicyDependencies, EnvironmentDependencies {
  readonly auditEvents: Pick<AuditEvents, 'list'>;
  /** Absent on the local platform. */
  readonly functions?: Pick<Functions, 'reinstall' | 'point'>;
}

const AuditPage = record('', {
  limit: int('Limit').describe('How many, 100 unless given, 1000 at most.'),
  before: string('Before').describe('The id of the last event seen.'),
  tenant_id: string('TenantID').describe('Only of this tenant.'),
});

async function* notHere(): AsyncGenerator<ReinstallEvent> {
  yield { event: 'error', data: 'reinstall is not supported on local platform' };
}

export function adminRoutes({ auditEvents, functions, ...processes }: AdminDependencies): readonly AnyRoute[] {
  return [
    ...pluginPolicyRoutes(processes),
    ...environmentRoutes(processes),
    route({
      method: 'GET',
      group: 'admin',
      path: '/audit',
      operationId: 'listAuditEvents',
      tag,
      summary: 'Who installed, upgraded, removed or rotated what, newest first.',
      request: AuditPage,
      data: { type: 'array', items: auditEvent },
      handle: ({ input: { limit, before, tenant_id } }) =>
        auditEvents.list({
          limit: Math.min(Math.max(limit || 100, 1), 1000),
          ...(before !== '' && { before }),
          ...(tenant_id !== '' && { tenantId: tenant_id }),
        }),
    }),
    route({
      method: 'POST',
      group: 'admin',
      path: '/plugin/serverless/reinstall',
      operationId: 'reinstallServerlessPlugin',
      tag,
      summary: 'Build the function of a plugin anew; events as they happen.',
      request: Reinstall,
      bodyLimit: MAX_BODY_BYTES,
      data: progress,
      produces: 'text/event-stream',
      errorStatus: 'kind',
      audit: {
        action: 'reinstall-function',
        subjects: ({ input }) => [input.plugin_unique_identifier],
      },
      handleEvents: ({ input, signal }) => functions?.reinstall(input.plugin_unique_identifier, signal) ?? notHere(),
    }),
    route({
      method: 'POST',
      group: 'admin',
      path: '/plugin/serverless/switch-endpoint',
      operationId: 'switchServerlessEndpoint',
      tag,
      summary: 'Point a plugin to another function.',
      request: SwitchEndpoint,
      data: { const: true },
      audit: {
        action: 'switch-function',
        subjects: ({ input }) => [input.plugin_unique_identifier],
      },
      handle: async ({ input: { plugin_unique_identifier, function_name, function_url } }) => {
        if (functions === undefined)
          throw new DaemonError('internal', 'switch serverless runtime is not supported on local platform');
        await functions.point(plugin_unique_identifier, { url: function_url, name: function_name });
        return true;
      },
    }),
  ];
}
