import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { TraceContext } from '../telemetry/index.ts';
import { usedFormerKey } from './gate.ts';
import type { AnyRoute, Call } from './route.ts';

/** A change that somebody made through a route, or tried to make. */
export interface HttpAuditEvent {
  readonly action: string;
  readonly tenant_id: string;
  readonly subject: string;
  readonly address: string;
  readonly credential: string;
  readonly outcome: 'done' | 'failed';
  readonly detail: string;
  readonly trace_id: string;
}

/** Runs the work of a route and tells what came of it, where the route is marked so. */
export async function audited(
  route: AnyRoute,
  call: Call<never>,
  tell: ((event: HttpAuditEvent) => void) | undefined,
  work: () => unknown,
): Promise<unknown> {
  const { audit } = route;
  if (audit === undefined || tell === undefined) return work();
  // Asked before: afterwards it may be gone. What cannot be asked is refused by the work itself, in its own words.
  const subjects = await Promise.resolve()
    .then(() => audit.subjects(call))
    .catch(() => ['(unknown)']);
  const { request, tenantId } = call;
  const common = {
    action: audit.action,
    tenant_id: tenantId,
    address: request.ip,
    credential: `${route.group === 'admin' ? 'admin-key' : 'server-key'}${usedFormerKey(request) ? ' (former)' : ''}`,
    trace_id:
      request.headers.traceparent === undefined ? '' : TraceContext.from(String(request.headers.traceparent)).traceId,
  };
  const tellAll = (outcome: HttpAuditEvent['outcome'], detail: string): void => {
    for (const subject of subjects) tell({ ...common, subject, outcome, detail });
  };
  try {
    const result = await work();
    tellAll('done', '');
    return result;
  } catch (error) {
    tellAll('failed', error instanceof DaemonError ? error.message : 'the daemon failed; its log says why');
    throw error;
  }
}
