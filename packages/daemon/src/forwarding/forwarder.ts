import type { IncomingMessage, ServerResponse } from 'node:http';
import { DaemonError } from '@plugin-daemon/plugin-host/errors';
import { messageOf } from '@plugin-daemon/values';
import type { Member } from '../nodes/index.ts';
import type { Log } from '../telemetry/index.ts';
import { Exchange, type ForwardEnd } from './exchange.ts';
import { FORWARD_HEADER, MOST_HOPS, type NodeMarks } from './mark.ts';
import { passedHeaders } from './passed-headers.ts';
import { type Answered, type Heard, type NodeTls, Peer, type Question } from './peer.ts';
import { ForwardBody } from './request-body.ts';

export interface ForwarderOptions {
  readonly nodeId: string;
  readonly marks: NodeMarks;
  readonly tls: NodeTls | undefined;
  readonly log: Log;
  /** Of every call that went to another node. */
  readonly onEnd?: (outcome: ForwardEnd['end'], seconds: number) => void;
}

/** A call to hand over. */
export interface Handover {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** As the client wrote it. */
  readonly target: string;
  /** The nodes that it came through already. */
  readonly via?: readonly string[];
  readonly secure?: boolean;
  /** The client's address. */
  readonly client?: string;
  /** Added where the client sent none. */
  readonly traceparent?: string;
  /** Which node is asked; those that were asked before have not begun with it. Undefined: no other. */
  readonly choose: (tried: ReadonlySet<string>) => Member | undefined;
  /** What a client of a stream of events reads when the answer breaks off between two of them. */
  readonly lastWords?: (error: DaemonError) => string;
}

/** Hands calls to other nodes. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #peers = new Map<string, Peer>();

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /** Calls of ours that are open at a node. */
  openAt(nodeId: string): number {
    return this.#peers.get(nodeId)?.open ?? 0;
  }

  /** It did not answer a moment ago: another one is asked first. */
  isSuspect(nodeId: string): boolean {
    return this.#peers.get(nodeId)?.suspect ?? false;
  }

  /**
   * Lets another node answer. It is asked again only while it is certain that nobody has begun.
   * @returns false when no node took it: nothing was answered, and the request can be read as if nothing had been
   * @throws DaemonError when a node was lost that may have begun, before anything was answered
   */
  async forward(call: Handover): Promise<boolean> {
    if ((call.via?.length ?? 0) >= MOST_HOPS) return false;
    const tried = new Set<string>();
    let body: ForwardBody | undefined;
    for (let member = call.choose(tried); member !== undefined; member = call.choose(tried)) {
      tried.add(member.id);
      const startedAt = performance.now();
      body ??= await ForwardBody.of(call.request);
      const outcome = await this.#attempt(member, call, body);
      this.#options.onEnd?.(outcome.end, (performance.now() - startedAt) / 1000);
      if (outcome.end === 'answered') body.finish();
      if (outcome.end === 'answered' || outcome.end === 'left') return true;
      const fields = { node: member.name, node_id: member.id, reason: outcome.reason };
      if (outcome.end === 'lost') {
        this.#options.log.warn(fields, 'a node was lost while it worked on a call');
        breakOff(call, outcome.takesEvent, lost(member, outcome.reason));
        return true;
      }
      this.#options.log.info(fields, 'a node did not take a call');
      if (body.flows) throw lost(member, outcome.reason);
    }
    body?.restore();
    return false;
  }

  /** Asks a node about itself. @throws when it does not answer */
  ask(member: Member, question: Question): Promise<Answered> {
    return this.#peer(member).question(question);
  }

  /** Asks a node about itself what it goes on answering. @throws when it does not begin to answer */
  listen(member: Member, question: Question, signal: AbortSignal): Promise<Heard> {
    return this.#peer(member).listen(question, signal);
  }

  /** Closes connections to nodes that are not there any more; their calls may come to an end. */
  keepOnly(members: readonly Member[]): void {
    const ids = new Map(members.map((member) => [member.id, member]));
    for (const [id, peer] of this.#peers) {
      const member = ids.get(id);
      if (member !== undefined) peer.update(member);
      else if (peer.open === 0) {
        this.#peers.delete(id);
        peer.close().catch((error: unknown) => this.#options.log.warn({ error }, 'connections to a node that left'));
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#peers.values()].map((peer) => peer.close()));
    this.#peers.clear();
  }

  #peer(member: Member): Peer {
    const known = this.#peers.get(member.id);
    if (known !== undefined) {
      known.update(member);
      return known;
    }
    const { nodeId, marks, tls } = this.#options;
    const peer = new Peer(member, { self: nodeId, marks, tls });
    this.#peers.set(member.id, peer);
    return peer;
  }

  async #attempt(member: Member, call: Handover, body: ForwardBody): Promise<ForwardEnd> {
    const { request, response, target } = call;
    const peer = this.#peer(member);
    const pool = await peer.reach();
    if (response.destroyed) return { end: 'left' };
    if (pool === undefined) return { end: 'not-started', reason: peer.reason };
    const { marks, nodeId } = this.#options;
    const method = request.method ?? 'GET';
    const awaitsSign = body.isLong && !member.foreign;
    const mark = {
      to: member.id,
      via: [...(call.via ?? []), nodeId],
      secure: call.secure === true,
      awaitsSign,
      client: call.client,
    };
    const { header, proof } = marks.sign(mark, method, target);
    const headers = passedHeaders(request.rawHeaders, ['content-length', FORWARD_HEADER]);
    headers.push(FORWARD_HEADER, header);
    if (call.traceparent !== undefined && request.headers.traceparent === undefined)
      headers.push('traceparent', call.traceparent);
    // Its name for the host that the client meant, which it would lose.
    if (member.foreign && request.headers.host !== undefined) headers.push('X-Original-Host', request.headers.host);
    if (body.length !== undefined && (body.length > 0 || method === 'POST' || method === 'PUT'))
      headers.push('content-length', String(body.length));
    const exchange = new Exchange({ response, marks, proof, onHeard: () => peer.heard() });
    const attended = peer.attend(exchange);
    const sign = awaitsSign ? exchange.sign : Promise.resolve(true);
    try {
      pool.dispatch({ method, path: target, headers, body: asBody(body.content(sign)) }, exchange);
    } catch (error) {
      exchange.lose(messageOf(error));
    }
    const outcome = await exchange.done;
    await attended;
    return outcome;
  }
}

/** What was answered so far stands; a client of events reads why nothing follows. */
function breakOff({ response, lastWords }: Handover, takesEvent: boolean, error: DaemonError): void {
  if (!response.headersSent) throw error;
  if (takesEvent && lastWords !== undefined && !response.destroyed) response.end(lastWords(error));
  else response.destroy();
}

const lost = (member: Member, reason: string): DaemonError =>
  new DaemonError('internal', `the node ${member.name} was lost while it worked on this call: ${reason}`, {
    remedy: 'What it had begun may have been done; send the call again if it may be done twice',
  });

/** undici takes iterables, though its type does not say so. */
const asBody = (content: Buffer | null | AsyncIterable<Uint8Array>) => content as Buffer | null;
