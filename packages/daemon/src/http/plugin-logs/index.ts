/**
 * The route that shows what plugins said: the last lines, and those to come. Binds and writes; telemetry keeps the lines.
 * Called by the server's route table.
 */
import { once } from 'node:events';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { boolean, int, max, min, record, required, string } from '@plugin-daemon/wire-schema';
import type { JournalLine, JournalQuery, PluginJournal } from '../../telemetry/index.ts';
import { bindGet, readQuery } from '../binding.ts';
import { successBody } from '../envelope.ts';
import { type AnyRoute, route } from '../route.ts';

export interface PluginLogRoutesDeps {
  readonly journal: Pick<PluginJournal, 'lines' | 'follow'>;
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

export function pluginLogRoutes({ journal }: PluginLogRoutesDeps): readonly AnyRoute[] {
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
        handleRaw: async ({ tenantId, request, signal }, { raw }) => {
          const at = request.url.indexOf('?');
          const query = readQuery(at < 0 ? '' : request.url.slice(at + 1));
          const { plugin_id: pluginId, lines, follow } = bindGet(LogsRequest, query, {}, undefined, undefined);
          const wanted = { pluginId, tenantId };
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
