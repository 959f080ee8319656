import type { Functions } from '../functions.ts';
import { type SriRoute, sendJson, sendText } from './routes.ts';

export interface StateRoutesOptions {
  readonly functions: Functions;
  /** What keeps it from working now; undefined when nothing does. */
  readonly problem: (signal: AbortSignal) => Promise<string | undefined>;
  readonly metrics: (() => Promise<{ readonly type: string; readonly text: string }>) | undefined;
}

/** What orchestrators and collectors ask. */
export function stateRoutes({ functions, problem, metrics }: StateRoutesOptions): readonly SriRoute[] {
  return [
    {
      methods: ['GET'],
      path: '/livez',
      access: 'open',
      summary: 'The process answers.',
      handle: ({ response }) => sendText(response, 200, 'ok'),
    },
    {
      methods: ['GET'],
      path: '/readyz',
      access: 'open',
      summary: 'It takes calls and launches: not while it stops, nor while functions cannot be run or kept.',
      handle: async ({ response, signal }) => {
        const reason = functions.stopping ? 'stopping' : await problem(signal);
        // Why it is not may name paths and addresses: the log and the metrics' readers learn that.
        sendJson(response, reason === undefined ? 200 : 503, { status: reason === undefined ? 'ready' : 'not ready' });
      },
    },
    {
      methods: ['GET'],
      path: '/metrics',
      access: 'details',
      summary: 'Metrics for Prometheus.',
      handle: async ({ response }) => {
        if (metrics === undefined) return sendJson(response, 404, { error: 'PROMETHEUS_ENABLED is false' });
        const { type, text } = await metrics();
        sendText(response, 200, text, type);
      },
    },
  ];
}
