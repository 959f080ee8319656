/** Routes whose answer is made of what each node knows of itself: the others are asked the same, and answer for themselves alone. */
import { parseForeign } from '@plugin-daemon/plugin-host/json';
import { isObject, messageOf } from '@plugin-daemon/values';
import type { FastifyRequest } from 'fastify';
import type { Question } from '../forwarding/index.ts';
import type { NodeCalls } from './handover.ts';
import type { Call } from './route.ts';
import { wireTarget } from './wire-target.ts';

/** What the other nodes answered. */
export interface OtherAnswers {
  /** Of those that answered as they should, with their names. */
  readonly answers: readonly { readonly node: string; readonly data: unknown }[];
  /** Names of those that did not: what they know is missing. */
  readonly silent: readonly string[];
}

/** On an answer that is not whole: the nodes that did not say what they know. */
export const SILENT_NODES_HEADER = 'X-Plugin-Nodes-Silent';

const nobody: OtherAnswers = { answers: [], silent: [] };
/** What goes along: who asks, and what for. */
const passed = ['x-api-key', 'x-admin-api-key', 'traceparent'] as const;

/** Asks every other node what this request asks. Nobody is asked on behalf of another node. Never rejects. */
export async function askOthers(nodes: NodeCalls | undefined, request: FastifyRequest): Promise<OtherAnswers> {
  if (nodes === undefined || nodes.received(request.raw) !== undefined) return nobody;
  const question = questionOf(request);
  const answers: { node: string; data: unknown }[] = [];
  const silent: string[] = [];
  await Promise.all(
    nodes.others().map(async (member) => {
      try {
        const { status, text } = await nodes.ask(member, question);
        // Who does not have it says so, which is an answer.
        const read = status === 200 || status === 404 ? parseForeign(text) : { ok: false as const };
        if (!read.ok || !isObject(read.value)) throw new Error(`it answered ${status}`);
        answers.push({ node: member.name, data: read.value['code'] === 0 ? read.value['data'] : undefined });
      } catch (error) {
        nodes.onSilent(member, messageOf(error));
        silent.push(member.name);
      }
    }),
  );
  return { answers, silent };
}

/** What a request asks, to be asked of another node. */
export function questionOf(request: FastifyRequest, target = wireTarget(request.raw)): Question {
  const headers = passed.flatMap((name) => {
    const value = request.headers[name];
    return typeof value === 'string' ? [[name, value] as const] : [];
  });
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  return { method, target, headers: Object.fromEntries(headers), client: request.ip };
}

/** The rows of all nodes, each with the name of its node. @param readRow what comes from outside; undefined for what is no row */
export const rowsOf = <Row>(
  { answers }: OtherAnswers,
  readRow: (row: unknown, node: string) => Row | undefined,
): Row[] =>
  answers.flatMap(({ node, data }) =>
    Array.isArray(data) ? data.flatMap((row: unknown) => readRow(row, node) ?? []) : [],
  );

/** Says on an answer whose part is missing. */
export function tellOfSilent({ silent }: OtherAnswers, call: Pick<Call<unknown>, 'header'>): void {
  if (silent.length > 0) call.header(SILENT_NODES_HEADER, silentNodes(silent));
}

/** Names as that header has them. */
export const silentNodes = (names: readonly string[]): string => names.map(inHeader).join(', ');

/** Names of nodes are what operators write. */
const inHeader = (name: string): string => name.replace(/[^\x21-\x7e]/g, '?').slice(0, 100) || '?';
