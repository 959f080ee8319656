/**
 * The route that shows what plugins said: the last lines, and those to come. Binds and writes; telemetry keeps the lines, at the node where
 * calls of the plugin go, which answers.
 * Called by the server's route table.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { boolean, int, max, min, record, required, string } from '@plugin-daemon/wire-schema';
import type { FastifyRequest } from 'fastify';
import type { Routing } from '../../routing/index.ts';
import type { JournalLine, JournalQuery, PluginJournal } from '../../telemetry/index.ts';
import { bindGet, readQuery } from '../binding.ts';
import { successBody } from '../envelope.ts';
import { handOver, type NodeCalls } from '../handover.ts';
import { type AnyRoute, route } from '../route.ts';

export interface PluginLogRoutesDeps {
  readonly journal: Pick<PluginJournal, 'lines' | 'follow'>;
  readonly routing?: Pick<Routing, 'find'>;
  readonly nodes?: NodeCalls | undefined;
}

const MAX_LINES = 1000;

const LogsRequest = record('', {
  plugin_id: string('PluginID').check(required, max(256)).describe('`author/name`'),
  lines: int('Lines').check(min(0), max(MAX_LINES)).describe('How many of the last lines.'),
  follow: boolean('Follow').describe('Also the lines to come, until the client leaves.'),
});

const line = {
  title: 'PluginLogLine',
  type: 'object',
  properties: {
    time: { type: 'string', format: 'date-time' },
    level: { enum: ['debug', 'info', 'warn', 'error'] },
    source: {
      type: 'string',
      description: "`log`, `stdout`, `stderr`: the plugin's own words; `daemon`: what happened to it",
    },
    plugin_unique_identifier: { type: 'string', description: 'author/name:version@checksum' },
    message: { type: 'string' },
  },
  required: ['time', 'level', 'source', 'plugin_unique_identifier', 'message'],
} as const;

export function pluginLogRoutes(deps: PluginLogRoutesDeps): readonly AnyRoute[] {
  const { journal } = deps;
  return [
    {
      ...route({
        method: 'GET',
        group: 'plugin',
        path: '/management/logs',
        operationId: 'readPluginLogs',
        tag: 'Installed plugins',
        summary: 'What a plugin said lately, and with `follow` what it says from now on; events, one a line.',
        description:
          'Kept in memory, some hundred lines of each plugin. A version is one process for all tenants that have it, and so are its lines; those of a debugging connection are its tenant’s alone.',
        data: line,
        produces: 'text/event-stream',
        handleRaw: async (call, { raw }) => {
          const { tenantId, request, signal } = call;
          const at = request.url.indexOf('?');
          const query = readQuery(at < 0 ? '' : request.url.slice(at + 1));
          const { plugin_id: pluginId, lines, follow } = bindGet(LogsRequest, query, {}, undefined, undefined);
          const wanted = { pluginId, tenantId };
          if (await answeredElsewhere(deps, wanted, request, raw)) return;
          // Followed first: nothing is lost between what was and what comes.
          const leaving = new AbortController();
          const coming = follow ? followed(journal, wanted, AbortSignal.any([signal, leaving.signal])) : undefined;
          raw.writeHead(200, { 'Content-Type': 'text/event-stream' });
          raw.flushHeaders();
          const write = async (each: JournalLine): Promise<void> => {
            if (!raw.write(`data: ${successBody(each)}\n\n`)) await once(raw, 'drain', { signal });
          };
          try {
            for (const each of journal.lines(wanted, lines)) await write(each);
            if (coming !== undefined) for await (const each of coming) await write(each);
          } catch (error) {
            if (!signal.aborted) throw error;
          } finally {
            leaving.abort();
            raw.end();
          }
        },
      }),
      request: LogsRequest,
    },
  ];
}

/** Has the node answer that gets the calls of the plugin, if that is another one. */
async function answeredElsewhere(
  { routing, nodes }: PluginLogRoutesDeps,
  { tenantId, pluginId }: JournalQuery,
  request: FastifyRequest,
  response: ServerResponse,
): Promise<boolean> {
  if (routing === undefined || nodes === undefined || nodes.received(request.raw) !== undefined) return false;
  try {
    const placement = await routing.find(tenantId, pluginId);
    if (placement === undefined || placement === 'away') return false;
    return (await handOver(nodes, placement, { request: request.raw, response, client: request.ip })) === undefined;
  } catch (error) {
    // Nothing runs it now: what it said here before is all there is.
    if (error instanceof DaemonError && error.kind === 'not-routable') return false;
    throw error;
  }
}

function followed(
  journal: PluginLogRoutesDeps['journal'],
  query: JournalQuery,
  signal: AbortSignal,
): AsyncIterable<JournalLine> {
  try {
    return journal.follow(query, signal);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DaemonError('bad-request', error.message, { cause: error, remedy: 'Let one of them end first' });
  }
}
