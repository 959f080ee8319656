/** Calls that belong to another node: asked before anything of a body is read. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import type { Answered, Forwarded, Handover, Heard, Question } from '../forwarding/index.ts';
import type { Member } from '../nodes/index.ts';
import type { Placement } from '../routing/index.ts';
import { wireTarget } from './wire-target.ts';

/** What the routes need of the other nodes. */
export interface NodeCalls {
  /** What a call is that another node handed over; undefined for a client's. */
  received(request: IncomingMessage): Forwarded | undefined;
  member(nodeId: string): Member | undefined;
  /** Where a call goes that nodes did not take. @throws DaemonError `not-routable` if there is nowhere else */
  again(placement: Placement, tried: ReadonlySet<string>): Placement;
  /** @returns false when no node took it; the request is as it was then */
  forward(call: Handover): Promise<boolean>;
  /** The other nodes that can be asked about themselves. */
  others(): readonly Member[];
  /** @throws when it does not answer */
  ask(member: Member, question: Question): Promise<Answered>;
  /** The same of an answer that goes on. @throws when it does not begin */
  listen(member: Member, question: Question, signal: AbortSignal): Promise<Heard>;
  /** One did not answer. */
  onSilent(member: Member, reason: string): void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The address of the client. */
  readonly client: string;
  readonly traceparent?: string;
  readonly lastWords?: NonNullable<Handover['lastWords']>;
}

/**
 * Lets another node answer, if the call belongs to one.
 * @returns the placement if it is to be answered here; undefined if it was answered
 * @throws DaemonError `not-routable` if no node takes it
 */
export async function handOver(
  nodes: NodeCalls | undefined,
  placement: Placement,
  exchange: Exchange,
): Promise<Placement | undefined> {
  if (placement.where.at !== 'node' || nodes === undefined) return placement;
  const received = nodes.received(exchange.request);
  if (received !== undefined) {
    // It was here when the other node looked.
    received.refuse('not-mine');
    return undefined;
  }
  let last: Placement = placement;
  const answered = await nodes.forward({
    ...exchange,
    target: wireTarget(exchange.request),
    secure: isSecure(exchange.request),
    choose: (tried) => {
      if (tried.size > 0) last = nodes.again(placement, tried);
      return last.where.at === 'node' ? nodes.member(last.where.nodeId) : undefined;
    },
  });
  if (answered) return undefined;
  if (last.where.at === 'here') return last;
  throw new DaemonError('not-routable', 'no available node, plugin runtime not found');
}

/** The connection of the client is TLS, be it to this node or to the one that handed the call over. */
export function isSecure(request: IncomingMessage, nodes?: NodeCalls): boolean {
  const received = nodes?.received(request);
  return received?.secure ?? ('encrypted' in request.socket && request.socket.encrypted === true);
}
