/**
 * The route that shows what plugins said on all nodes: the last lines, and those to come. Binds, merges and writes; telemetry keeps the
 * lines, each node those of the processes that it runs.
 * Called by the server's route table.
 */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { boolean, int, max, min, record, required, string } from '@plugin-daemon/wire-schema';
import type { FastifyRequest } from 'fastify';
import type { JournalLine, JournalQuery, PluginJournal } from '../../telemetry/index.ts';
import { bindGet, readQuery } from '../binding.ts';
import { successBody } from '../envelope.ts';
import type { NodeCalls } from '../handover.ts';
import { questionOf, SILENT_NODES_HEADER, silentNodes } from '../other-nodes.ts';
import { type AnyRoute, route } from '../route.ts';
import { wireTarget } from '../wire-target.ts';
import { type NodeLine, OtherJournals } from './other-journals.ts';
import { FROM_NOW_ON } from './told-lines.ts';

export interface PluginLogRoutesDeps {
  readonly journal: Pick<PluginJournal, 'lines' | 'follow'>;
  /** What this node is called. */
  readonly nodeName?: string;
  /** The other nodes; absent where there can be none. */
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
    node: {
      type: 'string',
      description: 'Where it was said: NODE_NAME, with the number of the worker where there are several.',
    },
  },
  required: ['time', 'level', 'source', 'plugin_unique_identifier', 'message', 'node'],
} as const;

export function pluginLogRoutes({ journal, nodeName = '', nodes }: PluginLogRoutesDeps): readonly AnyRoute[] {
  return [
    {
      ...route({
        method: 'GET',
        group: 'plugin',
        path: '/management/logs',
        operationId: 'readPluginLogs',
        tag: 'Installed plugins',
        summary:
          'What a plugin said lately on all nodes, by time, and with `follow` what it says from now on; events, one a line.',
        description: `Kept in memory, some hundred lines of each plugin on each node. A version is one process for all tenants that have it, and so are its lines; those of a debugging connection are its tenant’s alone. Nodes that did not answer are named in the header \`${SILENT_NODES_HEADER}\` and in a line of source \`daemon\`: their lines are missing.`,
        data: line,
        produces: 'text/event-stream',
        handleRaw: async (call, { raw }) => {
          const { tenantId, request, signal } = call;
          const { path, query } = targetOf(request);
          const { plugin_id: pluginId, lines, follow } = bindGet(LogsRequest, query, {}, undefined, undefined);
          const wanted = { pluginId, tenantId };
          const leaving = new AbortController();
          const ending = AbortSignal.any([signal, leaving.signal]);
          const write = writer(raw, ending);
          const own = (each: JournalLine): NodeLine => ({ ...each, node: nodeName });
          const note = (node: string, message: string): NodeLine => ({
            time: new Date().toISOString(),
            level: 'warn',
            source: 'daemon',
            plugin_unique_identifier: pluginId,
            message: `the node ${node} ${message}: its lines are missing`,
            node,
          });
          // A node that asks wants what is here.
          const byNode = nodes?.received(request.raw) !== undefined;
          const others =
            nodes === undefined || byNode
              ? undefined
              : new OtherJournals({
                  nodes,
                  question: (count) => questionOf(request, `${path}?${queryOf(pluginId, count, follow)}`),
                  ...{ lines, follow, note },
                  signal: ending,
                });
          try {
            // Followed first: nothing is lost between what was and what comes.
            const coming = follow ? followed(journal, wanted, ending) : undefined;
            const here = journal.lines(wanted, lines).map(own);
            const there = await others?.past();
            const silent = there?.silent ?? [];
            raw.writeHead(200, {
              'Content-Type': 'text/event-stream',
              ...(silent.length > 0 && { [SILENT_NODES_HEADER]: silentNodes(silent) }),
            });
            raw.flushHeaders();
            const past = there === undefined ? here : lastOf([...here, ...there.lines], lines);
            for (const each of past) await write(each);
            for (const node of silent) await write(note(node, 'did not answer'));
            if (coming === undefined) return;
            if (byNode) raw.write(FROM_NOW_ON);
            const following = others?.follow(write);
            // The first to fail ends both; of the other nothing is to be known any more.
            const passing = passOn(coming, (each) => write(own(each))).finally(() => leaving.abort());
            await Promise.all([passing, following?.finally(() => leaving.abort())]);
          } catch (error) {
            if (!ending.aborted || !raw.headersSent) throw error;
          } finally {
            leaving.abort();
            if (raw.headersSent) raw.end();
          }
        },
      }),
      request: LogsRequest,
    },
  ];
}

/** The target as it was written, and what it asks. */
function targetOf(request: FastifyRequest): { readonly path: string; readonly query: ReturnType<typeof readQuery> } {
  const [path = '', ...query] = wireTarget(request.raw).split('?');
  return { path, query: readQuery(query.join('?')) };
}

const queryOf = (pluginId: string, lines: number, follow: boolean): string =>
  new URLSearchParams({ plugin_id: pluginId, lines: String(lines), follow: String(follow) }).toString();

/** By the clocks of the nodes; lines of one node stay in their order. */
const lastOf = (lines: readonly NodeLine[], count: number): readonly NodeLine[] =>
  count === 0 ? [] : lines.toSorted((one, other) => compare(one.time, other.time)).slice(-count);

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** Writes one line after the other, as fast as the client reads. */
function writer(raw: ServerResponse, signal: AbortSignal): (line: NodeLine) => Promise<void> {
  let draining: Promise<unknown> | undefined;
  return async (each) => {
    if (raw.write(`data: ${successBody(each)}\n\n`)) return;
    // One listener, however many nodes wait.
    draining ??= once(raw, 'drain', { signal }).finally(() => {
      draining = undefined;
    });
    await draining;
  };
}

async function passOn(lines: AsyncIterable<JournalLine>, write: (line: JournalLine) => Promise<void>): Promise<void> {
  for await (const each of lines) await write(each);
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
