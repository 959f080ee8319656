import type { ServerResponse } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { ByteBudget } from '@plugin-daemon/plugin-host/budget';
import { DaemonError, toDaemonError } from '@plugin-daemon/plugin-host/errors';
import type { FastifyRequest } from 'fastify';
import type { Invocations, Session } from '../../invocation/index.ts';
import { recognise } from '../gate.ts';
import { isSecure, type NodeCalls } from '../handover.ts';
import { endWhenSent, readBody } from '../raw-body.ts';
import { wireTarget } from '../wire-target.ts';
import { acceptsGzip, LineAnswer } from './line-answer.ts';
import { messageProblem, type ReadTransaction, readTransaction } from './read-transaction.ts';
import { refusalLines } from './refusal.ts';

/** What came of a call back. */
export type TransactionOutcome =
  | 'served'
  | 'forwarded'
  | 'unknown-session'
  | 'unreachable'
  | 'wrong-secret'
  | 'foreign-session'
  | 'malformed'
  | 'timeout'
  | 'left';

export interface TransactionsDependencies {
  readonly invocations: Pick<Invocations, 'find'>;
  /** Which other node holds a session; absent where there is no other. */
  readonly nodeOf?: (sessionId: string) => Promise<string | undefined>;
  /** The other nodes; absent while there can be none. */
  readonly nodes?: NodeCalls | undefined;
  /** Whether a call that shows no secret is refused. */
  readonly secretRequired: boolean;
  /** Longest call; MAX_SERVERLESS_TRANSACTION_TIMEOUT. */
  readonly timeoutMs: number;
  /** Bodies that are being read. */
  readonly bodies: ByteBudget;
  /** Between two signs of life; default 25,000. */
  readonly keepAliveMs?: number;
  readonly onOutcome: (outcome: TransactionOutcome) => void;
  /** Somebody called in the name of a session that is not theirs; once for each session. */
  readonly onImpostor: (session: Session, request: FastifyRequest, outcome: 'wrong-secret' | 'foreign-session') => void;
}

const MAX_BODY_BYTES = 6 * 1024 * 1024;
/** Another node may have told of a session a moment later than the function called. */
const SECOND_LOOK_MS = 200;

export class Transactions {
  readonly #deps: TransactionsDependencies;
  readonly #told = new WeakSet<Session>();

  constructor(dependencies: TransactionsDependencies) {
    this.#deps = dependencies;
  }

  /** Answers one call. @throws DaemonError where nothing was answered */
  async answer(request: FastifyRequest, response: ServerResponse, left: AbortSignal): Promise<void> {
    const { bodies } = this.#deps;
    const named = headerOf(request, 'dify-plugin-session-id');
    // Before anything of the body is read: it is streamed to where its session is. SDKs name it in this header.
    try {
      if (named !== undefined && (await this.#handOver(named, request, response))) return;
    } catch (error) {
      if (response.headersSent) throw error;
      // Redis or the other node cannot be reached: in lines, as everything that an SDK is told.
      const known = toDaemonError(error);
      return this.#refuse(response, known.status, 'unreachable', {
        sessionId: named ?? '',
        type: 'SessionUnreachable',
        text: known.wireMessage,
      });
    }
    // Functions of one cloud share a few addresses, and must not be counted as one stranger; strangers, whatever they name, are.
    const isKnown =
      named !== undefined &&
      this.#deps.invocations.find(named)?.admits(this.#secretOf(request), this.#deps.secretRequired) === true;
    if (isKnown) recognise(request);
    const announced = Number(request.headers['content-length'] ?? MAX_BODY_BYTES);
    const release = await bodies.acquire(
      Math.min(announced || MAX_BODY_BYTES, MAX_BODY_BYTES),
      left,
      isKnown ? named : request.ip,
    );
    let body: Buffer;
    try {
      body = await readBody(request.raw, MAX_BODY_BYTES);
    } catch (error) {
      if (!(error instanceof DaemonError) || error.kind !== 'too-large') throw error;
      return this.#refuse(response, 413, 'malformed', { sessionId: named ?? '', text: error.message });
    } finally {
      release();
    }
    const read = readTransaction(body.toString('utf8'), isKnown);
    if (typeof read === 'string')
      return this.#refuse(response, 400, 'malformed', { sessionId: named ?? '', text: read });
    if (named !== undefined && named !== '' && named !== read.sessionId) return this.#foreign(request, response, read);
    const session = this.#deps.invocations.find(read.sessionId);
    // Others call back on their own channel: their ids are nobody's business here.
    if (session?.runtime.type !== 'serverless') return this.#unknown(response, read);
    if (!session.admits(this.#secretOf(request), this.#deps.secretRequired)) {
      this.#impostor(session, request, 'wrong-secret');
      return this.#refuse(response, 403, 'wrong-secret', {
        ...read,
        type: 'SessionSecretRefused',
        text: 'the secret of the session is missing or wrong: only the function that was called with it may call back',
      });
    }
    recognise(request);
    await this.#serve(session, read, request, response, left);
  }

  async #serve(
    session: Session,
    { message }: ReadTransaction,
    request: FastifyRequest,
    response: ServerResponse,
    left: AbortSignal,
  ): Promise<void> {
    const problem = messageProblem(message);
    if (problem !== undefined) return this.#plain(response, 400, problem, 'text/plain; charset=utf-8');
    const over = new AbortController();
    const data: unknown = Object.assign({ data: undefined }, message).data;
    const signal = AbortSignal.any([left, over.signal]);
    const answer = new LineAnswer(response, {
      acceptsGzip: acceptsGzip(request.headers['accept-encoding']),
      signal: AbortSignal.any([signal, session.signal]),
      keepAliveMs: this.#deps.keepAliveMs,
    });
    const served = session.transact(data, (line) => answer.send(line), signal);
    if (typeof served === 'string') {
      answer.abandon();
      return this.#plain(response, 500, 'failed to parse request', 'text/event-stream');
    }
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      over.abort(new Error(`the call back took longer than ${this.#deps.timeoutMs / 1000} s`));
      answer.end();
    }, this.#deps.timeoutMs);
    try {
      await served;
    } finally {
      clearTimeout(timer);
      answer.end();
      this.#deps.onOutcome(timedOut ? 'timeout' : left.aborted ? 'left' : 'served');
    }
  }

  /** @returns whether another node has answered */
  async #handOver(sessionId: string, request: FastifyRequest, response: ServerResponse): Promise<boolean> {
    const { invocations, nodeOf, nodes } = this.#deps;
    if (nodeOf === undefined || nodes === undefined || invocations.find(sessionId) !== undefined) return false;
    // It was here when the other node looked.
    if (nodes.received(request.raw) !== undefined) return false;
    let node = await nodeOf(sessionId);
    if (node === undefined) {
      await pause(SECOND_LOOK_MS);
      node = await nodeOf(sessionId);
    }
    const known = node;
    if (known === undefined) return false;
    const answered = await nodes.forward({
      request: request.raw,
      response,
      target: wireTarget(request.raw),
      secure: isSecure(request.raw),
      client: request.ip,
      // Nobody else has the session.
      choose: (tried) => (tried.size === 0 ? nodes.member(known) : undefined),
    });
    if (answered) this.#deps.onOutcome('forwarded');
    return answered;
  }

  #unknown(response: ServerResponse, read: ReadTransaction): void {
    this.#refuse(response, 400, 'unknown-session', {
      ...read,
      type: 'SessionNotFound',
      text: 'session not found: it has ended, or there never was one; a function may call back only while it is being called',
    });
  }

  #foreign(request: FastifyRequest, response: ServerResponse, read: ReadTransaction): void {
    const session = this.#deps.invocations.find(read.sessionId);
    if (session !== undefined) this.#impostor(session, request, 'foreign-session');
    this.#refuse(response, 403, 'foreign-session', {
      ...read,
      type: 'SessionForeign',
      text: 'the header Dify-Plugin-Session-ID names another session than the body',
    });
  }

  #impostor(session: Session, request: FastifyRequest, outcome: 'wrong-secret' | 'foreign-session'): void {
    if (this.#told.has(session)) return;
    this.#told.add(session);
    this.#deps.onImpostor(session, request, outcome);
  }

  /** In the form in which the SDK reads answers, whatever the status: it then raises the text. */
  #refuse(
    response: ServerResponse,
    status: number,
    outcome: TransactionOutcome,
    refusal: Parameters<typeof refusalLines>[0],
  ): void {
    this.#deps.onOutcome(outcome);
    send(response, status, refusalLines(refusal), 'text/event-stream');
  }

  #plain(response: ServerResponse, status: number, text: string, type: string): void {
    this.#deps.onOutcome('malformed');
    send(response, status, text, type);
  }

  #secretOf(request: FastifyRequest): string | undefined {
    return headerOf(request, 'dify-plugin-session-secret');
  }
}

function send(response: ServerResponse, status: number, text: string, type: string): void {
  if (response.destroyed) return;
  if (response.headersSent) throw new DaemonError('internal', 'a call back was refused after its answer had begun');
  const bytes = Buffer.from(text);
  endWhenSent(response.writeHead(status, { 'Content-Type': type, 'Content-Length': bytes.length }), bytes);
}

const headerOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};
