/** Liveness, readiness, the figures of upstream's health route, and metrics (http-api §14). Called by the server's route table. */
import { DaemonError } from '../../errors/index.ts';
import { type AnyRoute, route } from '../route.ts';

export interface HealthDependencies {
  readonly version: string;
  readonly buildTime: string;
  readonly platform: string;
  /** ROUTINE_POOL_SIZE: there is no such pool here, but monitoring may read the figures. */
  readonly poolSize: number;
  readonly activeRequests: () => number;
  readonly activeDispatches: () => number;
  readonly openSessions: () => number;
  /** What is not ready, by name; empty when all is well. */
  readonly problems: () => Promise<Readonly<Record<string, string>>>;
  /** The text of all metrics and its content type; undefined when they are switched off. */
  readonly metrics: (() => Promise<{ readonly type: string; readonly text: string }>) | undefined;
}

export function healthRoutes(dependencies: HealthDependencies): readonly AnyRoute[] {
  const { metrics } = dependencies;
  const routes: AnyRoute[] = [
    plain('/health/check', 'Figures of this node; always ok', async () => ({
      status: 200,
      body: JSON.stringify(figures(dependencies)),
    })),
    plain('/livez', 'The process answers', async () => ({ status: 200, body: '{"status":"ok"}' })),
    plain('/readyz', 'The database, the storage and the installed plugins are there', async () => {
      const problems = await dependencies.problems();
      const ready = Object.keys(problems).length === 0;
      return { status: ready ? 200 : 503, body: JSON.stringify({ status: ready ? 'ok' : 'not ready', problems }) };
    }),
  ];
  if (metrics !== undefined) {
    routes.push(
      plain(
        '/metrics/',
        'Prometheus metrics',
        async () => {
          const { type, text } = await metrics();
          return { status: 200, body: text, type };
        },
        ['/metrics'],
      ),
    );
  }
  return routes;
}

function figures({
  version,
  buildTime,
  platform,
  poolSize,
  activeRequests,
  activeDispatches,
  openSessions,
}: HealthDependencies) {
  const busy = Math.min(openSessions(), poolSize);
  return {
    status: 'ok',
    pool_status: { free: poolSize - busy, busy, total: poolSize },
    version,
    build_time: buildTime,
    platform,
    active_requests: activeRequests(),
    active_dispatch_requests: activeDispatches(),
  };
}

interface Plain {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

function plain(path: string, summary: string, answer: () => Promise<Plain>, aliases: readonly string[] = []): AnyRoute {
  return route({
    method: 'GET',
    group: 'public',
    path,
    aliases,
    tag: 'health',
    summary,
    produces: path.startsWith('/metrics') ? 'text/plain' : 'application/json',
    handleRaw: async (_call, reply) => {
      const { status, body, type } = await answer();
      if (reply.raw.destroyed) throw new DaemonError('internal', 'the client left');
      const bytes = Buffer.from(body);
      reply.raw.writeHead(status, {
        'Content-Type': type ?? 'application/json; charset=utf-8',
        'Content-Length': bytes.length,
      });
      reply.raw.end(bytes);
    },
  });
}
