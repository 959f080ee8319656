/**
 * Liveness, readiness, the figures of upstream's health route, and metrics (docs/wire/http-api.md#health-and-metrics). Called by the
 * server's route table.
 */

import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { ParentFacts } from '@plugin-daemon/plugin-host/prefork';
import type { FastifyRequest } from 'fastify';
import { maySeeDetails } from '../gate.ts';
import { type AnyRoute, route } from '../route.ts';

export interface HealthDependencies {
  readonly version: string;
  readonly buildTime: string;
  readonly platform: string;
  /** ROUTINE_POOL_SIZE: there is no such pool here, but monitoring may read the figures. */
  readonly poolSize: number;
  readonly figures: () => Promise<HealthFigures>;
  readonly state: () => Promise<HealthState>;
  /** The text of all metrics and its content type; undefined when they are switched off. */
  readonly metrics: (() => Promise<{ readonly type: string; readonly text: string }>) | undefined;
}

/** What is under way. */
export interface HealthFigures {
  readonly requests: number;
  readonly dispatches: number;
  readonly sessions: number;
}

export interface HealthState {
  /** What is not ready, in full; empty when all is well. */
  readonly problems: Problems;
  /** What holds each plugin in that was started, by unique identifier. */
  readonly isolation: Readonly<Record<string, string>>;
  /** How each plugin was started last, and why so. */
  readonly starts: Readonly<Record<string, string>>;
  /** The processes that fork plugins. */
  readonly parents: readonly ParentFacts[];
}

/** What is not ready. Texts may quote plugins and paths, so they are for those who may see details. */
export interface Problems {
  /** By part: `database`, `cache`, … */
  readonly parts: Readonly<Record<string, string>>;
  /** By unique identifier. */
  readonly plugins: Readonly<Record<string, string>>;
}

export function healthRoutes(dependencies: HealthDependencies): readonly AnyRoute[] {
  const { metrics } = dependencies;
  const routes: AnyRoute[] = [
    plain(
      {
        path: '/health/check',
        operationId: 'getHealth',
        summary: 'Figures of this node; always ok',
        body: schemas.figures,
      },
      async () => ({ status: 200, body: JSON.stringify(figures(dependencies, await dependencies.figures())) }),
    ),
    plain(
      { path: '/livez', operationId: 'getLiveness', summary: 'The process answers', body: schemas.live },
      async () => ({ status: 200, body: '{"status":"ok"}' }),
    ),
    plain(
      {
        path: '/readyz',
        group: 'probe',
        operationId: 'getReadiness',
        summary: 'The database, the storage and the installed plugins are there',
        description:
          'What exactly is missing is told to those who have a key, and to everybody while DETAILS_ACCESS is open.',
        body: schemas.ready,
        alsoWith: { 503: 'Not ready; `problems` says why.' },
      },
      async (request) => {
        const { problems: found, isolation, starts, parents } = await dependencies.state();
        const detailed = maySeeDetails(request);
        const problems = detailed ? inFull(found) : inShort(found);
        const ready = Object.keys(problems).length === 0;
        const body = {
          status: ready ? 'ok' : 'not ready',
          problems,
          ...(detailed && { isolation, starts, parents }),
        };
        return { status: ready ? 200 : 503, body: JSON.stringify(body) };
      },
    ),
  ];
  if (metrics !== undefined) {
    routes.push(
      plain(
        {
          path: '/metrics/',
          aliases: ['/metrics'],
          group: 'details',
          operationId: 'getMetrics',
          summary: 'Prometheus metrics',
          produces: 'text/plain',
        },
        async () => {
          const { type, text } = await metrics();
          return { status: 200, body: text, type };
        },
      ),
    );
  }
  return routes;
}

const count = { type: 'integer', minimum: 0 } as const;
const text = { type: 'string' } as const;
const parentFacts = {
  title: 'Parent',
  type: 'object',
  properties: {
    sdk: { type: 'string', description: 'The version of the SDK that it has imported.' },
    state: { enum: ['waits', 'imports', 'ready', 'failed'] },
    pid: { type: 'integer' },
    plugins: { type: 'integer', description: 'Processes of plugins that were forked from it and run.' },
    reason: { type: 'string', description: 'Why it could not be started.' },
  },
  required: ['sdk', 'state'],
} as const;

const schemas = {
  figures: {
    title: 'Health',
    type: 'object',
    properties: {
      status: { const: 'ok' },
      pool_status: {
        type: 'object',
        properties: { free: count, busy: count, total: count },
        required: ['free', 'busy', 'total'],
      },
      version: text,
      build_time: text,
      platform: text,
      active_requests: count,
      active_dispatch_requests: count,
    },
    required: [
      'status',
      'pool_status',
      'version',
      'build_time',
      'platform',
      'active_requests',
      'active_dispatch_requests',
    ],
  },
  live: { type: 'object', properties: { status: { const: 'ok' } }, required: ['status'] },
  ready: {
    title: 'Readiness',
    type: 'object',
    properties: {
      status: { enum: ['ok', 'not ready'] },
      problems: {
        type: 'object',
        additionalProperties: text,
        description: 'What is missing: by plugin, or in short for those without a key.',
      },
      isolation: {
        type: 'object',
        additionalProperties: { enum: ['uid+namespace', 'uid', 'namespace', 'none', 'unsupervised'] },
        description: 'What holds each plugin in that was started, for those who may see details.',
      },
      starts: {
        type: 'object',
        additionalProperties: text,
        description:
          'How each plugin was started last: `forked` from a process that has imported the SDK, `templated` from one that has imported the plugin, or `plain` with the reason; after `forked` perhaps why it has no template. For those who may see details.',
      },
      parents: {
        type: 'array',
        items: parentFacts,
        description:
          'The processes that fork plugins, and those that could not be started lately; for those who may see details.',
      },
    },
    required: ['status', 'problems'],
  },
} as const;

function figures(
  { version, buildTime, platform, poolSize }: HealthDependencies,
  { requests, dispatches, sessions }: HealthFigures,
) {
  const busy = Math.min(sessions, poolSize);
  return {
    status: 'ok',
    pool_status: { free: poolSize - busy, busy, total: poolSize },
    version,
    build_time: buildTime,
    platform,
    active_requests: requests,
    active_dispatch_requests: dispatches,
  };
}

interface Plain {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const inFull = ({ parts, plugins }: Problems): Readonly<Record<string, string>> => ({ ...parts, ...plugins });

/** The same without names, paths and words of plugins. */
function inShort({ parts, plugins }: Problems): Readonly<Record<string, string>> {
  const count = Object.keys(plugins).length;
  return {
    ...Object.fromEntries(Object.keys(parts).map((part) => [part, 'cannot be reached'])),
    ...(count > 0 && { plugins: `${count} not running` }),
  };
}

type PlainSpec = Pick<
  AnyRoute,
  'description' | 'path' | 'aliases' | 'operationId' | 'summary' | 'body' | 'alsoWith' | 'produces'
>;

function plain(
  spec: PlainSpec & { readonly group?: 'probe' | 'details' },
  answer: (request: FastifyRequest) => Promise<Plain>,
): AnyRoute {
  return route({
    group: 'public',
    ...spec,
    method: 'GET',
    tag: 'Health',
    whileStopping: true,
    handleRaw: async ({ request }, reply) => {
      const { status, body, type } = await answer(request);
      if (reply.raw.destroyed) throw new DaemonError('internal', 'the client left');
      reply.raw.writeHead(status, {
        'Content-Type': type ?? 'application/json; charset=utf-8',
        'Content-Length': Buffer.byteLength(body),
      });
      // A text leaves together with the head.
      reply.raw.end(body);
    },
  });
}
